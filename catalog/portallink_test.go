package catalog_test

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

func (w *world) owned(t testing.TB, owner string) *catalog.Endpoint {
	t.Helper()
	e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", OwnerID: owner})
	must(t, err)
	return e
}

func (w *world) link(t testing.TB, authType string, change ...func(*event.PortalLink)) *event.PortalLink {
	t.Helper()
	l := event.PortalLink{ProjectID: w.project.ID, Name: "l", OwnerID: "o", AuthType: authType}
	for _, f := range change {
		f(&l)
	}
	made, err := w.CreatePortalLink(l)
	must(t, err)
	return made
}

func TestPortalLinkValidation(t *testing.T) {
	w := setup(t)
	mine, other, nobodys := w.owned(t, "o").ID, w.owned(t, "p").ID, w.endpoint(t, "e").ID
	for name, c := range map[string]struct {
		change func(*event.PortalLink)
		field  string
	}{
		"plain":             {func(l *event.PortalLink) {}, ""},
		"no name":           {func(l *event.PortalLink) { l.Name = "" }, "name"},
		"no owner":          {func(l *event.PortalLink) { l.OwnerID = "" }, "owner_id"},
		"long owner":        {func(l *event.PortalLink) { l.OwnerID = strings.Repeat("o", event.MaxNameBytes+1) }, "owner_id"},
		"refresh":           {func(l *event.PortalLink) { l.AuthType = event.PortalRefresh }, ""},
		"one time":          {func(l *event.PortalLink) { l.AuthType = event.PortalOneTime }, ""},
		"unknown type":      {func(l *event.PortalLink) { l.AuthType = "password" }, "auth_type"},
		"endpoints":         {func(l *event.PortalLink) { l.Endpoints = []event.ID{mine, mine} }, ""},
		"endpoints alone":   {func(l *event.PortalLink) { l.OwnerID, l.Endpoints = "", []event.ID{mine, other, nobodys} }, ""},
		"another owner's":   {func(l *event.PortalLink) { l.Endpoints = []event.ID{mine, other} }, "endpoints[1]"},
		"nobody's":          {func(l *event.PortalLink) { l.Endpoints = []event.ID{nobodys} }, "endpoints[0]"},
		"no such endpoint":  {func(l *event.PortalLink) { l.Endpoints = []event.ID{event.NewID()} }, "endpoints[0]"},
		"too many":          {func(l *event.PortalLink) { l.Endpoints = make([]event.ID, event.MaxPortalEndpoints+1) }, "endpoints"},
		"ended":             {func(l *event.PortalLink) { l.ExpiresAt = new(w.clock.Now()) }, "expires_at"},
		"ends":              {func(l *event.PortalLink) { l.ExpiresAt = new(w.clock.Now().Add(1)) }, ""},
		"endpoints of none": {func(l *event.PortalLink) { l.Endpoints = []event.ID{} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := event.PortalLink{ProjectID: w.project.ID, Name: "l", OwnerID: "o"}
			c.change(&l)
			_, err := w.CreatePortalLink(l)
			wantInvalid(t, err, c.field)
		})
	}
	_, err := w.CreatePortalLink(event.PortalLink{ProjectID: event.NewID(), Name: "l", OwnerID: "o"})
	wantIs(t, err, event.ErrNotFound)
}

func TestCreatePortalLinkFillsDefaults(t *testing.T) {
	w := setup(t)
	e := w.owned(t, "o").ID
	l := w.link(t, "", func(l *event.PortalLink) {
		l.Token, l.UsedAt, l.Endpoints = "PL.mine", new(time.Now()), []event.ID{e, e}
	})
	if l.AuthType != event.PortalStatic || l.UsedAt != nil || !slices.Equal(l.Endpoints, []event.ID{e}) {
		t.Errorf("link %+v", l)
	}
	if !regexp.MustCompile(`^PL\.[0-9A-Za-z]{16}\.[0-9A-Za-z]{32}$`).MatchString(l.Token) || l.Token == w.link(t, "").Token {
		t.Errorf("token %q", l.Token)
	}
}

