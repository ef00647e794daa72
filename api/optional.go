package api

import (
	"encoding/json"
	"errors"
	"reflect"
)

// optional is a field of which a request may say nothing, null, or a value: what
// null takes away is told from what was not named.
type optional[T any] struct {
	sent  bool
	value *T // nil: null
}

// UnmarshalJSON leaves the place of an error out: it would count from the field's
// own start.
func (o *optional[T]) UnmarshalJSON(raw []byte) error {
	*o = optional[T]{sent: true}
	err := json.Unmarshal(raw, &o.value)
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		kind.Offset = 0
	}
	return err
}

// wraps tells what the value is read into.
func (optional[T]) wraps() reflect.Type { return reflect.TypeFor[T]() }
