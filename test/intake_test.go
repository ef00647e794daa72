package test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// subscribe makes a subscription of an endpoint and returns its id.
func (p *project) subscribe(endpoint string, extra object) string {
	p.t.Helper()
	var made struct{ UID string }
	p.do("POST", "/subscriptions", with(object{"name": "s", "endpoint_id": endpoint}, extra), &made)
	return made.UID
}

// bare makes an endpoint without a subscription and returns its id.
func (p *project) bare(url string, extra object) string {
	p.t.Helper()
	var made struct{ UID string }
	p.do("POST", "/endpoints", with(object{"name": "e", "url": url}, extra), &made)
	return made.UID
}

func TestABroadcastReachesASubscriptionOfTheMomentBefore(t *testing.T) {
	t.Parallel()
	p, in := newProject(t, linear(1, 2)), newInbox(t)
	for i := range 20 {
		p.subscribe(p.bare(in.URL, nil), nil)
		p.post("/events/broadcast", object{"event_type": "news", "data": object{"i": i}})
	}
	in.await(t, 20*21/2)
	got := in.bodies()
	for i := range 20 {
		if n := got[fmt.Sprintf(`{"i":%d}`, i)]; n != i+1 {
			t.Errorf("broadcast %d was received %d times, want %d", i, n, i+1)
		}
	}
}

func TestADynamicEventBringsItsEndpoint(t *testing.T) {
	t.Parallel()
	p, in := newProject(t, linear(1, 2)), newInbox(t)
	body := object{"url": in.URL, "secret": "a secret of its own", "event_type": "paid", "data": object{"n": 1}}
	p.post("/events/dynamic", body)
	p.post("/events/dynamic", body)
	for _, a := range in.await(t, 2) {
		if err := a.verify(t, convoySecret("a secret of its own")); err != nil {
			t.Error(err)
		}
	}
	var all page[endpointView]
	p.do("GET", "/endpoints", nil, &all)
	if len(all.Content) != 1 {
		t.Errorf("%d endpoints, want 1", len(all.Content))
	}
	p.refused("POST", "/events/dynamic", object{"url": "nowhere", "event_type": "paid", "data": 1}, "url")
}

func TestAnApplicationsEventReachesAllItsEndpoints(t *testing.T) {
	t.Parallel()
	p, in := newProject(t, linear(1, 2)), newInbox(t)
	var app struct{ UID string }
	p.do("POST", "/applications", object{"name": "shop", "support_email": "ops@shop.example"}, &app)
	for range 3 {
		p.do("POST", "/applications/"+app.UID+"/endpoints", object{"url": in.URL, "description": "d"}, nil)
	}
	p.post("/events", object{"app_id": app.UID, "event_type": "paid", "data": object{"n": 1}})
	in.await(t, 3)
	p.refused("POST", "/events", object{"app_id": p.path[len("/api/v1/projects/"):], "event_type": "paid", "data": 1}, "app_id")
	p.do("DELETE", "/applications/"+app.UID, nil, nil)
	if code, _ := p.try("GET", "/applications/"+app.UID, nil); code != http.StatusNotFound {
		t.Errorf("a deleted application: %d", code)
	}
}

// source makes a source and returns its id and the path that its requests go to.
func (p *project) source(body object) (id, path string) {
	p.t.Helper()
	var made struct {
		UID    string
		MaskID string `json:"mask_id"`
	}
	p.do("POST", "/sources", body, &made)
	return made.UID, "/ingest/" + made.MaskID
}

