package api

import (
	"net/url"
	"strconv"

	"posthaste/event"
)

// truthParam reads a parameter of the query that says yes or no: true, 1, false or 0.
// Without one it is no. Anything else is refused: what was meant as a dry run must not
// be a real one.
func truthParam(v url.Values, name string) (bool, error) {
	text := v.Get(name)
	if text == "" {
		return false, nil
	}
	yes, err := strconv.ParseBool(text)
	if err != nil {
		return false, event.Invalid(name, "want true or false")
	}
	return yes, nil
}
