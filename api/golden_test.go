package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// furnish fills a world with one of each, the same in every run.
func furnish(w *world) {
	w.addEndpoint(w.project, 1)
	w.addSubscription(w.project, id('e', 1), 1)
	w.addEvent(w.project, 1)
	d := event.Delivery{
		ID: id('d', 1), EventID: id('f', 1), ProjectID: w.project, EndpointID: id('e', 1), SubscriptionID: id('s', 1),
		Status: event.Success, Attempts: 2, Limit: 10, UpdatedAt: epoch.Add(3500 * time.Millisecond),
	}
	w.log.addDelivery(d, failedAttempt(d), goodAttempt(d))
	d.ID, d.EventID, d.Status, d.Limit, d.Due = id('d', 2), id('f', 99), event.Retry, 0, epoch.Add(time.Hour)
	w.log.addDelivery(d)
}

func failedAttempt(d event.Delivery) event.Attempt {
	return event.Attempt{
		DeliveryID: d.ID, EndpointID: d.EndpointID, Number: 1, URL: "https://example.com/1",
		StartedAt: epoch.Add(time.Second), Duration: 1500 * time.Microsecond,
		RequestHeaders: []byte("Host: example.com\r\nauthorization: Bearer zz\r\n"),
		Class:          event.ClassConnect, Error: "connection refused", Address: "192.0.2.1:443",
	}
}

func goodAttempt(d event.Delivery) event.Attempt {
	return event.Attempt{
		DeliveryID: d.ID, EndpointID: d.EndpointID, Number: 2, Manual: true, URL: "https://example.com/1",
		StartedAt: epoch.Add(3 * time.Second), Duration: 500 * time.Millisecond, StatusCode: 200,
		RequestHeaders:  []byte("Host: example.com\r\nX-Convoy-Signature: t=1,v1=ab\r\nX-Api-Key: k\r\n"),
		ResponseHeaders: []byte("Content-Type: text/html\r\nSet-Cookie: a=b\r\nVia: 1\r\nVia: 2\r\nX-Cu"),
		ResponseBody:    []byte("<b>caf\xc3\xa9</b> \xff\x00 cut \xc3"), BodyCut: true, Address: "192.0.2.1:443",
		Timing: event.Timing{Lookup: 1500 * time.Microsecond, Connect: 20 * time.Millisecond, Handshake: 30 * time.Millisecond, Wait: 400 * time.Millisecond},
	}
}

func TestGolden(t *testing.T) {
	for _, c := range []struct{ name, path, version string }{
		{"project", "", ""},
		{"endpoint", "/endpoints/" + id('e', 1).String(), ""},
		{"endpoint-2024-01-01", "/endpoints/" + id('e', 1).String(), "2024-01-01"},
		{"endpoint-0001-01-01", "/endpoints/" + id('e', 1).String(), "0001-01-01"},
		{"endpoints", "/endpoints", ""},
		{"subscription", "/subscriptions/" + id('s', 1).String(), ""},
		{"event", "/events/" + id('f', 1).String(), ""},
		{"delivery", "/eventdeliveries/" + id('d', 1).String(), ""},
		{"delivery-without-event", "/eventdeliveries/" + id('d', 2).String(), ""},
		{"attempts", "/eventdeliveries/" + id('d', 1).String() + "/deliveryattempts", ""},
		{"no-attempts", "/eventdeliveries/" + id('d', 2).String() + "/deliveryattempts", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			furnish(w)
			a := w.do("GET", w.in("%s", c.path), "", versionHeader, c.version)
			compareGolden(t, c.name, []byte(a.body))
		})
	}
}

// An endpoint with everything, as it is shown to who asks for it, in a listing, and
// inside of a subscription.
func TestGoldenFullEndpoint(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Health = func(event.ID) (string, int) { return "open", 12 } })
	jitter := 20
	end := epoch.Add(time.Hour)
	_, err := w.catalog.CreateEndpoint(event.Endpoint{
		ID: id('e', 1), ProjectID: w.project, OwnerID: "owner", Name: "Full", URL: "https://example.com/full", Description: "all fields",
		Secrets: []event.Secret{
			{ID: id('x', 1), Value: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", CreatedAt: stamp, UpdatedAt: stamp, ExpiresAt: &end},
			{ID: id('x', 2), Value: "whsec_NNKQ9r8GKYqrTwjUPD8ILPZIo2LaLbTx", CreatedAt: stamp, UpdatedAt: stamp},
		},
		SignatureMode: event.SignStandard, HTTPTimeout: 10, RateLimit: 100, RateLimitDuration: 60, MaxConcurrency: 4,
		Authentication: &event.Authentication{Type: event.AuthOAuth2, OAuth2: &event.OAuth2Auth{
			URL: "https://example.com/token", ClientID: "client", GrantType: "client_credentials", Scope: "hooks",
			AuthenticationType: "shared_secret", ClientSecret: "s3cret",
		}},
		CustomHeaders: []event.Header{{Name: "X-Team", Value: "payments"}, {Name: "X-Api-Key", Value: "k"}},
		Strategy:      &event.Strategy{Type: event.StrategySchedule, ScheduleName: event.ScheduleConvoy, Jitter: &jitter, NoRetryStatuses: []int{422}, MaxAge: 3600},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.addSubscription(w.project, id('e', 1), 1)
	w.do("PUT", w.in("/endpoints/%s/pause", id('e', 1)), "")
	compareGolden(t, "full-endpoint", []byte(w.do("GET", w.in("/endpoints/%s", id('e', 1)), "").body))
	compareGolden(t, "full-endpoints", []byte(w.do("GET", w.in("/endpoints"), "").body))
	compareGolden(t, "full-subscription", []byte(w.do("GET", w.in("/subscriptions/%s", id('s', 1)), "").body))
}

// compareGolden compares JSON with testdata/<name>.json, which has it indented.
func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, got, "", "  "); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	indented.WriteByte('\n')
	file := filepath.Join("testdata", name+".json")
	if *rewrite {
		if err := os.WriteFile(file, indented.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(indented.Bytes(), want) {
		t.Errorf("%s differs:\n%s\nwant (run with -rewrite if this is meant):\n%s", file, &indented, want)
	}
}

// An event's data comes back byte for byte, wherever it is shown.
func TestDataIsVerbatim(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	for path, times := range map[string]int{
		w.in("/events/%s", id('f', 1)):          1,
		w.in("/events"):                         1,
		w.in("/eventdeliveries/%s", id('d', 1)): 1,
		w.in("/eventdeliveries"):                1,
	} {
		body := w.do("GET", path, "").body
		if n := strings.Count(body, `"data":`+eventData); n != times {
			t.Errorf("%s shows the data unchanged %d times, want %d:\n%s", path, n, times, body)
		}
		if !strings.Contains(body, `"raw":`+quoted(t, eventData)) {
			t.Errorf("%s does not show the data as a text:\n%s", path, body)
		}
	}
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	b, err := marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
