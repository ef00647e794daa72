package catalog_test

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/catalog/catalogtest"
	"posthaste/event"
)

func TestKeyForm(t *testing.T) {
	w := setup(t)
	form := regexp.MustCompile(`^CO\.([0-9A-Za-z]{16})\.[0-9A-Za-z]{64}$`)
	key, text, err := w.CreateKey(event.APIKey{ProjectID: w.project.ID, Name: "ci"})
	must(t, err)
	m := form.FindStringSubmatch(text)
	if m == nil || m[1] != key.MaskID {
		t.Fatalf("key of mask %s does not have the form", key.MaskID)
	}
	if len(key.Digest) != 32 || bytes.Contains(key.Digest, []byte(text[20:])) || text == w.key {
		t.Error("the key is stored, or is the same twice")
	}
	if keys := w.Snapshot().Keys(w.project.ID); len(keys) != 2 || keys[1].Name != "ci" {
		t.Errorf("keys %+v", keys)
	}
}

func TestAuthenticate(t *testing.T) {
	w := setup(t)
	flip := func(s string, i int) string {
		b := []byte(s)
		if b[i]++; b[i] > 'y' {
			b[i] = 'a'
		}
		return string(b)
	}
	for name, c := range map[string]struct {
		token    string
		ok       bool
		instance bool
	}{
		"project key":               {w.key, true, false},
		"instance key":              {catalogtest.InstanceKey, true, true},
		"nothing":                   {"", false, false},
		"short":                     {"CO.x.y", false, false},
		"another secret":            {flip(w.key, len(w.key)-1), false, false},
		"another secret's start":    {flip(w.key, 20), false, false},
		"another mask":              {flip(w.key, 5), false, false},
		"another prefix":            {"XX." + w.key[3:], false, false},
		"cut":                       {w.key[:len(w.key)-1], false, false},
		"longer":                    {w.key + "a", false, false},
		"dot missing":               {w.key[:19] + "x" + w.key[20:], false, false},
		"instance key cut":          {catalogtest.InstanceKey[:len(catalogtest.InstanceKey)-1], false, false},
		"instance key longer":       {catalogtest.InstanceKey + "x", false, false},
		"very long":                 {strings.Repeat("k", 100_000), false, false},
		"the mask and no secret":    {w.key[:20] + strings.Repeat("A", 64), false, false},
		"bearer still in front":     {"Bearer " + w.key, false, false},
		"another letter case":       {strings.ToLower(w.key), false, false},
		"space behind":              {w.key + " ", false, false},
		"instance key letter case":  {strings.ToUpper(catalogtest.InstanceKey), false, false},
		"as long as a key, no form": {strings.Repeat(".", len(w.key)), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			grant, ok := w.Authenticate([]byte(c.token))
			if ok != c.ok || grant.Instance != c.instance {
				t.Fatalf("grants %+v, %v", grant, ok)
			}
			want := event.ID{}
			if c.ok && !c.instance {
				want = w.project.ID
			}
			if grant.ProjectID != want || (ok && !c.instance) == grant.KeyID.IsZero() {
				t.Errorf("grants %+v, want project %s", grant, want)
			}
		})
	}
}

func TestKeyExpiry(t *testing.T) {
	w := setup(t)
	end := w.clock.Now().Add(time.Hour)
	_, text, err := w.CreateKey(event.APIKey{ProjectID: w.project.ID, Name: "short", ExpiresAt: &end})
	must(t, err)
	w.clock.Advance(time.Hour - 1)
	if _, ok := w.Authenticate([]byte(text)); !ok {
		t.Error("the key ended early")
	}
	w.clock.Advance(1)
	if _, ok := w.Authenticate([]byte(text)); ok {
		t.Error("the key outlived its end")
	}
	if _, ok := w.open(t).Authenticate([]byte(text)); ok {
		t.Error("the key came back after a restart")
	}
	_, _, err = w.CreateKey(event.APIKey{ProjectID: w.project.ID, Name: "late", ExpiresAt: &end})
	wantInvalid(t, err, "expires_at")
}

