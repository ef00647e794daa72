package api

import (
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

// newLink makes a portal link over the API.
func (w *world) newLink(body string, headers ...string) answer {
	w.t.Helper()
	a := w.do("POST", w.in("/portal-links"), body, headers...)
	w.want(a, 201, "Portal link created successfully")
	return a
}

func TestPortalLinkLifecycle(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.PortalURL = "https://portal.example.com/" })
	w.addEndpoint(w.project, 1)
	w.addEndpoint(w.project, 2)
	made := w.newLink(`{"name":"For owner 1","owner_id":"owner 1","endpoints":null,"auth_type":"","can_manage_endpoint":true,"expires_at":null,"what":1}`)
	id, token := made.field("uid").(string), made.field("token").(string)
	compareGolden(t, "portal-link", made.stable(id, token))
	if made.field("auth_key") != token || made.field("url") != "https://portal.example.com/portal?token="+token {
		t.Errorf("the link opens with %s", made.Data)
	}
	one := w.in("/portal-links/%s", id)
	w.want(w.do("GET", one, ""), 200, "Portal link fetched successfully")
	updated := w.do("PUT", one, `{"name":"Renamed","endpoints":["`+idOf('e', 1).String()+`"],"auth_type":"refresh_token","expiration":7200}`)
	w.want(updated, 202, "Portal link updated successfully")
	if updated.field("auth_key") != "" || updated.field("token") != token || updated.field("owner_id") != "owner 1" || updated.field("endpoint_count") != 1.0 ||
		updated.field("expires_at") != "2026-01-02T05:04:05.678Z" {
		t.Errorf("after the update the link is %s", updated.Data)
	}
	w.want(w.do("GET", "/portal-api/endpoints", "", as(token)...), 401, "authorization failed")
	w.want(w.do("PUT", one, `{"expires_at":""}`), 202, "Portal link updated successfully")
	if l := w.catalog.Snapshot().PortalLink(w.project, mustID(t, id)); l.ExpiresAt != nil || l.Name != "Renamed" {
		t.Errorf("the link is %+v", l)
	}
	w.want(w.do("PUT", one, `{}`), 202, "Portal link updated successfully")

	fresh := w.do("GET", one+"/refresh_token", "")
	w.want(fresh, 200, "Portal link auth token refreshed successfully")
	short := strings.Trim(string(fresh.Data), `"`)
	w.want(w.do("GET", "/portal-api/endpoints", "", as(short)...), 200, "Endpoints fetched successfully")
	w.want(w.do("PUT", one+"/revoke", ""), 200, "Portal link revoked successfully")
	w.want(w.do("GET", "/portal-api/endpoints", "", as(short)...), 401, "authorization failed")
	w.want(w.do("GET", one, ""), 404, "Resource not found")
}

// Older clients revoke a link by what they send to the link itself.
func TestPortalLinksAreRevokedInOtherWays(t *testing.T) {
	w := newWorld(t)
	for _, c := range [][2]string{{"PUT", `"{}"`}, {"PUT", ` "" `}, {"DELETE", ""}} {
		one := w.in("/portal-links/%s", w.newLink(`{"name":"x","owner_id":"o"}`).field("uid"))
		w.want(w.do(c[0], one, c[1], "Content-Type", "application/json;charset=utf-8"), 200, "Portal link revoked successfully")
		w.want(w.do("GET", one, ""), 404, "Resource not found")
	}
}

func TestPortalLinksAreListed(t *testing.T) {
	w := newWorld(t)
	for _, owner := range []string{"a", "b", "a"} {
		w.newLink(`{"name":"Link of ` + owner + `","owner_id":"` + owner + `"}`)
	}
	for query, want := range map[string]int{"": 3, "?ownerId=a": 2, "?ownerId=&q=": 3, "?q=OF+B": 1, "?perPage=2": 2, "?ownerId=c": 0} {
		if got := len(w.rows(w.in("/portal-links%s", query)).Content); got != want {
			t.Errorf("%q lists %d links, want %d", query, got, want)
		}
	}
}

func TestBadPortalLinks(t *testing.T) {
	w := newWorld(t)
	w.addEndpoint(w.project, 1)
	endpoint := idOf('e', 1).String()
	for _, c := range []struct {
		body, version string
		code          int
		message       string
	}{
		{`{"name":"x"}`, "", 400, "owner_id: please provide an owner id; the link is for this owner's endpoints"},
		{`{"name":"x","endpoints":["` + endpoint + `"]}`, "", 400, "owner_id: please provide an owner id; the link is for this owner's endpoints"},
		{`{"name":"x"}`, "2024-04-01", 400, "owner_id: please provide an owner id, or the endpoints that the link is for"},
		{`{"name":"x","endpoints":["` + endpoint + `"]}`, "2024-04-01", 201, "Portal link created successfully"},
		{`{"name":"x","owner_id":"owner 0","endpoints":["` + endpoint + `"]}`, "", 400, "endpoints[0]: is an endpoint that does not belong to the link's owner_id; set its owner_id, or leave it out"},
		{`{"name":"x","owner_id":"o","endpoints":["1"]}`, "", 400, "endpoints[0]: not an id: want 26 characters of Crockford base 32"},
		{`{"name":"x","owner_id":"o","auth_type":"magic"}`, "", 400, `auth_type: must be "static_token", "refresh_token" or "one_time"`},
		{`{"name":"x","owner_id":"o","expires_at":"2020-01-01T00:00:00Z"}`, "", 400, "expires_at: is not in the future; leave it out for one that does not end"},
		{`{"owner_id":"o"}`, "", 400, "name: is empty; give one of 1 to 256 bytes"},
	} {
		a := w.do("POST", w.in("/portal-links"), c.body, versionHeader, c.version)
		if a.Code != c.code || a.Message != c.message {
			t.Errorf("%s: got %d %q, want %d %q", c.body, a.Code, a.Message, c.code, c.message)
		}
	}
}

