package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"posthaste/catalog/catalogtest"
	"posthaste/event"
)

// as are the headers of a request with another key than the instance's.
func as(key string) []string { return []string{"Authorization", "Bearer " + key} }

// newKey makes a key over the API with the instance's key, and returns its text and id.
func (w *world) newKey(path, body string) (text, id string) {
	w.t.Helper()
	a := w.do("POST", path, body)
	w.want(a, 201, "API key created successfully")
	return a.field("key").(string), a.field("uid").(string)
}

// stable replaces what differs from run to run in an answer.
func (a answer) stable(random ...string) []byte {
	body := a.body
	for i, text := range random {
		body = strings.ReplaceAll(body, text, fmt.Sprintf("<%d>", i))
	}
	return []byte(body)
}

// isRow finds a row of a page by its id.
func isRow(id string) func(struct {
	ID event.ID `json:"uid"`
}) bool {
	return func(row struct {
		ID event.ID `json:"uid"`
	}) bool {
		return row.ID.String() == id
	}
}

func TestKeyLifecycle(t *testing.T) {
	w := newWorld(t)
	for _, base := range []string{"/api/v1/keys", w.in("/keys")} {
		a := w.do("POST", base, `{"name":"CI","scopes":["read","manage"],"allow_ips":["192.0.2.0/24"],"expiration":3600,
			"role":{"type":"api"},"key_type":"cli"}`)
		w.want(a, 201, "API key created successfully")
		key, id := a.field("key").(string), a.field("uid").(string)
		name := "key-" + a.field("key_type").(string)
		compareGolden(t, name, a.stable(key, id, a.field("mask_id").(string)))
		w.want(w.do("GET", w.in("/endpoints"), "", as(key)...), 200, "Endpoints fetched successfully")

		one := base + "/" + id
		got := w.do("GET", one, "")
		w.want(got, 200, "API key fetched successfully")
		if strings.Contains(got.body, key) || got.field("key") != "" {
			t.Errorf("%s shows the key again: %s", one, got.body)
		}
		if list := w.rows(base); !slices.ContainsFunc(list.Content, isRow(id)) {
			t.Errorf("%s does not list the key", base)
		}
		w.want(w.do("PUT", one+"/revoke", ""), 200, "API key revoked successfully")
		w.want(w.do("GET", w.in("/endpoints"), "", as(key)...), 401, "authorization failed")
		w.want(w.do("GET", one, ""), 404, "Resource not found")
		w.want(w.do("DELETE", one, ""), 404, "Resource not found")
	}
}

func TestKeysAreListedInPages(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.newKey(w.in("/keys"), fmt.Sprintf(`{"name":"key %d","owner_id":"owner %d"}`, i, i%2))
	}
	first := w.rows(w.in("/keys?perPage=2&sort=ASC&q=KEY"))
	if len(first.Content) != 2 || !first.Pagination.HasNextPage {
		t.Fatalf("first page is %+v", first)
	}
	rest := w.rows(w.in("/keys?perPage=9&sort=ASC&q=key&next_page_cursor=%s", first.Pagination.NextPageCursor))
	if len(rest.Content) < 3 {
		t.Errorf("second page has %d rows", len(rest.Content))
	}
	if n := len(w.rows(w.in("/keys?ownerId=owner+1")).Content); n != 2 {
		t.Errorf("an owner has %d keys, want 2", n)
	}
}

