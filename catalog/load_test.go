package catalog_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/catalog/catalogtest"
	"posthaste/event"
)

// contents is everything in a catalog that is stored.
func contents(c *catalog.Catalog) map[event.ID]any {
	s, all, out := c.Snapshot(), event.Range{Limit: 1 << 30}, make(map[event.ID]any)
	for _, k := range s.Keys(event.ID{}) {
		out[k.ID] = k
	}
	for _, p := range s.Projects(all) {
		out[p.ID] = p.Project
		for _, t := range s.EventTypes(p.ID) {
			out[t.ID] = *t
		}
		for _, src := range s.Sources(p.ID, all, nil) {
			out[src.ID] = *src
		}
		for _, l := range s.PortalLinks(p.ID, all, nil) {
			out[l.ID] = *l
		}
		for _, a := range s.Applications(p.ID, all, nil) {
			out[a.ID] = *a
		}
		for _, k := range s.Keys(p.ID) {
			out[k.ID] = k
		}
		for _, sub := range s.Subscriptions(p.ID, all, nil) {
			out[sub.ID] = *sub
		}
		for _, e := range s.Endpoints(p.ID, all, nil) {
			out[e.ID] = []any{e.Endpoint, e.Hash(), e.Limit(), e.Timeout(), ids(e.Subscriptions(), func(s *catalog.Subscription) event.ID { return s.ID })}
		}
	}
	return out
}

func TestReopenGivesTheSameState(t *testing.T) {
	w := setup(t)
	_, err := w.UpdateProject(w.project.ID, func(p *event.Project) error {
		p.Config.MultipleEndpointSubscriptions = true
		return nil
	})
	must(t, err)
	for i := range 200 {
		e, err := w.CreateEndpoint(event.Endpoint{
			ProjectID: w.project.ID, Name: "é", URL: "https://x/?a=<b>&c", OwnerID: "owner", RateLimit: i, RateLimitDuration: 30,
			Authentication: &event.Authentication{Type: "api_key", APIKey: &event.APIKeyAuth{HeaderName: "X-Key", HeaderValue: "v"}},
		})
		must(t, err)
		for range i % 3 {
			w.subscription(t, e, "x", "y")
		}
	}
	rotated := w.endpoint(t, "rotated")
	_, err = w.UpdateEndpoint(w.project.ID, rotated.ID, func(e *event.Endpoint) error {
		e.Secrets[0].ExpiresAt = new(time.Now().Add(1e6 * time.Hour))
		e.Secrets = append(e.Secrets, event.Secret{Value: "n"})
		return nil
	})
	must(t, err)
	must(t, w.DeleteEndpoint(w.project.ID, w.endpoint(t, "gone").ID))
	_, _, err = w.CreateKey(event.APIKey{ProjectID: w.project.ID, Name: "k", ExpiresAt: new(time.Now().Add(1e6 * time.Hour))})
	must(t, err)

	again := w.open(t)
	if before, after := contents(w.Catalog), contents(again); !reflect.DeepEqual(before, after) {
		t.Errorf("%d objects before, %d after", len(before), len(after))
		for id := range before {
			if !reflect.DeepEqual(before[id], after[id]) {
				t.Errorf("%s\n before %+v\n after  %+v", id, before[id], after[id])
			}
		}
	}
	if _, ok := again.Authenticate([]byte(w.key)); !ok {
		t.Error("the key does not work after the restart")
	}
	// Revisions survive: a write of the reopened catalog is taken.
	_, err = again.UpdateEndpoint(w.project.ID, rotated.ID, func(e *event.Endpoint) error { e.Name = "r2"; return nil })
	must(t, err)
}