func TestKeyRefused(t *testing.T) {
	w := setup(t)
	_, _, err := w.CreateKey(event.APIKey{ProjectID: event.NewID(), Name: "ci"})
	wantIs(t, err, event.ErrNotFound)
	_, _, err = w.CreateKey(event.APIKey{ProjectID: w.project.ID, Name: ""})
	wantInvalid(t, err, "name")
}

func TestDeleteKey(t *testing.T) {
	w := setup(t)
	key, text, err := w.CreateKey(event.APIKey{ProjectID: w.project.ID, Name: "ci"})
	must(t, err)
	wantIs(t, w.DeleteKey(event.NewID(), key.ID), event.ErrNotFound)
	must(t, w.DeleteKey(w.project.ID, key.ID))
	if _, ok := w.Authenticate([]byte(text)); ok {
		t.Error("a deleted key still works")
	}
	if _, ok := w.Authenticate([]byte(w.key)); !ok {
		t.Error("another key stopped working")
	}
	wantIs(t, w.DeleteKey(w.project.ID, key.ID), event.ErrNotFound)
}

func TestKeyValidation(t *testing.T) {
	w := setup(t)
	many := make([]string, event.MaxAllowFrom+1)
	for i := range many {
		many[i] = "10.0.0.1"
	}
	p := w.project.ID
	for name, c := range map[string]struct {
		key   event.APIKey
		field string
	}{
		"plain":           {event.APIKey{ProjectID: p, Name: "k"}, ""},
		"instance":        {event.APIKey{Name: "k"}, ""},
		"owner":           {event.APIKey{ProjectID: p, Name: "k", OwnerID: "o"}, ""},
		"owner, no name":  {event.APIKey{ProjectID: p, OwnerID: "o"}, "name"},
		"owner, nowhere":  {event.APIKey{Name: "k", OwnerID: "o"}, "owner_id"},
		"owner, long":     {event.APIKey{ProjectID: p, Name: "k", OwnerID: strings.Repeat("o", event.MaxNameBytes+1)}, "owner_id"},
		"owner, ingest":   {event.APIKey{ProjectID: p, Name: "k", OwnerID: "o", Scopes: event.ScopeAll}, "scopes"},
		"owner, read":     {event.APIKey{ProjectID: p, Name: "k", OwnerID: "o", Scopes: event.ScopeRead}, ""},
		"unknown scope":   {event.APIKey{ProjectID: p, Name: "k", Scopes: 8}, "scopes"},
		"addresses":       {event.APIKey{ProjectID: p, Name: "k", AllowFrom: []string{"10.0.0.1", "::1", "10.0.0.0/8", "2001:db8::/32"}}, ""},
		"no address":      {event.APIKey{ProjectID: p, Name: "k", AllowFrom: []string{"10.0.0.1", "localhost"}}, "allow_from[1]"},
		"empty address":   {event.APIKey{ProjectID: p, Name: "k", AllowFrom: []string{""}}, "allow_from[0]"},
		"zone":            {event.APIKey{ProjectID: p, Name: "k", AllowFrom: []string{"fe80::1%eth0"}}, "allow_from[0]"},
		"no range":        {event.APIKey{ProjectID: p, Name: "k", AllowFrom: []string{"10.0.0.0/33"}}, "allow_from[0]"},
		"mapped and more": {event.APIKey{ProjectID: p, Name: "k", AllowFrom: []string{"::ffff:0:0/90"}}, "allow_from[0]"},
		"too many":        {event.APIKey{ProjectID: p, Name: "k", AllowFrom: many}, "allow_from"},
	} {
		t.Run(name, func(t *testing.T) {
			_, text, err := w.CreateKey(c.key)
			wantInvalid(t, err, c.field)
			if _, ok := w.Authenticate([]byte(text)); ok != (err == nil) {
				t.Errorf("authenticated: %v", ok)
			}
		})
	}
}

