package event

import (
	"net/netip"
	"slices"
	"testing"
)

func TestScopes(t *testing.T) {
	for s := Scope(0); s <= ScopeAll; s++ {
		if got, err := ParseScopes(s.Names()); err != nil || got != s {
			t.Errorf("%v of %d: %d, %v", s.Names(), s, got, err)
		}
	}
	if got := ScopeAll.Names(); !slices.Equal(got, []string{"ingest", "read", "manage"}) {
		t.Errorf("all scopes are %v", got)
	}
	if _, err := ParseScopes([]string{"read", "admin"}); err == nil {
		t.Error("an unknown scope is taken")
	}
	if ScopeRead.Has(ScopeRead|ScopeManage) || !ScopeAll.Has(ScopeManage) {
		t.Error("Has is wrong")
	}
}

func TestAGrantsAddresses(t *testing.T) {
	g := Grant{}
	if !g.From(netip.MustParseAddr("192.0.2.1")) {
		t.Error("a key without addresses may be used from anywhere")
	}
	g.AllowFrom = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128")}
	for addr, want := range map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "2001:db8::1": true, "2001:db8::2": false, "11.0.0.1": false} {
		if got := g.From(netip.MustParseAddr(addr)); got != want {
			t.Errorf("from %s: %v", addr, got)
		}
	}
}

func TestWhichEndpointsAGrantSees(t *testing.T) {
	mine, listed, foreign, nobodys := &Endpoint{ID: NewID(), OwnerID: "ann"}, &Endpoint{ID: NewID(), OwnerID: "ann"}, &Endpoint{ID: NewID(), OwnerID: "bob"}, &Endpoint{ID: NewID()}
	all := []*Endpoint{mine, listed, foreign, nobodys}
	for name, c := range map[string]struct {
		grant Grant
		sees  []*Endpoint
	}{
		"a project's key":               {Grant{}, all},
		"an owner's":                    {Grant{Portal: true, OwnerID: "ann"}, []*Endpoint{mine, listed}},
		"an owner's list":               {Grant{Portal: true, OwnerID: "ann", Endpoints: []ID{listed.ID}}, []*Endpoint{listed}},
		"a list that went to another":   {Grant{Portal: true, OwnerID: "ann", Endpoints: []ID{listed.ID, foreign.ID}}, []*Endpoint{listed}},
		"a list without owner":          {Grant{Portal: true, Endpoints: []ID{foreign.ID, nobodys.ID}}, []*Endpoint{foreign, nobodys}},
		"a portal's of nobody, no list": {Grant{Portal: true}, nil},
	} {
		var sees []*Endpoint
		for _, e := range all {
			if c.grant.SeesEndpoint(e) {
				sees = append(sees, e)
			}
		}
		if !slices.Equal(sees, c.sees) {
			t.Errorf("%s sees %d endpoints, want %d", name, len(sees), len(c.sees))
		}
	}
}
