package catalog

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"posthaste/event"
	"posthaste/internal/seal"
)

var (
	oneID, twoID = event.ID{1: 1, 15: 1}, event.ID{1: 2, 15: 2}
	someTime     = time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
)

// plainEndpoint has a value in every field that version 1 of its record had.
func plainEndpoint() *event.Endpoint {
	return &event.Endpoint{
		ID: oneID, ProjectID: twoID, OwnerID: "owner", URL: "https://x", Name: "name", Description: "description",
		Secrets: []event.Secret{
			{ID: oneID, Value: "old", CreatedAt: someTime, UpdatedAt: someTime, ExpiresAt: &someTime, DeletedAt: &someTime},
			{ID: twoID, Value: "new", CreatedAt: someTime},
		},
		AdvancedSignatures: true, Status: event.EndpointPaused, HTTPTimeout: 10, RateLimit: 5000, RateLimitDuration: 60,
		ContentType: contentJSON, SignatureMode: event.SignConvoy,
		Authentication: &event.Authentication{Type: "api_key", APIKey: &event.APIKeyAuth{HeaderName: "X-Key", HeaderValue: "v"}},
		SupportEmail:   "mail", SlackWebhookURL: "slack", TeamsWebhookURL: "teams",
		CreatedAt: someTime, UpdatedAt: time.Time{}, DeletedAt: &someTime,
	}
}

// fullEndpoint has a value in every field.
func fullEndpoint() *event.Endpoint {
	e := plainEndpoint()
	e.SignatureMode, e.MaxConcurrency, e.CACert = event.SignStandard, 7, "ca"
	e.CustomHeaders = []event.Header{{Name: "X-A", Value: "b"}}
	e.Strategy = &event.Strategy{Type: "linear", Duration: 1, RetryCount: 2, Jitter: new(3), NoRetryStatuses: []int{404}}
	e.ClientCert = &event.ClientCert{Cert: "cert", Key: "key"}
	e.StatusHistory = []event.StatusChange{{From: "active", To: "paused", Reason: "why", At: someTime}}
	return e
}

// plainSubscription has a value in every field that version 1 of its record had.
func plainSubscription() *event.Subscription {
	return &event.Subscription{
		ID: oneID, Name: "n", Type: "api", ProjectID: twoID, EndpointID: oneID, FilterConfig: event.FilterConfig{EventTypes: []string{"a", "b"}},
		DeliveryMode: "at_least_once", CreatedAt: someTime, UpdatedAt: someTime, DeletedAt: &someTime,
	}
}

// fullSubscription has a value in every field.
func fullSubscription() *event.Subscription {
	s := plainSubscription()
	s.Function = "function transform(p) { return p }"
	s.FilterConfig.Filter = &event.Filter{Body: json.RawMessage(`{"a":{"$gt":1}}`), Path: json.RawMessage(`{"path":"/"}`)}
	return s
}

func fullProject() *event.Project {
	p := &event.Project{ID: oneID, Name: "n", CreatedAt: someTime}
	p.Config.MetaEvent.Secret = "meta"
	return p
}

func readEndpoint(value []byte) (event.Endpoint, error) {
	return (&endpointReader{}).read(oneID, value)
}

func readSubscription(value []byte) (event.Subscription, error) {
	return (&subscriptionReader{}).read(value)
}