func TestOpenRefusesWhatItCannotRead(t *testing.T) {
	id, missing := event.NewID(), event.NewID()
	project := event.Project{ID: id, Config: event.DefaultProjectConfig()}
	project.Config.Signature.Versions[0].Hash = "CRC32"
	secret := []event.Secret{{Value: "s"}}
	ended := []event.Secret{{Value: "s", ExpiresAt: new(time.Now())}}
	digest, mask := make([]byte, 32), "0123456789abcdef"
	sourceMask, open := mask+"01234567", &event.Verifier{Type: event.VerifyHMac, HMac: &event.HMacVerifier{Hash: "SHA256"}}
	token := "PL." + mask + "." + mask + mask
	raw := func(kind byte, value string) event.CatalogRecord {
		return event.CatalogRecord{Kind: kind, ID: id, Rev: 1, Value: []byte(value)}
	}
	for name, c := range map[string]struct {
		rec  event.CatalogRecord
		want string
	}{
		"newer project":        {raw('p', "\x03{}"), "version 3"},
		"newer endpoint":       {raw('e', "\x03"), "version 3"},
		"newer subscription":   {raw('s', "\x03"), "version 3"},
		"newer key":            {raw('k', "\x03{}"), "version 3"},
		"newer source":         {raw('o', "\x03{}"), "version 3"},
		"older source":         {raw('o', "\x01{}"), "version 1"},
		"newer link":           {raw('l', "\x03{}"), "version 3"},
		"newer application":    {raw('a', "\x03{}"), "version 3"},
		"source, not JSON":     {raw('o', "\x02\x00\x01{"), "JSON"},
		"source, flags":        {raw('o', "\x02\x02\x00"), "flags"},
		"application, no JSON": {raw('a', "\x01{"), "JSON"},
		"another's source":     {catalog.RecordOf(nil, 'o', id, &event.Source{ID: missing}), "holds the object " + missing.String()},
		"another's link":       {catalog.RecordOf(nil, 'l', id, &event.PortalLink{ID: missing}), "holds the object " + missing.String()},
		"another's app":        {catalog.RecordOf(nil, 'a', id, &event.Application{ID: missing}), "holds the object " + missing.String()},
		"source of nobody":     {catalog.RecordOf(nil, 'o', id, &event.Source{ID: id, ProjectID: missing, MaskID: sourceMask}), "names project " + missing.String()},
		"source's mask":        {catalog.RecordOf(nil, 'o', id, &event.Source{ID: id, MaskID: mask}), "mask id"},
		"source's secret":      {catalog.RecordOf(nil, 'o', id, &event.Source{ID: id, MaskID: sourceMask, Verifier: open}), "no secret"},
		"link of nobody":       {catalog.RecordOf(nil, 'l', id, &event.PortalLink{ID: id, ProjectID: missing, Token: token}), "names project " + missing.String()},
		"link's token":         {catalog.RecordOf(nil, 'l', id, &event.PortalLink{ID: id, Token: token[1:]}), "token"},
		"application nowhere":  {catalog.RecordOf(nil, 'a', id, &event.Application{ID: id, ProjectID: missing}), "names project " + missing.String()},
		"key's addresses":      {catalog.RecordOf(nil, 'k', id, &event.APIKey{ID: id, MaskID: mask, Digest: digest, AllowFrom: []string{"x"}}), "allow_from[0]"},
		"unknown kind":         {raw('z', "\x01{}"), "kind 'z'"},
		"empty":                {raw('e', ""), "cut short"},
		"not JSON":             {raw('p', "\x01{"), "JSON"},
		"not packed":           {raw('s', "\x01{}"), "cut short"},
		"another's project":    {catalog.RecordOf(nil, 'p', id, &event.Project{ID: missing}), "holds the object " + missing.String()},
		"another's endpoint":   {catalog.RecordOf(nil, 'e', id, &event.Endpoint{ID: missing}), "holds the object " + missing.String()},
		"another's sub":        {catalog.RecordOf(nil, 's', id, &event.Subscription{ID: missing}), "holds the object " + missing.String()},
		"another's key":        {catalog.RecordOf(nil, 'k', id, &event.APIKey{ID: missing}), "holds the object " + missing.String()},
		"unknown hash":         {catalog.RecordOf(nil, 'p', id, &project), "signature.versions[0]"},
		"no secret":            {catalog.RecordOf(nil, 'e', id, &event.Endpoint{ID: id}), "no secret"},
		"no secret that lasts": {catalog.RecordOf(nil, 'e', id, &event.Endpoint{ID: id, Secrets: ended}), "no secret"},
		"short digest":         {catalog.RecordOf(nil, 'k', id, &event.APIKey{ID: id, MaskID: mask, Digest: digest[1:]}), "digest"},
		"short mask":           {catalog.RecordOf(nil, 'k', id, &event.APIKey{ID: id, MaskID: mask[1:], Digest: digest}), "mask id"},
		"endpoint of nobody":   {catalog.RecordOf(nil, 'e', id, &event.Endpoint{ID: id, ProjectID: missing, Secrets: secret}), "names project " + missing.String()},
		"subscription nowhere": {catalog.RecordOf(nil, 's', id, &event.Subscription{ID: id, EndpointID: missing}), "names endpoint " + missing.String()},
		"key of nobody":        {catalog.RecordOf(nil, 'k', id, &event.APIKey{ID: id, ProjectID: missing, MaskID: mask, Digest: digest}), "names project " + missing.String()},
	} {
		t.Run(name, func(t *testing.T) {
			w := setup(t)
			must(t, w.store.CASCatalog([]event.CatalogRecord{c.rec}))
			_, err := catalog.Open(w.store, options(w))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestOpenNamesTheFirstBadRecord: whichever goroutine sees it, and whatever is behind it.
func TestOpenNamesTheFirstBadRecord(t *testing.T) {
	bad := []byte("\x02")
	g := newGenerated(nil, 3000, 3000)
	last := len(g.records) - 1
	g.records[last].Kind = 'z'
	for _, at := range []int{last, 4500, 3001, 2999, 1100, 600, 599, 1} {
		g.records[at].Value = bad
		_, err := catalog.Open(g, catalogtest.Options())
		if rec := g.records[at]; err == nil || !strings.Contains(err.Error(), fmt.Sprintf("record %q %s: ", rec.Kind, rec.ID)) {
			t.Errorf("record %d is bad: %v", at, err)
		}
	}
}

func TestOpenRefusesAnEndpointOfNoApplication(t *testing.T) {
	w := setup(t)
	a := w.application(t, "a")
	_, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", AppID: &a.ID})
	must(t, err)
	must(t, w.store.CASCatalog([]event.CatalogRecord{{Kind: catalog.KindApplication, ID: a.ID, Rev: 2}}))
	_, err = catalog.Open(w.store, options(w))
	if err == nil || !strings.Contains(err.Error(), "names application "+a.ID.String()) {
		t.Errorf("error %v", err)
	}
}

func TestOpenRefusesASubscriptionToNoSource(t *testing.T) {
	w := setup(t)
	s, e := w.source(t, "s"), w.endpoint(t, "e")
	w.subscriptionTo(t, s.ID, e.ID)
	must(t, w.store.CASCatalog([]event.CatalogRecord{{Kind: catalog.KindSource, ID: s.ID, Rev: 2}}))
	_, err := catalog.Open(w.store, options(w))
	if err == nil || !strings.Contains(err.Error(), "names source "+s.ID.String()) {
		t.Errorf("error %v", err)
	}
}
