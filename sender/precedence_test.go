package sender

import (
	"strings"
	"testing"

	"posthaste/catalog"
	"posthaste/event"
)

// altered is an endpoint with settings that need no validation for the test.
func (w *world) altered(url string, change func(*event.Endpoint)) *catalog.Endpoint {
	ep := w.endpoint(url)
	change(&ep.Endpoint)
	return ep
}

// values are those of all headers of this name in a head, in any letter case.
func values(head, name string) (all []string) {
	for line := range strings.Lines(head) {
		if n, v, ok := strings.Cut(strings.TrimSuffix(line, "\r\n"), ": "); ok && strings.EqualFold(n, name) {
			all = append(all, n+": "+v)
		}
	}
	return all
}

func headers(pairs ...string) (list []event.Header) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, event.Header{Name: pairs[i], Value: pairs[i+1]})
	}
	return list
}

// TestPrecedence: ours, then the auth header, then the endpoint's, then the event's;
// names are compared without case and sent as they were given.
func TestPrecedence(t *testing.T) {
	apiKey := func(name string) *event.Authentication {
		return &event.Authentication{Type: event.AuthAPIKey, APIKey: &event.APIKeyAuth{HeaderName: name, HeaderValue: "auth"}}
	}
	basic := &event.Authentication{Type: event.AuthBasic, BasicAuth: &event.BasicAuth{UserName: "u", Password: "p"}}
	tests := []struct {
		name            string
		auth            *event.Authentication
		endpoint, event []event.Header
		header          string // looked at
		want            string // what is sent of it, "" for nothing
		shown           string // what is recorded of it; "": the same
	}{
		{"event's alone", nil, nil, headers("x-Mine", "event"), "X-Mine", "x-Mine: event", ""},
		{"endpoint's alone", nil, headers("x-mINE", "endpoint"), nil, "X-Mine", "x-mINE: endpoint", ""},
		{"endpoint's beats event's", nil, headers("X-Mine", "endpoint"), headers("x-mine", "event"), "X-Mine", "X-Mine: endpoint", ""},
		{"auth beats endpoint's", apiKey("x-key"), headers("X-Key", "endpoint"), headers("X-KEY", "event"), "X-Key", "x-key: auth", "x-key: " + masked},
		{"basic beats both", basic, headers("authorization", "endpoint"), headers("AUTHORIZATION", "event"), "Authorization", "Authorization: Basic dTpw", "Authorization: " + masked},
		{"authorization of the endpoint's own", nil, headers("authorization", "endpoint"), headers("Authorization", "event"), "Authorization", "authorization: endpoint", "authorization: " + masked},
		{"key of the endpoint's own", nil, headers("X-API-KEY", "endpoint"), nil, "X-Api-Key", "X-API-KEY: endpoint", "X-API-KEY: " + masked},
		{"first of two", nil, headers("X-Mine", "one", "x-mine", "two"), nil, "X-Mine", "X-Mine: one", ""},

		{"agent, ours", nil, nil, nil, "User-Agent", "User-Agent: posthaste/1.2.3", ""},
		{"agent, event's", nil, nil, headers("X-A", "1", "user-AGENT", "event"), "User-Agent", "user-AGENT: event", ""},
		{"agent, endpoint's", nil, headers("USER-agent", "endpoint"), headers("User-Agent", "event"), "User-Agent", "USER-agent: endpoint", ""},
		{"agent that breaks", nil, headers("User-Agent", "a\r\nX-Evil: 1"), headers("User-Agent", "b\x00"), "User-Agent", "User-Agent: posthaste/1.2.3", ""},
		{"agent, first of two", nil, nil, headers("User-Agent", "one", "user-agent", "two"), "User-Agent", "User-Agent: one", ""},
		{"secret by a part of its name", nil, headers("X-Shop-Token", "one", "X-Plain", "p"), nil, "X-Shop-Token", "X-Shop-Token: one", "X-Shop-Token: ********"},
		{"no secret", nil, headers("X-Shop-Token", "one", "X-Plain", "p"), nil, "X-Plain", "X-Plain: p", ""},

		{"type is ours", nil, headers("Content-Type", "evil"), headers("content-type", "evil"), "Content-Type", "Content-Type: application/json", ""},
		{"encoding is ours", nil, headers("Accept-Encoding", "gzip"), headers("accept-encoding", "gzip"), "Accept-Encoding", "", ""},
		{"length is ours", nil, headers("content-length", "9"), headers("Content-Length", "9"), "Content-Length", "Content-Length: 1", ""},
		{"framing is HTTP's", nil, headers("Transfer-Encoding", "chunked"), headers("transfer-encoding", "chunked"), "Transfer-Encoding", "", ""},
		{"connection is HTTP's", nil, headers("Connection", "close"), headers("connection", "close"), "Connection", "", ""},
		{"replay is ours", nil, headers("posthaste-replay", "true"), headers("Posthaste-Replay", "true"), "Posthaste-Replay", "", ""},
		{"key is ours", nil, headers("x-convoy-idempotency-key", "endpoint"), headers("X-Convoy-Idempotency-Key", "event"), "X-Convoy-Idempotency-Key", "X-Convoy-Idempotency-Key: key", ""},
		{"name that breaks", nil, headers("X Mine", "1", "", "1"), nil, "X Mine", "", ""},
		{"value that breaks", nil, headers("X-Mine", "1\nX-Evil: 1"), headers("X-Mine", "event"), "X-Mine", "X-Mine: event", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, Options{})
			r := newRecorder(t)
			ep := w.altered(r.url, func(e *event.Endpoint) { e.Authentication, e.CustomHeaders = tc.auth, tc.endpoint })
			ev := newEvent("1", tc.event...)
			ev.IdempotencyKey = "key"
			q, a := r.send(w, ep, ev)
			if got := strings.Join(values(q.head, tc.header), "; "); got != tc.want {
				t.Errorf("sent %q, want %q", got, tc.want)
			}
			if tc.shown == "" {
				tc.shown = tc.want
			}
			if got := strings.Join(values(string(a.RequestHeaders), tc.header), "; "); got != tc.shown {
				t.Errorf("recorded %q, want %q", got, tc.shown)
			}
			if strings.Contains(q.head, "Evil") || strings.Contains(q.head, "evil") || len(values(q.head, "Host")) != 1 {
				t.Errorf("a header broke the request:\n%s", q.head)
			}
			if n := len(values(q.head, "X-Convoy-Signature")); n != 1 {
				t.Errorf("%d signatures", n)
			}
		})
	}
}