// What a key may do is what its scopes say, on every route.
func TestScopes(t *testing.T) {
	w := newWorld(t)
	w.jobs.run = func(j *event.Job) { j.State = event.JobDone }
	for scope, verb := range map[event.Scope]string{event.ScopeRead: "read", event.ScopeManage: "manage", event.ScopeIngest: "ingest"} {
		project, _ := w.newKey(w.in("/keys"), fmt.Sprintf(`{"name":"one","scopes":[%q]}`, verb))
		instance, _ := w.newKey("/api/v1/keys", fmt.Sprintf(`{"name":"one","scopes":[%q]}`, verb))
		for _, rt := range routes {
			if rt.scope == ofNobody || rt.scope == ofPortal || strings.HasPrefix(rt.pattern, "DELETE") && strings.HasSuffix(rt.pattern, "{projectID}") {
				continue
			}
			key := project
			if rt.scope == ofInstance {
				key = instance
			}
			method, path := w.pathOf(rt)
			a := w.do(method, path, "[]", as(key)...)
			if allowed := scopeFor(rt.pattern) == scope; allowed == (a.Code == 403) {
				t.Errorf("a key that may only %s got %d %q for %s", verb, a.Code, a.Message, rt.pattern)
			}
		}
	}
	key, _ := w.newKey(w.in("/keys"), `{"name":"one","scopes":["ingest"]}`)
	w.want(w.do("GET", w.in("/endpoints"), "", as(key)...), 403, `this key may not read; it needs the scope "read"`)
	w.want(w.do("POST", w.in("/endpoints"), "{}", as(key)...), 403, `this key may not manage; it needs the scope "manage"`)
}

func TestScopeOfARoute(t *testing.T) {
	for pattern, want := range map[string]event.Scope{
		"GET " + inProject + "/events":                            event.ScopeRead,
		"POST " + inProject + "/endpoints":                        event.ScopeManage,
		"POST " + inProject + "/endpoints/oauth2/test":            event.ScopeManage,
		"POST " + inProject + "/subscriptions/test_filter":        event.ScopeRead,
		"POST " + inProject + "/subscriptions/test_function":      event.ScopeRead,
		"POST " + inProject + "/sources/test_function":            event.ScopeRead,
		"POST " + inSubscription + "/filters/test/{eventType}":    event.ScopeRead,
		"GET " + inLink + "/refresh_token":                        event.ScopeRead | event.ScopeManage,
		"POST " + inProject + "/portal-links":                     event.ScopeRead | event.ScopeManage,
		"PUT " + inLink:                                           event.ScopeRead | event.ScopeManage,
		"PUT " + inLink + "/revoke":                               event.ScopeManage,
		"PUT " + inDelivery + "/resend":                           event.ScopeManage,
		"GET " + inProject + "/events/countbatchreplayevents":     event.ScopeRead,
		"POST " + inProject + "/eventdeliveries/batchretry":       event.ScopeManage,
		"DELETE " + inProject + "/sources/test_function/whatever": event.ScopeManage,
	} {
		if got := scopeFor(pattern); got != want {
			t.Errorf("%s needs %v, want %v", pattern, got.Names(), want.Names())
		}
	}
}

