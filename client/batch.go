package client

import (
	"context"
	"net/http"
	"net/url"
)

// Count is how many rows a selection has, as far as the server counted.
type Count struct {
	Num  int  `json:"num"`
	More bool `json:"more"` // there are others that were not looked at
}

// CountRetry counts the deliveries that BatchRetry would take up.
func (s Scope) CountRetry(ctx context.Context, query url.Values) (Count, error) {
	return s.count(ctx, s.Path("eventdeliveries", "countbatchretryevents"), query)
}

// CountReplay counts the events that BatchReplay would take up.
func (s Scope) CountReplay(ctx context.Context, query url.Values) (Count, error) {
	return s.count(ctx, s.Path("events", "countbatchreplayevents"), query)
}

func (s Scope) count(ctx context.Context, path string, query url.Values) (n Count, err error) {
	a, err := s.client.Do(ctx, Request{Method: http.MethodGet, Path: path, Query: query, Again: true})
	if err != nil {
		return n, err
	}
	return n, a.Into(&n)
}

// BatchRetry starts a job that retries the deliveries which query selects. The
// answer's Location is the job's.
func (s Scope) BatchRetry(ctx context.Context, query url.Values) (*Answer, error) {
	return s.client.Do(ctx, Request{Method: http.MethodPost, Path: s.Path("eventdeliveries", "batchretry"), Query: query})
}

// BatchReplay starts a job that replays the events which query selects, and returns
// when it has ended or after some seconds. The answer's Location is the job's.
func (s Scope) BatchReplay(ctx context.Context, query url.Values) (*Answer, error) {
	return s.client.Do(ctx, Request{Method: http.MethodPost, Path: s.Path("events", "batchreplay"), Query: query})
}

// ForceResend sends deliveries once more that succeeded.
func (s Scope) ForceResend(ctx context.Context, ids []string) (*Answer, error) {
	body := struct {
		IDs []string `json:"ids"`
	}{ids}
	return s.client.Do(ctx, Request{Method: http.MethodPost, Path: s.Path("eventdeliveries", "forceresend"), Body: body})
}