// TestSignatureHeaderIsOurs in both modes, the other mode's too.
func TestSignatureHeaderIsOurs(t *testing.T) {
	names := []string{"x-convoy-signature", "convoy-timestamp", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "x-convoy-event-id"}
	var evil []event.Header
	for _, n := range names {
		evil = append(evil, event.Header{Name: n, Value: "evil"})
	}
	for _, mode := range []string{event.SignConvoy, event.SignStandard} {
		w := newWorld(t, Options{})
		w.configure(func(c *event.ProjectConfig) { c.AddEventIDTraceHeaders = true })
		r := newRecorder(t)
		ep := w.signed(r.url, mode)
		q, _ := r.send(w, ep, newEvent("1", evil...))
		if strings.Contains(q.head, "evil") {
			t.Errorf("%s: the event's is sent:\n%s", mode, q.head)
		}
	}
}

// TestWholeHead: the order on the wire, with everything an endpoint can add.
func TestWholeHead(t *testing.T) {
	w := newWorld(t, Options{})
	r := newRecorder(t)
	ep := w.altered(r.url, func(e *event.Endpoint) {
		e.Authentication = &event.Authentication{Type: event.AuthBearer, Bearer: &event.BearerAuth{Token: "tok"}}
		e.CustomHeaders = headers("X-Env", "prod", "x-API-key", "k")
	})
	q, a := r.send(w, ep, newEvent("1", headers("User-Agent", "mine", "X-Env", "no", "X-Event", "yes")...))
	compare(t, golden(r, q.head), "POST /hook HTTP/1.1\nHost: HOST\nUser-Agent: mine\nContent-Type: application/json\n"+
		"Authorization: Bearer tok\nX-Env: prod\nx-API-key: k\nContent-Length: 1\nX-Convoy-Signature: SIGNATURE\nConvoy-Timestamp: NOW\nX-Event: yes\n\n")
	compare(t, golden(r, string(a.RequestHeaders)), "Host: HOST\nUser-Agent: mine\nContent-Type: application/json\n"+
		"Authorization: ********\nX-Env: prod\nx-API-key: ********\nContent-Length: 1\nX-Convoy-Signature: SIGNATURE\nConvoy-Timestamp: NOW\nX-Event: yes\n")
}
