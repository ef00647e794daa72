package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestUnreadableQueriesAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, raw := range []string{"endpointId=%zz", "endpointId=a;status=Failure", "startDate=100%"} {
		for _, path := range []string{"POST /events/batchreplay", "POST /eventdeliveries/batchretry", "GET /events", "GET /endpoints"} {
			method, path, _ := strings.Cut(path, " ")
			a := w.do(method, w.in("%s?%s", path, raw), "")
			if a.Code != http.StatusBadRequest || !strings.HasPrefix(a.Message, "the query of the URL cannot be read: ") {
				t.Errorf("%s %s?%s: %d %q", method, path, raw, a.Code, a.Message)
			}
		}
	}
}

func TestTruthParams(t *testing.T) {
	w := newWorld(t)
	w.want(w.do("POST", w.in("/onboard?dry_run=maybe"), `{"items":[{"name":"x","url":"https://example.com/"}]}`), 400, "dry_run: want true or false")
	w.want(w.do("POST", w.in("/onboard?dry_run="), `{"items":[{"name":"x","url":"https://example.com/"}]}`), 202, "Bulk onboard request accepted")
}