func TestGrants(t *testing.T) {
	w := setup(t)
	p := w.project.ID
	for name, c := range map[string]struct {
		key  event.APIKey
		want event.Grant
	}{
		"project":        {event.APIKey{ProjectID: p}, event.Grant{ProjectID: p, Scopes: event.ScopeAll}},
		"instance":       {event.APIKey{}, event.Grant{Instance: true, Scopes: event.ScopeAll}},
		"instance, read": {event.APIKey{Scopes: event.ScopeRead}, event.Grant{Instance: true, Scopes: event.ScopeRead}},
		"ingest":         {event.APIKey{ProjectID: p, Scopes: event.ScopeIngest}, event.Grant{ProjectID: p, Scopes: event.ScopeIngest}},
		"owner":          {event.APIKey{ProjectID: p, OwnerID: "o"}, event.Grant{ProjectID: p, Scopes: event.ScopeRead | event.ScopeManage, Portal: true, OwnerID: "o"}},
		"owner, read":    {event.APIKey{ProjectID: p, OwnerID: "o", Scopes: event.ScopeRead}, event.Grant{ProjectID: p, Scopes: event.ScopeRead, Portal: true, OwnerID: "o"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.key.Name = "k"
			key, text, err := w.CreateKey(c.key)
			must(t, err)
			c.want.KeyID = key.ID
			for _, c2 := range []*catalog.Catalog{w.Catalog, w.open(t)} {
				if got, ok := c2.Authenticate([]byte(text)); !ok || !reflect.DeepEqual(got, c.want) {
					t.Errorf("grant %+v %v\nwant  %+v", got, ok, c.want)
				}
			}
		})
	}
}

func TestKeyAddresses(t *testing.T) {
	w := setup(t)
	given := []string{"10.1.2.3", "192.168.0.77/16", "2001:DB8::/32", "::ffff:172.16.0.1", "::ffff:100.64.0.0/106", "10.1.2.3/32"}
	key, text, err := w.CreateKey(event.APIKey{ProjectID: w.project.ID, Name: "k", AllowFrom: given})
	must(t, err)
	if want := []string{"10.1.2.3", "192.168.0.0/16", "2001:db8::/32", "172.16.0.1", "100.64.0.0/10"}; !slices.Equal(key.AllowFrom, want) {
		t.Errorf("addresses %q, want %q", key.AllowFrom, want)
	}
	for _, c := range []*catalog.Catalog{w.Catalog, w.open(t)} {
		grant, _ := c.Authenticate([]byte(text))
		for addr, want := range map[string]bool{
			"10.1.2.3": true, "10.1.2.4": false, "::ffff:10.1.2.3": true, "192.168.255.1": true, "192.169.0.1": false, "2001:db8::9": true,
			"2001:db9::9": false, "172.16.0.1": true, "100.127.0.1": true, "100.128.0.1": false,
		} {
			if got := grant.From(netip.MustParseAddr(addr)); got != want {
				t.Errorf("%s: %v, want %v", addr, got, want)
			}
		}
	}
}

func TestInstanceKeys(t *testing.T) {
	w := setup(t)
	key, text, err := w.CreateKey(event.APIKey{Name: "ops"})
	must(t, err)
	if keys := w.Snapshot().Keys(event.ID{}); len(keys) != 1 || keys[0].ID != key.ID {
		t.Errorf("instance keys %+v", keys)
	}
	if got, ok := w.Snapshot().Key(event.ID{}, key.ID); !ok || got.Name != "ops" {
		t.Errorf("key %+v %v", got, ok)
	}
	if _, ok := w.Snapshot().Key(w.project.ID, key.ID); ok || len(w.Snapshot().Keys(w.project.ID)) != 1 {
		t.Error("the project has the instance's key")
	}
	must(t, w.DeleteProject(w.project.ID))
	if _, ok := w.open(t).Authenticate([]byte(text)); !ok {
		t.Error("the instance's key went with a project")
	}
	wantIs(t, w.DeleteKey(w.project.ID, key.ID), event.ErrNotFound)
	must(t, w.DeleteKey(event.ID{}, key.ID))
	if _, ok := w.Authenticate([]byte(text)); ok {
		t.Error("a deleted key still works")
	}
}