// knock sends a request to a source, as a provider does.
func (p *project) knock(path, contentType, body string, header http.Header) (int, string) {
	p.t.Helper()
	req, err := http.NewRequest("POST", "http://"+p.api+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func mac(secret, body string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(body))
	return h.Sum(nil)
}

func TestASourceRelaysWhatItVerified(t *testing.T) {
	t.Parallel()
	p, in := newProject(t, linear(1, 2)), newInbox(t)
	id, path := p.source(object{
		"name": "github", "type": "http", "provider": "github",
		"verifier":         object{"type": "hmac", "hmac": object{"header": "X-Hub-Signature-256", "hash": "SHA256", "encoding": "hex", "secret": "s3cret of github"}},
		"idempotency_keys": []string{"request.Header.X-GitHub-Delivery"}, "event_type_location": "request.header.X-GitHub-Event",
		"forward_headers": []string{"X-GitHub-Event"},
	})
	p.do("PUT", "/sources/"+id, object{"name": "github", "forward_headers": []string{"X-GitHub-Event"}}, nil)
	p.subscribe(p.bare(in.URL, nil), object{"source_id": id, "filter_config": object{"event_types": []string{"push"}}})
	body := `{"ref": "refs/heads/main", "size": 1}`
	signed := func(event, delivery string) http.Header {
		return http.Header{
			"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac("s3cret of github", body))},
			"X-Github-Event":      {event}, "X-Github-Delivery": {delivery},
		}
	}
	if code, answer := p.knock(path, "application/json", body, signed("push", "1")); code != 200 || !strings.Contains(answer, "Event received") {
		t.Errorf("signed: %d %s", code, answer)
	}
	if code, answer := p.knock(path, "application/json", body, signed("push", "1")); code != 200 || !strings.Contains(answer, "Duplicate") {
		t.Errorf("again: %d %s", code, answer)
	}
	if code, _ := p.knock(path, "application/json", body, signed("star", "2")); code != 200 {
		t.Errorf("of another type: %d", code)
	}
	forged := signed("push", "3")
	forged.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
	if code, answer := p.knock(path, "application/json", body, forged); code != 400 {
		t.Errorf("forged: %d %s", code, answer)
	}
	if code, _ := p.knock("/ingest/doesnotexist", "application/json", body, signed("push", "4")); code != 404 {
		t.Errorf("of no source: %d", code)
	}
	arrived := in.await(t, 1)
	if got := arrived[0].body; got != body {
		t.Errorf("received %s", got)
	}
	if got := arrived[0].header.Get("X-GitHub-Event"); got != "push" {
		t.Errorf("X-GitHub-Event: %q", got)
	}
	var owed page[deliveryView] // what a request owes is stored when it is answered
	if p.do("GET", "/eventdeliveries", nil, &owed); len(owed.Content) != 1 {
		t.Errorf("%d deliveries, want 1: one duplicate, one of a type that nobody wants, one forged", len(owed.Content))
	}
}

func TestTwittersChallengeIsAnswered(t *testing.T) {
	t.Parallel()
	p := newProject(t, nil)
	id, path := p.source(object{"name": "x", "type": "http", "provider": "twitter", "verifier": object{"type": "hmac",
		"hmac": object{"header": "X-Twitter-Webhooks-Signature", "hash": "SHA256", "encoding": "base64", "secret": "consumer secret"}}})
	resp, err := http.Get("http://" + p.api + path + "?crc_token=challenge")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct {
		ResponseToken string `json:"response_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if want := "sha256=" + base64.StdEncoding.EncodeToString(mac("consumer secret", "challenge")); got.ResponseToken != want {
		t.Errorf("response_token %q, want %q", got.ResponseToken, want)
	}
	var view struct {
		ProviderConfig struct {
			Twitter struct {
				CRCVerifiedAt *time.Time `json:"crc_verified_at"`
			}
		} `json:"provider_config"`
	}
	within(t, patience, "crc_verified_at is shown", func() bool {
		p.do("GET", "/sources/"+id, nil, &view)
		return view.ProviderConfig.Twitter.CRCVerifiedAt != nil
	})
}

func TestFormsBecomeJSON(t *testing.T) {
	t.Parallel()
	p, in := newProject(t, linear(1, 2)), newInbox(t)
	id, path := p.source(object{"name": "form", "type": "http", "verifier": object{"type": "noop"},
		"custom_response": object{"body": "thank you", "content_type": "text/plain"}})
	p.subscribe(p.bare(in.URL, nil), object{"source_id": id})
	if code, answer := p.knock(path, "application/x-www-form-urlencoded", "b=2&a=1&b=3", nil); code != 200 || answer != "thank you" {
		t.Errorf("%d %s", code, answer)
	}
	if got := in.await(t, 1)[0].body; got != `{"a":"1","b":["2","3"]}` {
		t.Errorf("received %s", got)
	}
}

func TestTheIntakesLimit(t *testing.T) {
	t.Parallel()
	p, in := newProject(t, linear(1, 2), "--ingest-rate", "1"), newInbox(t)
	endpoint := p.add(in.URL, nil)
	refused := 0
	for i := range 20 {
		code, a, header, err := p.request("POST", "/events", object{"endpoint_id": endpoint, "event_type": "t", "data": i})
		if err != nil {
			t.Fatal(err)
		}
		if header.Get("X-RateLimit-Limit") == "" || header.Get("X-RateLimit-Remaining") == "" || header.Get("X-RateLimit-Reset") == "" {
			t.Fatalf("%d without the limit's headers: %v", code, header)
		}
		if code == http.StatusTooManyRequests {
			refused++
			if header.Get("Retry-After") == "" || a.Message != "exceeded rate limit" {
				t.Errorf("429 says %q, Retry-After %q", a.Message, header.Get("Retry-After"))
			}
		}
	}
	if refused == 0 {
		t.Error("20 events in a row, and none was over one a second")
	}
	other := newProject(t, nil)
	if _, _, header, _ := other.request("POST", "/events", object{}); header.Get("X-RateLimit-Limit") != "" {
		t.Error("the limit's headers where there is none")
	}
}