// A key cannot give more than it has.
func TestAKeyGivesNoMoreThanItHas(t *testing.T) {
	w := newWorld(t)
	end := epoch.Add(time.Hour).Format(time.RFC3339)
	limited, _ := w.newKey(w.in("/keys"), `{"name":"limited","scopes":["read","manage"],"allow_from":["192.0.2.0/24","2001:db8::/32"],"expires_at":"`+end+`"}`)
	owners, _ := w.newKey(w.in("/keys"), `{"name":"owner's","owner_id":"owner 1"}`)
	for _, c := range []struct {
		name, key, body string
		code            int
		message         string
	}{
		{"more scopes", limited, `{"name":"x","scopes":["read","ingest"]}`, 400, "scopes: go beyond those of your own key, which has read, manage"},
		{"no scopes", limited, `{"name":"x","scopes":[]}`, 400, "scopes: is empty; give some of ingest, read, manage, or leave it out for all that your own key has"},
		{"unknown scope", limited, `{"name":"x","scopes":["root"]}`, 400, "scopes: has an entry that is none of ingest, read, manage"},
		{"other addresses", limited, `{"name":"x","allow_from":["198.51.100.1"]}`, 400, "allow_from: goes beyond the addresses that your own key may be used from"},
		{"wider range", limited, `{"name":"x","allow_from":["192.0.0.0/16"]}`, 400, "allow_from: goes beyond the addresses that your own key may be used from"},
		{"no address", limited, `{"name":"x","allow_from":["here"]}`, 400, "allow_from: want addresses like 192.0.2.1 and ranges like 192.0.2.0/24"},
		{"longer", limited, `{"name":"x","expiration":"2h"}`, 400, "expiration: lies behind the end of your own key, " + end},
		{"past", w.key, `{"name":"x","expires_at":"2020-01-01T00:00:00Z"}`, 400, "expires_at: is not in the future; leave it out for one that does not end"},
		{"two ends", w.key, `{"name":"x","expiration":1,"expires_at":"` + end + `"}`, 400, "expiration: give either expires_at or expiration, in seconds"},
		{"negative", w.key, `{"name":"x","expiration":-1}`, 400, "expiration: is -1; it must be 1 to 3153600000 seconds, or left out"},
		{"bad time", w.key, `{"name":"x","expires_at":"tomorrow"}`, 400, "expires_at: want a time like 2026-01-02T03:04:05Z, or leave it out"},
		{"owner's key", owners, `{"name":"x","owner_id":"owner 1"}`, 404, "Resource not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.want(w.do("POST", w.in("/keys"), c.body, as(c.key)...), c.code, c.message)
		})
	}
	inherited := w.do("POST", w.in("/keys"), `{"name":"child","scopes":null,"allow_from":[],"expires_at":"","owner_id":""}`, as(limited)...)
	w.want(inherited, 201, "API key created successfully")
	for field, want := range map[string]string{
		"scopes": `["read","manage"]`, "allow_from": `["192.0.2.0/24","2001:db8::/32"]`, "expires_at": `"` + end + `"`,
	} {
		if got, _ := json.Marshal(inherited.field(field)); string(got) != want {
			t.Errorf("%s is %s, want %s", field, got, want)
		}
	}
	narrower := w.do("POST", w.in("/keys"), `{"name":"child","scopes":["read"],"allow_from":["192.0.2.7","2001:db8::1"],"expiration":60}`, as(limited)...)
	w.want(narrower, 201, "API key created successfully")
}

// An address of IPv4 does not pass as one of IPv6.
func TestAKeyOfIPv6GivesNoneOfIPv4(t *testing.T) {
	for _, c := range []struct {
		own, asked string
		ok         bool
	}{
		{"::/0", "::ffff:192.0.2.1/128", false},
		{"::/0", "::ffff:192.0.2.0/120", false},
		{"::/0", "::ffff:192.0.2.1", false},
		{"::/0", "2001:db8::/32", true},
		{"192.0.2.0/24", "::ffff:192.0.2.0/120", true},
		{"192.0.2.0/24", "::ffff:192.0.0.0/112", false},
		{"0.0.0.0/0", "::ffff:0:0/90", false},
	} {
		body := keyBody{AllowFrom: []string{c.asked}}
		if _, err := body.allowFrom([]netip.Prefix{netip.MustParsePrefix(c.own)}); (err == nil) != c.ok {
			t.Errorf("a key for %s made one for %s: %v", c.own, c.asked, err)
		}
	}
}

// Nor is a time given that is not in the years of RFC 3339 once it is in UTC.
func TestEndsBehindAllYears(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/keys", "/portal-links"} {
		a := w.do("POST", w.in("%s", path), `{"name":"x","owner_id":"o","expires_at":"9999-12-31T23:59:59-01:00"}`)
		w.want(a, 400, "expires_at: want a time like 2026-01-02T03:04:05Z, or leave it out")
	}
}