func mustEncode(t *testing.T, noun any) []byte {
	t.Helper()
	value, err := encodeNoun(nil, noun)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// The stored form of each noun, byte for byte, without seals, whose bytes are random:
// a change here is a change of format.
func TestRecordsAreGolden(t *testing.T) {
	key := &event.APIKey{ID: oneID, Name: "n", ProjectID: twoID, MaskID: "m", Digest: []byte{1, 2, 3}, CreatedAt: someTime}
	kind := &event.EventType{ID: oneID, ProjectID: twoID, Name: "n", Category: "c", JSONSchema: json.RawMessage(`{"a":1}`), CreatedAt: someTime}
	for name, c := range map[string]struct {
		noun any
		want string
	}{
		"plain endpoint":     {withoutAuthentication(plainEndpoint()), "\x02\x00\xd1\x01\xa4\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x05\t\x04\v\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x03\x80\xa9\xa1\x9a\r\x05\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x03\x80\xa9\xa1\x9a\r\x05\xffۏ\xf9\xce\x03\x00\x00\x00\x01\x06paused\x14\x90Nx\x10application/json\x04\x05\x05\x80\xa9\xa1\x9a\r\x05\xffۏ\xf9\xce\x03\x00\x01\x80\xa9\xa1\x9a\r\x05ownerhttps://xnamedescriptionmailslackteams\x00oldnew"},
		"endpoint":           {fullEndpoint(), "\x02\x00\xd1\x01\xa4\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x05\t\x04\v\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x03\x80\xa9\xa1\x9a\r\x05\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x03\x80\xa9\xa1\x9a\r\x05\xffۏ\xf9\xce\x03\x00\x00\x00\x01\x06paused\x14\x90Nx\x10application/json\x04\x05\x05\x80\xa9\xa1\x9a\r\x05\xffۏ\xf9\xce\x03\x00\x01\x80\xa9\xa1\x9a\r\x05ownerhttps://xnamedescriptionmailslackteams\xd4\x03{\"authentication\":{\"type\":\"api_key\",\"api_key\":{\"header_name\":\"X-Key\",\"header_value\":\"v\"}},\"signature_mode\":\"standard-webhooks\",\"custom_headers\":[{\"Name\":\"X-A\",\"Value\":\"b\"}],\"strategy\":{\"type\":\"linear\",\"duration\":1,\"retry_count\":2,\"jitter\":3,\"no_retry_statuses\":[404]},\"max_concurrency\":7,\"mtls_client_cert\":{\"client_cert\":\"cert\",\"client_key\":\"key\"},\"ca_cert\":\"ca\",\"status_history\":[{\"from\":\"active\",\"to\":\"paused\",\"reason\":\"why\",\"at\":\"2026-03-01T12:00:00.000000005Z\"}]}oldnew"},
		"plain subscription": {plainSubscription(), "\x02\x00^Z\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x03api\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x01\x01\rat_least_once\x80\xa9\xa1\x9a\r\x05\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x00nab"},
		"subscription":       {fullSubscription(), "\x02\x00\xc6\x01\xc1\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x03api\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x01\x01\rat_least_once\x80\xa9\xa1\x9a\r\x05\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05g{\"filter\":{\"body\":{\"a\":{\"$gt\":1}},\"path\":{\"path\":\"/\"}},\"function\":\"function transform(p) { return p }\"}nab"},
		"project":            {fullProject(), "\x02\x00\xce\a{\"uid\":\"00040000000000000000000001\",\"name\":\"n\",\"logo_url\":\"\",\"type\":\"\",\"config\":{\"max_payload_read_size\":0,\"replay_attacks_prevention_enabled\":false,\"add_event_id_trace_headers\":false,\"disable_endpoint\":false,\"multiple_endpoint_subscriptions\":false,\"search_policy\":\"\",\"ssl\":{\"enforce_secure_endpoints\":false},\"ratelimit\":{\"count\":0,\"duration\":0},\"strategy\":{\"type\":\"\",\"duration\":0,\"retry_count\":0},\"signature\":{\"header\":\"\",\"versions\":null},\"request_id_header\":\"\",\"dead_endpoint\":{\"strategy\":\"\",\"count\":0,\"window\":0},\"circuit_breaker\":{\"enabled\":false,\"sample_rate\":0,\"error_timeout\":0,\"failure_threshold\":0,\"success_threshold\":0,\"minimum_request_count\":0,\"observability_window\":0,\"consecutive_failure_threshold\":0},\"meta_event\":{\"is_enabled\":false,\"type\":\"\",\"event_type\":null,\"url\":\"\",\"secret\":\"\"},\"retention\":{\"payload\":0,\"history\":0,\"max_bytes\":0},\"idempotency_window\":0},\"created_at\":\"2026-03-01T12:00:00.000000005Z\",\"updated_at\":\"0001-01-01T00:00:00Z\",\"deleted_at\":null}meta"},
		"key":                {key, "\x01" + `{"uid":"00040000000000000000000001","name":"n","project_id":"00080000000000000000000002","mask_id":"m","digest":"AQID","created_at":"2026-03-01T12:00:00.000000005Z","expires_at":null}`},
		"event type":         {kind, "\x01{\"uid\":\"00040000000000000000000001\",\"project_id\":\"00080000000000000000000002\",\"name\":\"n\",\"category\":\"c\",\"description\":\"\",\"json_schema\":{\"a\":1},\"created_at\":\"2026-03-01T12:00:00.000000005Z\",\"updated_at\":\"0001-01-01T00:00:00Z\",\"deprecated_at\":null}"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mustEncode(t, c.noun); string(got) != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func withoutAuthentication(e *event.Endpoint) *event.Endpoint {
	e.Authentication = nil
	return e
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What the first version of the program wrote.
func TestVersion1IsRead(t *testing.T) {
	const (
		endpoint     = "01a90100010000000000000000000000000001000200000000000000000000000000020509040b02000100000000000000000000000000010380a9a19a0d0580a9a19a0d050180a9a19a0d050180a9a19a0d05000200000000000000000000000000020380a9a19a0d05ffdb8ff9ce03000000010670617573656414904e78106170706c69636174696f6e2f6a736f6e010701050104050580a9a19a0d05ffdb8ff9ce03000180a9a19a0d056f776e657268747470733a2f2f786e616d656465736372697074696f6e6f6c646e65776170695f6b6579582d4b6579766d61696c736c61636b7465616d73"
		subscription = "015900010000000000000000000000000001010361706900020000000000000000000000000002000100000000000000000000000000010201010d61745f6c656173745f6f6e636580a9a19a0d0580a9a19a0d050180a9a19a0d056e6162"
		project      = "\x01" + `{"uid":"00040000000000000000000001","name":"n","logo_url":"","type":"","config":{"max_payload_read_size":0,"replay_attacks_prevention_enabled":false,"add_event_id_trace_headers":false,"disable_endpoint":false,"multiple_endpoint_subscriptions":false,"search_policy":"","ssl":{"enforce_secure_endpoints":false},"ratelimit":{"count":0,"duration":0},"strategy":{"type":"","duration":0,"retry_count":0},"signature":{"header":"","versions":null},"request_id_header":""},"created_at":"2026-03-01T12:00:00.000000005Z","updated_at":"0001-01-01T00:00:00Z","deleted_at":null}`
	)
	if e, err := readEndpoint(unhex(t, endpoint)); err != nil || !reflect.DeepEqual(&e, plainEndpoint()) {
		t.Errorf("endpoint: %v\ngot  %+v\nwant %+v", err, e, *plainEndpoint())
	}
	if s, err := readSubscription(unhex(t, subscription)); err != nil || !reflect.DeepEqual(&s, plainSubscription()) {
		t.Errorf("subscription: %v\ngot  %+v\nwant %+v", err, s, *plainSubscription())
	}
	want := fullProject()
	want.Config.MetaEvent.Secret = ""
	if p, err := decodeProject(nil, oneID, []byte(project)); err != nil || !reflect.DeepEqual(&p, want) {
		t.Errorf("project: %v\ngot  %+v\nwant %+v", err, p, *want)
	}
}

func TestPackedRoundTrip(t *testing.T) {
	none := []event.Secret{}
	for name, e := range map[string]*event.Endpoint{
		"plain":       plainEndpoint(),
		"full":        fullEndpoint(),
		"zero":        {ID: oneID, Secrets: none, SignatureMode: event.SignConvoy},
		"other words": {ID: oneID, Secrets: none, SignatureMode: event.SignConvoy, Status: "odd", ContentType: "text/plain"},
		"negative":    {ID: oneID, Secrets: none, SignatureMode: event.SignConvoy, RateLimit: -1},
	} {
		for how, box := range map[string]*seal.Box{"clear": nil, "sealed": testBox(t, "k1")} {
			value, err := packEndpoint(box, e)
			if err != nil {
				t.Fatal(err)
			}
			got, err := (&endpointReader{box: box}).read(oneID, value)
			if err != nil || !reflect.DeepEqual(&got, e) {
				t.Errorf("%s, %s: %v\ngot  %+v\nwant %+v", name, how, err, got, *e)
			}
		}
	}
	for _, s := range []*event.Subscription{plainSubscription(), fullSubscription()} {
		got, err := readSubscription(mustEncode(t, s))
		if err != nil || !reflect.DeepEqual(&got, s) {
			t.Errorf("%v\ngot  %+v\nwant %+v", err, got, *s)
		}
	}
	for how, box := range map[string]*seal.Box{"clear": nil, "sealed": testBox(t, "k1")} {
		value, err := encodeNoun(box, fullProject())
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeProject(box, oneID, value)
		if err != nil || !reflect.DeepEqual(&got, fullProject()) {
			t.Errorf("project, %s: %v %+v", how, err, got)
		}
	}
}

func testBox(t *testing.T, ids ...string) *seal.Box {
	t.Helper()
	keys := make([]seal.Key, len(ids))
	for i, id := range ids {
		keys[i] = seal.Key{ID: id, Bytes: sha256.Sum256([]byte(id))}
	}
	box, err := seal.Open(keys)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// Whatever happens to a record, reading it ends; and one that is cut or has
// something behind it is refused.
func TestDamagedPackedRecords(t *testing.T) {
	box := testBox(t, "k1")
	sealed, err := packEndpoint(box, fullEndpoint())
	if err != nil {
		t.Fatal(err)
	}
	endpoint := func(v []byte) error { _, err := (&endpointReader{box: box}).read(oneID, v); return err }
	sub := func(v []byte) error { _, err := readSubscription(v); return err }
	for name, c := range map[string]struct {
		value []byte
		read  func([]byte) error
	}{
		"endpoint":        {mustEncode(t, fullEndpoint()), endpoint},
		"plain endpoint":  {mustEncode(t, withoutAuthentication(plainEndpoint())), endpoint},
		"sealed endpoint": {sealed, endpoint},
		"subscription":    {mustEncode(t, fullSubscription()), sub},
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
