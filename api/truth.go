package api

import (
	"net/url"
	"strconv"
)

// isTrue reports whether a parameter of the query says yes: true or 1, in any case.
func isTrue(v url.Values, name string) bool {
	yes, err := strconv.ParseBool(v.Get(name))
	return err == nil && yes
}