func TestUpdatePortalLink(t *testing.T) {
	w := setup(t)
	e := w.owned(t, "o").ID
	l := w.link(t, event.PortalStatic, func(l *event.PortalLink) {
		l.Endpoints, l.ExpiresAt = []event.ID{e}, new(w.clock.Now().Add(time.Hour))
	})
	old := *l
	w.clock.Advance(2 * time.Hour)
	must(t, w.DeleteEndpoint(w.project.ID, e))
	// What it has already does not stand in the way of a change.
	got, err := w.UpdatePortalLink(w.project.ID, l.ID, func(l *event.PortalLink) error {
		l.ID, l.ProjectID, l.Token, l.CreatedAt, l.UsedAt = event.NewID(), event.NewID(), "x", time.Time{}, &l.UpdatedAt
		l.Name, l.CanManageEndpoint = "new", true
		return nil
	})
	must(t, err)
	want := old
	want.Name, want.CanManageEndpoint, want.UpdatedAt = "new", true, w.clock.Now()
	if !reflect.DeepEqual(*got, want) || !reflect.DeepEqual(*l, old) {
		t.Errorf("link %+v\nwant %+v", got, want)
	}
	_, err = w.UpdatePortalLink(w.project.ID, l.ID, func(l *event.PortalLink) error { l.OwnerID = "p"; return nil })
	wantInvalid(t, err, "endpoints[0]")
	_, err = w.UpdatePortalLink(w.project.ID, l.ID, func(l *event.PortalLink) error { l.ExpiresAt = new(l.CreatedAt); return nil })
	wantInvalid(t, err, "expires_at")
	_, err = w.UpdatePortalLink(event.NewID(), l.ID, func(*event.PortalLink) error { return nil })
	wantIs(t, err, event.ErrNotFound)
	no := errors.New("no")
	_, err = w.UpdatePortalLink(w.project.ID, l.ID, func(l *event.PortalLink) error { l.Endpoints[0] = event.ID{}; return no })
	wantIs(t, err, no)
	if w.Snapshot().PortalLink(w.project.ID, l.ID) != got || got.Endpoints[0] != e || w.Snapshot().PortalLink(event.NewID(), l.ID) != nil {
		t.Error("a refused change shows, or another project sees the link")
	}
	if list := w.Snapshot().PortalLinks(w.project.ID, event.Range{Limit: 9}, nil); len(list) != 1 || list[0] != got {
		t.Errorf("listed %v", list)
	}
}

func TestPortalGrant(t *testing.T) {
	w := setup(t)
	e := w.owned(t, "o").ID
	manage := func(l *event.PortalLink) { l.CanManageEndpoint = true }
	for name, c := range map[string]struct {
		link *event.PortalLink
		want event.Grant
	}{
		"reads":     {w.link(t, event.PortalStatic), event.Grant{Scopes: event.ScopeRead, OwnerID: "o"}},
		"manages":   {w.link(t, event.PortalStatic, manage), event.Grant{Scopes: event.ScopeRead | event.ScopeManage, OwnerID: "o"}},
		"endpoints": {w.link(t, event.PortalStatic, func(l *event.PortalLink) { l.OwnerID, l.Endpoints = "", []event.ID{e} }), event.Grant{Scopes: event.ScopeRead, Endpoints: []event.ID{e}}},
		"refresh":   {w.link(t, event.PortalRefresh), event.Grant{Scopes: event.ScopeRead, OwnerID: "o"}},
		"one time":  {w.link(t, event.PortalOneTime, manage), event.Grant{Scopes: event.ScopeRead | event.ScopeManage, OwnerID: "o"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Portal, c.want.ProjectID, c.want.KeyID = true, w.project.ID, c.link.ID
			short, _, err := w.IssuePortalToken(w.project.ID, c.link.ID)
			must(t, err)
			for _, c2 := range []*catalog.Catalog{w.Catalog, w.open(t)} {
				if got, ok := c2.Authenticate([]byte(short)); !ok || !reflect.DeepEqual(got, c.want) {
					t.Errorf("short token: %+v %v\nwant %+v", got, ok, c.want)
				}
				got, ok := c2.Authenticate([]byte(c.link.Token))
				if isKey := c.link.AuthType == event.PortalStatic; ok != isKey || ok && !reflect.DeepEqual(got, c.want) {
					t.Errorf("its own token: %+v %v\nwant %+v", got, ok, c.want)
				}
			}
		})
	}
}

func TestPortalTokensEnd(t *testing.T) {
	w := setup(t)
	valid := func(token string) bool { _, ok := w.Authenticate([]byte(token)); return ok }
	l := w.link(t, event.PortalStatic)
	short, end, err := w.IssuePortalToken(w.project.ID, l.ID)
	must(t, err)
	if want := w.clock.Now().Add(event.PortalTokenTTL); !end.Equal(want) {
		t.Errorf("ends at %s, want %s", end, want)
	}
	w.clock.Advance(event.PortalTokenTTL - 1)
	if !valid(short) || !valid(l.Token) {
		t.Error("a token ended early")
	}
	w.clock.Advance(1)
	if valid(short) || !valid(l.Token) {
		t.Error("the short token did not end, or the link's own did")
	}

	soon := w.link(t, event.PortalStatic, func(l *event.PortalLink) { l.ExpiresAt = new(w.clock.Now().Add(time.Minute)) })
	short, end, err = w.IssuePortalToken(w.project.ID, soon.ID)
	must(t, err)
	if !end.Equal(*soon.ExpiresAt) {
		t.Errorf("ends at %s, and its link at %s", end, soon.ExpiresAt)
	}
	w.clock.Advance(time.Minute)
	if valid(short) || valid(soon.Token) {
		t.Error("a token outlived its link")
	}
	_, _, err = w.IssuePortalToken(w.project.ID, soon.ID)
	wantIs(t, err, event.ErrConflict)
	if _, _, ok, err := w.ExchangePortalToken([]byte(soon.Token)); ok || err != nil {
		t.Errorf("an ended link's token was exchanged: %v", err)
	}

	short, _, err = w.IssuePortalToken(w.project.ID, l.ID)
	must(t, err)
	must(t, w.RevokePortalLink(w.project.ID, l.ID))
	if valid(short) || valid(l.Token) || w.Snapshot().PortalLink(w.project.ID, l.ID) != nil {
		t.Error("something works after the link was revoked")
	}
	wantIs(t, w.RevokePortalLink(w.project.ID, l.ID), event.ErrNotFound)
	_, _, err = w.IssuePortalToken(w.project.ID, l.ID)
	wantIs(t, err, event.ErrNotFound)
	_, _, err = w.IssuePortalToken(event.NewID(), soon.ID)
	wantIs(t, err, event.ErrNotFound)
}

