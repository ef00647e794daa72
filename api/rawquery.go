package api

import (
	"net/url"

	"posthaste/event"
)

// checkQuery refuses a query that cannot be read. net/http leaves out what it cannot
// read, and a batch replay that lost its filter that way would replay everything.
func checkQuery(raw string) error {
	if _, err := url.ParseQuery(raw); err != nil {
		return event.Invalid("", "the query of the URL cannot be read: %s; separate parameters by & and write %%, &, + and ; in values as %%25, %%26, %%2B and %%3B", err)
	}
	return nil
}
