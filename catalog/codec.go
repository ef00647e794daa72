package catalog

import (
	"encoding/json"
	"errors"
	"fmt"

	"posthaste/event"
)

// A record's value, as the store keeps it. Projects and keys, which are few and
// have many settings, are JSON of the event package's nouns; an absent field
// reads as its zero value, so fields may be added within a version:
//
//	+------------+--------+
//	| version, 1 | JSON   |
//	+------------+--------+
//
// Endpoints and subscriptions, of which there are millions, are packed (pack.go).
// Read from JSON, a million endpoints took ten seconds and more to load; packed,
// they take two to three, and less than a third of the space (BenchmarkOpen).
const recordVersion = 1

var errTruncated = errors.New("the record is cut short")

// encode is the value of a noun: a pointer to a project, endpoint, subscription
// or key of the event package.
func encode(noun any) ([]byte, error) {
	switch n := noun.(type) {
	case *event.Endpoint:
		return packEndpoint(n), nil
	case *event.Subscription:
		return packSubscription(n), nil
	}
	body, err := json.Marshal(noun)
	if err != nil {
		return nil, err
	}
	return append([]byte{recordVersion}, body...), nil
}

func decodeJSON(value []byte, noun any) error {
	body, err := checkVersion(value)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, noun)
}

// checkVersion takes the version off a value.
func checkVersion(value []byte) ([]byte, error) {
	if len(value) == 0 {
		return nil, errTruncated
	}
	if value[0] != recordVersion {
		return nil, fmt.Errorf("record version %d is not known, this program reads version %d: was it written by a newer one?", value[0], recordVersion)
	}
	return value[1:], nil
}