// The key of a new project is one that the caller's key has made.
func TestALimitedKeyMakesProjectsWithLimitedKeys(t *testing.T) {
	w := newWorld(t)
	limited, _ := w.newKey("/api/v1/keys", `{"name":"limited","scopes":["manage"],"allow_from":["192.0.2.0/24"],"expiration":60}`)
	for path, message := range map[string]string{"/api/v1/projects": "Project created successfully", "/api/v1/groups": "Group created successfully"} {
		made := w.do("POST", path, `{"name":"new","type":"outgoing"}`, as(limited)...)
		w.want(made, 201, message)
		project := mustID(t, made.field("api_key", "role", "project").(string))
		key := w.catalog.Snapshot().Keys(project)[0]
		if key.Scopes != event.ScopeManage || len(key.AllowFrom) != 1 || key.ExpiresAt == nil {
			t.Errorf("%s made the key %+v", path, key)
		}
	}
}

// A key that is revoked while it makes another makes none.
func TestARevokedKeyMakesNone(t *testing.T) {
	w := newWorld(t)
	c := &call{grant: event.Grant{KeyID: event.NewID(), ProjectID: w.project, Scopes: event.ScopeAll}, snap: w.catalog.Snapshot()}
	if _, err := w.api.keyFor(c, &keyBody{Name: "x"}); !errors.Is(err, errBadKey) {
		t.Errorf("got %v", err)
	}
}

func TestAnInstanceKeyHasNoOwner(t *testing.T) {
	w := newWorld(t)
	w.want(w.do("POST", "/api/v1/keys", `{"name":"x","owner_id":"o"}`), 400,
		"owner_id: belongs to a project's key; make one below /projects/{projectID}/keys, or leave it out")
	w.want(w.do("GET", "/api/v1/keys", "", as(w.key)...), 403, errInstanceOnly.message)
	_, id := w.newKey("/api/v1/keys", `{"name":"x"}`)
	w.want(w.do("GET", w.in("/keys/%s", id), ""), 404, "Resource not found")
}

func TestAddresses(t *testing.T) {
	w := newWorld(t)
	// httptest's requests come from 192.0.2.1.
	for ranges, message := range map[string]string{
		`["192.0.2.1"]`:                   "Endpoints fetched successfully",
		`["10.0.0.0/8","192.0.2.0/31"]`:   "Endpoints fetched successfully",
		`["192.0.2.2"]`:                   "this key may not be used from 192.0.2.1",
		`["::ffff:192.0.2.0/128","::/0"]`: "this key may not be used from 192.0.2.1",
	} {
		a := w.do("POST", w.in("/keys"), `{"name":"x","allow_from":`+ranges+`}`)
		if a.Code == 400 {
			continue // the catalog does not take the range
		}
		got := w.do("GET", w.in("/endpoints"), "", append(as(a.field("key").(string)), "X-Forwarded-For", "192.0.2.2", "X-Real-Ip", "192.0.2.2")...)
		if got.Message != message {
			t.Errorf("%s: got %d %q, want %q", ranges, got.Code, got.Message, message)
		}
	}
}

func TestAddressOf(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "192.0.2.1": "192.0.2.1", "[::ffff:192.0.2.1]:9": "192.0.2.1",
		"[fe80::1%eth0]:9": "fe80::1", "2001:db8::1": "2001:db8::1", "": "", "pipe": "", "@": "",
	} {
		addr, ok := addressOf(remote)
		if ok != (want != "") || ok && addr.String() != want {
			t.Errorf("%q is %v, %v; want %q", remote, addr, ok, want)
		}
	}
}

// A project's key finds its own project in the list of projects, and no other.
func TestAProjectKeyListsItsProject(t *testing.T) {
	w := newWorld(t)
	w.addProject(2)
	for key, want := range map[string]int{w.key: 1, catalogtest.InstanceKey: 2} {
		a := w.do("GET", "/api/v1/projects?orgID=whatever", "", as(key)...)
		w.want(a, 200, "Projects fetched successfully")
		var list []map[string]any
		if err := json.Unmarshal(a.Data, &list); err != nil || len(list) != want {
			t.Errorf("got %d projects, want %d: %s", len(list), want, a.body)
		}
	}
	w.want(w.do("POST", "/api/v1/projects", `{"name":"x"}`, as(w.key)...), 403, errInstanceOnly.message)
}