// What opens a link is not for those who may only read.
func TestAReadingKeyOpensNoPortal(t *testing.T) {
	w := newWorld(t)
	made := w.newLink(`{"name":"x","owner_id":"o"}`)
	reader, _ := w.newKey(w.in("/keys"), `{"name":"r","scopes":["read"]}`)
	one := w.in("/portal-links/%s", made.field("uid"))
	for _, path := range []string{one, w.in("/portal-links")} {
		a := w.do("GET", path, "", as(reader)...)
		if a.Code != 200 || strings.Contains(a.body, made.field("token").(string)) {
			t.Errorf("GET %s shows %s", path, a.body)
		}
	}
	w.want(w.do("GET", one+"/refresh_token", "", as(reader)...), 403, `this key may not manage; it needs the scope "manage"`)
}

// A link's token reads, so a key that may not read gets none; it may end links.
func TestAKeyThatMayNotReadOpensNoPortal(t *testing.T) {
	w := newWorld(t)
	one := w.in("/portal-links/%s", w.newLink(`{"name":"x","owner_id":"o"}`).field("uid"))
	key, _ := w.newKey(w.in("/keys"), `{"name":"m","scopes":["manage"]}`)
	manager := as(key)
	const refused = `this key may not read; it needs the scope "read"`
	w.want(w.do("POST", w.in("/portal-links"), `{"name":"x","owner_id":"o"}`, manager...), 403, refused)
	w.want(w.do("PUT", one, `{}`, manager...), 403, refused)
	w.want(w.do("GET", one+"/refresh_token", "", manager...), 403, refused)
	w.want(w.do("PUT", one+"/revoke", "", manager...), 200, "Portal link revoked successfully")
}

func TestTokensAreExchanged(t *testing.T) {
	w := newWorld(t)
	exchange := func(token string) answer {
		return w.do("POST", "/portal-api/token", `{"token":"`+token+`"}`, "Authorization", "")
	}
	static := w.newLink(`{"name":"s","owner_id":"o"}`).field("token").(string)
	once := w.newLink(`{"name":"s","owner_id":"o","auth_type":"one_time"}`)
	refresh := w.newLink(`{"name":"s","owner_id":"o","auth_type":"refresh_token"}`).field("token").(string)
	w.want(exchange(""), 400, "token: is empty; give the token of the portal link")
	for token, times := range map[string]int{static: 3, once.field("token").(string): 1, refresh: 0, "PL.x": 0, w.key: 0} {
		for n := range 3 {
			a := exchange(token)
			if n >= times {
				w.want(a, 401, errBadToken.message)
				continue
			}
			w.want(a, 200, "Portal token created successfully")
			if end := a.field("expires_at"); end != epoch.Add(event.PortalTokenTTL).Truncate(time.Second).Format(time.RFC3339) {
				t.Errorf("the token ends at %v", end)
			}
			w.want(w.do("GET", "/portal-api/events", "", as(a.field("token").(string))...), 200, "App events fetched successfully")
		}
	}
	if a := w.do("GET", w.in("/portal-links/%s", once.field("uid")), ""); a.field("used_at") == nil {
		t.Errorf("a used link is %s", a.Data)
	}
	w.want(w.do("POST", "/portal-api/token", `{"token":1}`, "Authorization", ""), 400, "token: want a string, got number (at byte 10)")
	w.want(w.do("GET", "/portal-api/token", ""), 405, errMethod.message)
}

// A link that lists an endpoint does not follow it to another owner.
func TestAListedEndpointThatChangesHands(t *testing.T) {
	w := newWorld(t)
	e := w.addEndpoint(w.project, 1)
	token := w.newLink(`{"name":"x","owner_id":"owner 1","endpoints":["` + e.String() + `"],"can_manage_endpoint":true}`).field("token").(string)
	w.want(w.do("GET", "/portal-api/endpoints/"+e.String(), "", as(token)...), 200, "Endpoint fetched successfully")
	w.want(w.do("POST", "/portal-api/endpoints", `{"name":"x","url":"https://x.example"}`, as(token)...), 403, errListedOnly.message)
	w.want(w.do("PUT", w.in("/endpoints/%s", e), `{"owner_id":"owner 2"}`), 202, "Endpoint updated successfully")
	w.want(w.do("GET", "/portal-api/endpoints/"+e.String(), "", as(token)...), 404, "Resource not found")
	if got := w.rowsAs("/portal-api/endpoints", token); len(got) != 0 {
		t.Errorf("the list has %v", got)
	}
}
