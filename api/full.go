package api

import (
	"slices"
	"strings"
)

// asking are the patterns of requests that ask something of others, or make something
// out of the request alone, and store nothing.
var asking = []string{
	"POST " + inProject + "/endpoints/oauth2/test",
	"POST /portal-api/token",
}

// relieving are the patterns of requests that give space back, or lead to it: a shorter
// retention, the removal of content, the end of a job that makes new deliveries.
var relieving = []string{
	"PUT " + inProject,
	"POST " + inProject,
	"PUT " + inGroup,
	"DELETE " + inEvent + "/content",
	"PUT " + inJob + "/cancel",
	"POST " + inJob + "/cancel",
}

// storing reports whether requests of a route write to the store.
func storing(pattern string) bool {
	if strings.HasPrefix(pattern, "GET ") || slices.Contains(asking, pattern) {
		return false
	}
	return !slices.ContainsFunc(readersPosts, func(end string) bool { return strings.HasSuffix(pattern, end) })
}

// checkSpace refuses a change for which there is no space.
func (a *API) checkSpace(pattern string) error {
	if !storing(pattern) {
		return nil
	}
	return a.o.Full(slices.Contains(relieving, pattern))
}