func TestPortalTokensCannotBeMade(t *testing.T) {
	w := setup(t)
	l := w.link(t, event.PortalStatic)
	short, _, err := w.IssuePortalToken(w.project.ID, l.ID)
	must(t, err)
	if again, _, _ := w.IssuePortalToken(w.project.ID, l.ID); again == short {
		t.Error("the same token twice")
	}
	for _, token := range []string{short, l.Token} {
		for i := range token {
			for _, c := range []byte{'A', 'B', '.', '-', '\n', 0, 0xff} {
				if token[i] == c {
					continue
				}
				forged := []byte(token)
				forged[i] = c
				if _, ok := w.Authenticate(forged); ok {
					t.Errorf("%q is a key", forged)
				}
			}
			if _, ok := w.Authenticate([]byte(token[:i])); ok {
				t.Errorf("%q is a key", token[:i])
			}
		}
		for _, more := range []string{token + "A", token + "=", token + "\n", "Bearer " + token} {
			if _, ok := w.Authenticate([]byte(more)); ok {
				t.Errorf("%q is a key", more)
			}
		}
	}
	o := options(w)
	o.Pepper = []byte("another pepper of 32 bytes......")
	other, err := catalog.Open(w.store, o)
	must(t, err)
	if _, ok := other.Authenticate([]byte(short)); ok {
		t.Error("a short token outlived its pepper")
	}
	if _, ok := other.Authenticate([]byte(l.Token)); !ok {
		t.Error("a link's token did not outlive the pepper, though it is stored")
	}
}

func TestExchangePortalToken(t *testing.T) {
	w := setup(t)
	static, refresh, once := w.link(t, event.PortalStatic), w.link(t, event.PortalRefresh), w.link(t, event.PortalOneTime)
	exchange := func(c *catalog.Catalog, token string, want bool) {
		t.Helper()
		short, end, ok, err := c.ExchangePortalToken([]byte(token))
		must(t, err)
		if _, valid := c.Authenticate([]byte(short)); ok != want || valid != want || end.IsZero() == want {
			t.Errorf("exchanged %v until %s, valid %v; want %v", ok, end, valid, want)
		}
	}
	exchange(w.Catalog, static.Token, true)
	exchange(w.Catalog, static.Token, true)
	exchange(w.Catalog, refresh.Token, false)
	for _, token := range []string{"", "PL.", once.Token[1:], once.Token[:len(once.Token)-1] + "!", w.key} {
		exchange(w.Catalog, token, false)
	}
	broken := errors.New("disk")
	w.store.Fail(broken)
	_, _, ok, err := w.ExchangePortalToken([]byte(once.Token))
	if wantIs(t, err, broken); ok {
		t.Error("exchanged though it could not be written down")
	}
	w.store.Fail(nil)
	exchange(w.Catalog, once.Token, true)
	exchange(w.Catalog, once.Token, false)
	exchange(w.open(t), once.Token, false)
	if got := w.Snapshot().PortalLink(w.project.ID, once.ID); got.UsedAt == nil || !got.UsedAt.Equal(w.clock.Now()) {
		t.Errorf("used at %v", got.UsedAt)
	}
	got, err := w.UpdatePortalLink(w.project.ID, once.ID, func(l *event.PortalLink) error { l.Name, l.UsedAt = "n", nil; return nil })
	must(t, err)
	exchange(w.Catalog, once.Token, false)
	if got.UsedAt == nil {
		t.Error("a change made the link one that was not used")
	}
	got, err = w.UpdatePortalLink(w.project.ID, once.ID, func(l *event.PortalLink) error { l.AuthType = event.PortalStatic; return nil })
	must(t, err)
	exchange(w.Catalog, once.Token, true)
	if got.UsedAt != nil {
		t.Error("a static link is marked as used")
	}
}

// Of any number of callers at once, one gets a token.
func TestExchangePortalTokenRace(t *testing.T) {
	w := setup(t)
	for range 10 {
		l := w.link(t, event.PortalOneTime)
		var wg sync.WaitGroup
		var won atomic.Int32
		for range 8 {
			wg.Go(func() {
				_, _, ok, err := w.ExchangePortalToken([]byte(l.Token))
				if err != nil {
					t.Error(err)
				}
				if ok {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d callers got a token, want 1", won.Load())
		}
	}
}
