package test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// keyed is the project by another key.
func (p *project) keyed(key string) *project { return &project{p.server, p.path, key} }

// newKey makes a key of the project and returns its id and text.
func (p *project) newKey(body object) (id, key string) {
	p.t.Helper()
	var made struct{ UID, Key string }
	p.do("POST", "/keys", with(object{"name": "k"}, body), &made)
	return made.UID, made.Key
}

func (p *project) answers(code int, method, path string, body any) {
	p.t.Helper()
	if got, a := p.try(method, path, body); got != code {
		p.t.Errorf("%s %s: %d %q, want %d", method, path, got, a.Message, code)
	}
}

func TestKeysReachWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	p, in := newProject(t, linear(1, 2)), newInbox(t)
	other := p.another(nil)
	endpoint := p.add(in.URL, nil)
	event := object{"endpoint_id": endpoint, "event_type": "t", "data": 1}

	id, key := p.newKey(object{"scopes": []string{"ingest"}})
	ingest := p.keyed(key)
	ingest.answers(201, "POST", "/events", event)
	ingest.answers(403, "GET", "/events", nil)
	ingest.answers(403, "POST", "/endpoints", object{"name": "e", "url": in.URL})
	ingest.answers(403, "POST", "/events/dynamic", object{"url": in.URL, "event_type": "t", "data": 1})
	(&project{p.server, other.path, key}).answers(404, "POST", "/events", event)
	(&project{p.server, other.path, p.key}).answers(404, "GET", "/endpoints", nil)

	_, key = p.newKey(object{"scopes": []string{"read"}})
	read := p.keyed(key)
	read.answers(200, "GET", "/events", nil)
	read.answers(403, "POST", "/events", event)
	read.answers(403, "DELETE", "/endpoints/"+endpoint, nil)

	_, key = p.newKey(object{"allow_from": []string{"192.0.2.0/24"}})
	p.keyed(key).answers(403, "GET", "/events", nil)
	p.keyed(key).answers(403, "POST", "/events", event)

	_, key = p.newKey(object{"expires_at": time.Now().Add(5 * time.Second).UTC().Format(time.RFC3339Nano)})
	p.keyed(key).answers(200, "GET", "/events", nil)
	within(t, patience, "the key has ended", func() bool {
		code, _ := p.keyed(key).try("GET", "/events", nil)
		return code == http.StatusUnauthorized
	})

	var shown struct {
		LastUsedAt *time.Time `json:"last_used_at"`
		Key        string
	}
	if p.do("GET", "/keys/"+id, nil, &shown); shown.LastUsedAt == nil || shown.Key != "" {
		t.Errorf("a key that was used is shown as %+v", shown)
	}
	p.stop()
	p.start()
	shown.LastUsedAt = nil
	if p.do("GET", "/keys/"+id, nil, &shown); shown.LastUsedAt == nil {
		t.Error("after a restart it is not known that the key was used")
	}
	ingest.answers(201, "POST", "/events", event)
	p.do("DELETE", "/keys/"+id, nil, nil)
	ingest.answers(401, "POST", "/events", event)
}

func TestAPortalLinkOpensOnesOwnOnly(t *testing.T) {
	t.Parallel()
	p, in := newProject(t, linear(1, 2)), newInbox(t)
	anns, bobs := p.add(in.URL, object{"owner_id": "ann"}), p.add(in.URL, object{"owner_id": "bob"})
	p.post("/events/fanout", object{"owner_id": "ann", "event_type": "t", "data": 1})
	toBob := p.post("/events/fanout", object{"owner_id": "bob", "event_type": "t", "data": 2})
	var link struct{ UID, Token, URL string }
	p.do("POST", "/portal-links", object{"name": "ann's", "owner_id": "ann", "auth_type": "one_time", "can_manage_endpoint": true}, &link)
	if !strings.Contains(link.URL, link.Token) || link.Token == "" {
		t.Errorf("the link is %+v", link)
	}
	p.keyed(link.Token).answers(401, "GET", "/endpoints", nil) // itself no key

	portal := &project{p.server, "/portal-api", ""}
	var got struct{ Token string }
	portal.do("POST", "/token", object{"token": link.Token}, &got)
	portal.answers(401, "POST", "/token", object{"token": link.Token}) // once
	portal.key = got.Token
	var all page[endpointView]
	if portal.do("GET", "/endpoints", nil, &all); len(all.Content) != 1 {
		t.Errorf("the portal shows %d endpoints, want 1", len(all.Content))
	}
	var sent page[deliveryView]
	if portal.do("GET", "/eventdeliveries", nil, &sent); len(sent.Content) != 1 || sent.Content[0].EndpointID != anns {
		t.Errorf("the portal shows %+v", sent.Content)
	}
	portal.answers(200, "GET", "/endpoints/"+anns, nil)
	portal.answers(202, "PUT", "/endpoints/"+anns+"/pause", nil)
	portal.answers(404, "GET", "/endpoints/"+bobs, nil)
	portal.answers(404, "PUT", "/endpoints/"+bobs+"/pause", nil)
	portal.answers(404, "GET", "/events/"+toBob, nil)
	portal.answers(404, "GET", "/keys", nil)
	(&project{p.server, p.path, got.Token}).answers(404, "GET", "", nil)
	p.do("PUT", "/portal-links/"+link.UID+"/revoke", nil, nil)
	portal.answers(401, "GET", "/endpoints", nil)
}

func TestEveryAnswerIsOfTheAPI(t *testing.T) {
	t.Parallel()
	p := newProject(t, nil)
	for _, path := range []string{"//api/v1/projects", "/api//v1", "/nothing", "/docs/x", "/healthz/", "/api/v1/projects/%2e%2e/x"} {
		resp, err := http.Get("http://" + p.api + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound || resp.Header.Get("Content-Type") != "application/json" || resp.Request.URL.Path != strings.ReplaceAll(path, "%2e%2e", "..") {
			t.Errorf("%s: %d %s at %s", path, resp.StatusCode, resp.Header.Get("Content-Type"), resp.Request.URL.Path)
		}
	}
}
