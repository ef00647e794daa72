package catalog

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

var (
	oneID, twoID = event.ID{1: 1, 15: 1}, event.ID{1: 2, 15: 2}
	someTime     = time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
)

func fullEndpoint() *event.Endpoint {
	return &event.Endpoint{
		ID: oneID, ProjectID: twoID, OwnerID: "owner", URL: "https://x", Name: "name", Description: "description",
		Secrets: []event.Secret{
			{ID: oneID, Value: "old", CreatedAt: someTime, UpdatedAt: someTime, ExpiresAt: &someTime, DeletedAt: &someTime},
			{ID: twoID, Value: "new", CreatedAt: someTime},
		},
		AdvancedSignatures: true, Status: event.EndpointPaused, HTTPTimeout: 10, RateLimit: 5000, RateLimitDuration: 60,
		ContentType:    contentJSON,
		Authentication: &event.Authentication{Type: "api_key", APIKey: &event.APIKeyAuth{HeaderName: "X-Key", HeaderValue: "v"}},
		SupportEmail:   "mail", SlackWebhookURL: "slack", TeamsWebhookURL: "teams",
		CreatedAt: someTime, UpdatedAt: time.Time{}, DeletedAt: &someTime,
	}
}

func fullSubscription() *event.Subscription {
	return &event.Subscription{
		ID: oneID, Name: "n", Type: "api", ProjectID: twoID, EndpointID: oneID, FilterConfig: event.FilterConfig{EventTypes: []string{"a", "b"}},
		DeliveryMode: "at_least_once", CreatedAt: someTime, UpdatedAt: someTime, DeletedAt: &someTime,
	}
}

// The stored form of each noun, byte for byte: a change here is a change of format.
func TestRecordsAreGolden(t *testing.T) {
	project := &event.Project{ID: oneID, Name: "n", CreatedAt: someTime}
	key := &event.APIKey{ID: oneID, Name: "n", ProjectID: twoID, MaskID: "m", Digest: []byte{1, 2, 3}, CreatedAt: someTime}
	for name, c := range map[string]struct {
		noun any
		want string // hex of what follows the version, or JSON
	}{
		"endpoint":     {fullEndpoint(), "a90100010000000000000000000000000001000200000000000000000000000000020509040b02000100000000000000000000000000010380a9a19a0d0580a9a19a0d050180a9a19a0d050180a9a19a0d05000200000000000000000000000000020380a9a19a0d05ffdb8ff9ce03000000010670617573656414904e78106170706c69636174696f6e2f6a736f6e010701050104050580a9a19a0d05ffdb8ff9ce03000180a9a19a0d056f776e657268747470733a2f2f786e616d656465736372697074696f6e6f6c646e65776170695f6b6579582d4b6579766d61696c736c61636b7465616d73"},
		"subscription": {fullSubscription(), "5900010000000000000000000000000001010361706900020000000000000000000000000002000100000000000000000000000000010201010d61745f6c656173745f6f6e636580a9a19a0d0580a9a19a0d050180a9a19a0d056e6162"},
		"project":      {project, `{"uid":"00040000000000000000000001","name":"n","logo_url":"","type":"","config":{"max_payload_read_size":0,"replay_attacks_prevention_enabled":false,"add_event_id_trace_headers":false,"disable_endpoint":false,"multiple_endpoint_subscriptions":false,"search_policy":"","ssl":{"enforce_secure_endpoints":false},"ratelimit":{"count":0,"duration":0},"strategy":{"type":"","duration":0,"retry_count":0},"signature":{"header":"","versions":null},"request_id_header":""},"created_at":"2026-03-01T12:00:00.000000005Z","updated_at":"0001-01-01T00:00:00Z","deleted_at":null}`},
		"key":          {key, `{"uid":"00040000000000000000000001","name":"n","project_id":"00080000000000000000000002","mask_id":"m","digest":"AQID","created_at":"2026-03-01T12:00:00.000000005Z","expires_at":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			value, err := encode(c.noun)
			if err != nil {
				t.Fatal(err)
			}
			got := string(value[1:])
			if c.want[0] != '{' {
				got = hex.EncodeToString(value[1:])
			}
			if value[0] != 1 || got != c.want {
				t.Errorf("version %d\ngot  %s\nwant %s", value[0], got, c.want)
			}
		})
	}
}

func TestPackedRoundTrip(t *testing.T) {
	for name, e := range map[string]*event.Endpoint{
		"full": fullEndpoint(), "zero": {Secrets: []event.Secret{}}, "other words": {Secrets: []event.Secret{}, Status: "odd", ContentType: "text/plain"},
		"no api key": {Secrets: []event.Secret{}, Authentication: &event.Authentication{Type: "t"}}, "negative": {Secrets: []event.Secret{}, RateLimit: -1},
	} {
		got, err := unpackEndpoint(packEndpoint(e))
		if err != nil || !reflect.DeepEqual(&got, e) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, err, got, *e)
		}
	}
	got, err := unpackSubscription(packSubscription(fullSubscription()))
	if err != nil || !reflect.DeepEqual(&got, fullSubscription()) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, *fullSubscription())
	}
}

// Whatever happens to a record, reading it ends; and one that is cut or has
// something behind it is refused.
func TestDamagedPackedRecords(t *testing.T) {
	endpoint := func(v []byte) error { _, err := unpackEndpoint(v); return err }
	sub := func(v []byte) error { _, err := unpackSubscription(v); return err }
	for name, c := range map[string]struct {
		value []byte
		read  func([]byte) error
	}{
		"endpoint": {packEndpoint(fullEndpoint()), endpoint}, "subscription": {packSubscription(fullSubscription()), sub},
	} {
		for n := range c.value {
			if c.read(c.value[:n]) == nil {
				t.Errorf("%s: the first %d of %d bytes were accepted", name, n, len(c.value))
			}
		}
		if c.read(append([]byte(string(c.value)), 0)) == nil {
			t.Errorf("%s: a byte too many was accepted", name)
		}
		for i := range c.value {
			for bit := range 8 {
				damaged := []byte(string(c.value))
				damaged[i] ^= 1 << bit
				_ = c.read(damaged) // must return
			}
		}
	}
}

func TestDigestIsHMACSHA256(t *testing.T) {
	for _, pepper := range []int{16, 63, 64, 65, 200} {
		for _, text := range []int{16, 63, 64, 84, maxTokenBytes} {
			d := newDigester([]byte(strings.Repeat("p", pepper)))
			input := []byte(strings.Repeat("t", text))
			h := hmac.New(sha256.New, []byte(strings.Repeat("p", pepper)))
			h.Write(input)
			if got := d.sum(input); !hmac.Equal(got[:], h.Sum(nil)) {
				t.Errorf("pepper of %d, text of %d bytes: %x, want %x", pepper, text, got, h.Sum(nil))
			}
		}
	}
}

func TestRandomAlphanumericUsesAllOfTheAlphabet(t *testing.T) {
	seen := make(map[byte]int)
	for _, b := range randomAlphanumeric(62 * 200) {
		seen[b]++
	}
	if len(seen) != 62 {
		t.Fatalf("%d different characters, want 62", len(seen))
	}
	for b, n := range seen {
		if n < 100 || n > 300 {
			t.Errorf("%q drawn %d times of 200 expected", b, n)
		}
	}
}