func TestLastUse(t *testing.T) {
	w := setup(t)
	key, text, err := w.CreateKey(event.APIKey{ProjectID: w.project.ID, Name: "k"})
	must(t, err)
	used := func(c *catalog.Catalog) string {
		k, _ := c.Snapshot().Key(w.project.ID, key.ID)
		if list := c.Snapshot().Keys(w.project.ID); !reflect.DeepEqual(list[len(list)-1], k) {
			t.Errorf("listed as %+v, alone %+v", list[len(list)-1], k)
		}
		if k.LastUsedAt == nil {
			return "never"
		}
		return k.LastUsedAt.Sub(key.CreatedAt).String()
	}
	at := func(d time.Duration, want, stored string) {
		t.Helper()
		w.clock.Advance(d)
		w.Authenticate([]byte(text))
		w.Authenticate([]byte(text[:len(text)-1] + "!")) // is no use
		if got := used(w.Catalog); got != want {
			t.Errorf("last used %s, want %s", got, want)
		}
		if got := used(w.open(t)); got != stored {
			t.Errorf("stored as last used %s, want %s", got, stored)
		}
	}
	if used(w.Catalog) != "never" {
		t.Errorf("a new key was used %s", used(w.Catalog))
	}
	at(time.Second, "1s", "never")
	must(t, w.FlushKeyUse())
	at(59*time.Second, "1s", "1s") // not a minute later
	at(time.Second, "1m1s", "1s")
	quiet, before := true, w.store.Len()
	defer w.Watch(func(catalog.Change) { quiet = false })()
	must(t, w.FlushKeyUse())
	at(time.Hour, "1h1m1s", "1m1s")
	w.store.Fail(errors.New("disk"))
	if w.FlushKeyUse() == nil {
		t.Error("a failed write is not told")
	}
	w.store.Fail(nil)
	must(t, w.FlushKeyUse())
	w.store.Fail(errors.New("disk"))
	must(t, w.FlushKeyUse()) // nothing to write
	w.store.Fail(nil)
	at(time.Second, "1h1m1s", "1h1m1s")
	if !quiet || w.store.Len() != before {
		t.Error("watchers were told, or records made")
	}
	must(t, w.DeleteKey(w.project.ID, key.ID))
	must(t, w.FlushKeyUse())
	if _, ok := w.open(t).Snapshot().Key(w.project.ID, key.ID); ok {
		t.Error("the key came back")
	}
}

// Uses, flushes and deletions at once: run with -race.
func TestFlushKeyUseRace(t *testing.T) {
	w := setup(t)
	var texts []string
	var keys []event.APIKey
	for range 16 {
		k, text, err := w.CreateKey(event.APIKey{ProjectID: w.project.ID, Name: "k"})
		must(t, err)
		keys, texts = append(keys, k), append(texts, text)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				w.clock.Advance(time.Minute)
				for _, text := range texts {
					w.Authenticate([]byte(text))
				}
				w.Snapshot().Keys(w.project.ID)
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			if err := w.FlushKeyUse(); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for _, k := range keys[:8] {
			if err := w.DeleteKey(w.project.ID, k.ID); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	must(t, w.FlushKeyUse())
	if before, after := contents(w.Catalog), contents(w.open(t)); !reflect.DeepEqual(before, after) {
		t.Error("a restart changed what is stored")
	}
	if n := len(w.Snapshot().Keys(w.project.ID)); n != 1+8 {
		t.Errorf("%d keys are left", n)
	}
}
