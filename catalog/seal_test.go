package catalog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/catalog/catalogtest"
	"posthaste/event"
	"posthaste/internal/seal"
)

// planted are secrets in every place where the catalog keeps one.
var planted = []string{
	"planted-signing", "planted-second", "planted-api-key", "planted-password", "planted-bearer", "planted-client-secret",
	"planted-signing-key", "planted-custom-header", "planted-meta-secret", "planted-hmac", "planted-source-password",
	"planted-source-key", "planted-broker",
}

// plant makes endpoints with all of them, and a client certificate, in the world's
// project. It returns the text of the certificate's key.
func plant(t *testing.T, w *world) (clientKey string) {
	t.Helper()
	cert := newCertificate(t, time.Now().Add(time.Hour))
	auths := []*event.Authentication{
		{Type: event.AuthAPIKey, APIKey: &event.APIKeyAuth{HeaderName: "X-Key", HeaderValue: "planted-api-key"}},
		{Type: event.AuthBasic, BasicAuth: &event.BasicAuth{UserName: "u", Password: "planted-password"}},
		{Type: event.AuthBearer, Bearer: &event.BearerAuth{Token: "planted-bearer"}},
		{Type: event.AuthOAuth2, OAuth2: &event.OAuth2Auth{URL: "https://token.example", ClientID: "c", ClientSecret: "planted-client-secret"}},
		{Type: event.AuthOAuth2, OAuth2: &event.OAuth2Auth{URL: "https://token.example", ClientID: "c", SigningKey: &event.JWK{Kty: "oct", D: "planted-signing-key"}}},
	}
	for i, a := range auths {
		e, err := w.CreateEndpoint(event.Endpoint{
			ProjectID: w.project.ID, Name: fmt.Sprint("e", i), URL: "https://example.com", Authentication: a,
			Secrets:       []event.Secret{{Value: "planted-signing"}},
			CustomHeaders: []event.Header{{Name: "X-Tenant", Value: "planted-custom-header"}},
			ClientCert:    &cert,
		})
		must(t, err)
		_, err = w.ExpireSecret(w.project.ID, e.ID, "planted-second", time.Hour)
		must(t, err)
		w.subscription(t, e)
	}
	_, err := w.UpdateProject(w.project.ID, func(p *event.Project) error {
		p.Config.MetaEvent = event.MetaEventConfig{IsEnabled: true, URL: "https://ops.example", Secret: "planted-meta-secret"}
		return nil
	})
	must(t, err)
	for i, v := range []*event.Verifier{
		hmacVerifier(func(h *event.HMacVerifier) { h.Secret = "planted-hmac" }),
		{Type: event.VerifyBasic, BasicAuth: &event.BasicAuth{UserName: "u", Password: "planted-source-password"}},
		{Type: event.VerifyAPIKey, APIKey: &event.APIKeyAuth{HeaderName: "K", HeaderValue: "planted-source-key"}},
		nil,
	} {
		_, err := w.CreateSource(event.Source{
			ProjectID: w.project.ID, Name: fmt.Sprint("s", i), Verifier: v, Type: event.SourcePubSub, PubSub: json.RawMessage(`{"p":"planted-broker"}`),
		})
		must(t, err)
	}
	w.source(t, "has no secret")
	w.link(t, event.PortalStatic)
	return cert.Key
}

// raw is all bytes of a store.
func raw(s *catalogtest.Store) []byte {
	var all []byte
	_ = s.LoadCatalog(func(rec event.CatalogRecord) error {
		all = append(all, rec.Value...)
		return nil
	})
	return all
}

// inClear lists the planted secrets that can be read in a store.
func inClear(s *catalogtest.Store, clientKey string) (found []string) {
	all := raw(s)
	keyLine := strings.Split(clientKey, "\n")[2]
	for _, secret := range append([]string{keyLine}, planted...) {
		if bytes.Contains(all, []byte(secret)) {
			found = append(found, secret)
		}
	}
	return found
}

// sealedWorld is a world whose store is sealed under these keys.
func sealedWorld(t *testing.T, keys ...string) *world {
	w := &world{store: catalogtest.New(), clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	w.Catalog = w.openSealed(t, keys...)
	p, _, text, err := w.CreateProject(event.Project{Name: "shop"})
	must(t, err)
	w.project, w.key = p, text
	return w
}

func (w *world) openSealed(t *testing.T, keys ...string) *catalog.Catalog {
	t.Helper()
	o := options(w)
	o.Seal = newBox(t, keys...)
	c, err := catalog.Open(w.store, o)
	must(t, err)
	return c
}

func TestNoSecretIsStoredInClear(t *testing.T) {
	w := sealedWorld(t, "k1")
	key := plant(t, w)
	if found := inClear(w.store, key); len(found) > 0 {
		t.Errorf("in clear in the store: %q", found)
	}
	for _, l := range w.Snapshot().PortalLinks(w.project.ID, event.Range{Limit: 9}, nil) {
		if bytes.Contains(raw(w.store), []byte(l.Token[20:])) {
			t.Error("the token of a portal link is in clear in the store")
		}
	}
	again := w.openSealed(t, "k1")
	if before, after := contents(w.Catalog), contents(again); !reflect.DeepEqual(before, after) {
		t.Error("a restart changed what is stored")
	}
	clear := setup(t) // the test can fail
	if key := plant(t, clear); len(inClear(clear.store, key)) != len(planted)+1 {
		t.Errorf("without seals only %q are found", inClear(clear.store, key))
	}
}

func TestReseal(t *testing.T) {
	w := setup(t)
	key := plant(t, w)
	other, _, _, err := w.CreateProject(event.Project{Name: "has no secret"})
	must(t, err)
	before := contents(w.Catalog)

	// A store in clear is opened with a key, and read and written at once.
	c := w.openSealed(t, "k1")
	if !reflect.DeepEqual(before, contents(c)) {
		t.Error("the catalog in clear is another one under a key")
	}
	quiet := true
	defer c.Watch(func(catalog.Change) { quiet = false })()
	n, err := c.Reseal(t.Context())
	must(t, err)
	const want = 5 + 1 + 4 + 1 // endpoints, project, sources and portal link that have a secret
	if n != want {
		t.Errorf("%d records resealed, want %d", n, want)
	}
	if found := inClear(w.store, key); len(found) > 0 {
		t.Errorf("in clear after Reseal: %q", found)
	}
	if !quiet {
		t.Error("watchers were told of changes that are none")
	}
	if !reflect.DeepEqual(before, contents(c)) || !reflect.DeepEqual(before, contents(w.openSealed(t, "k1"))) {
		t.Error("Reseal changed the catalog")
	}
	if n, err := c.Reseal(t.Context()); n != 0 || err != nil {
		t.Errorf("a second Reseal wrote %d records, %v", n, err)
	}

	// Rotation: both keys, then the new one alone.
	both := w.openSealed(t, "k2", "k1")
	if n, err = both.Reseal(t.Context()); n != want || err != nil {
		t.Errorf("%d records under the new key, %v; want %d", n, err, want)
	}
	alone := w.openSealed(t, "k2")
	if !reflect.DeepEqual(before, contents(alone)) {
		t.Error("the rotation changed the catalog")
	}
	_, err = alone.UpdateEndpoint(w.project.ID, alone.Snapshot().Endpoints(w.project.ID, event.Range{Limit: 1}, nil)[0].ID,
		func(e *event.Endpoint) error { e.Name = "after"; return nil })
	must(t, err)
	must(t, alone.DeleteProject(other.ID))
}

func TestResealInBatches(t *testing.T) {
	w := setup(t)
	const n = 1100
	for range n {
		w.endpoint(t, "e")
	}
	c := w.openSealed(t, "k1")
	broken := errors.New("disk")
	w.store.Fail(broken)
	_, err := c.Reseal(t.Context())
	wantIs(t, err, broken)
	w.store.Fail(nil)
	if done, err := c.Reseal(t.Context()); done != n || err != nil {
		t.Errorf("%d records, %v; want %d", done, err, n)
	}
	if _, err := w.Reseal(t.Context()); !errors.Is(err, catalog.ErrNoSeal) {
		t.Errorf("without a key: %v", err)
	}
}

// A write seals a record that was in clear.
func TestAWriteSeals(t *testing.T) {
	w := setup(t)
	e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", Secrets: []event.Secret{{Value: "planted-signing"}}})
	must(t, err)
	c := w.openSealed(t, "k1")
	_, err = c.UpdateEndpoint(w.project.ID, e.ID, func(*event.Endpoint) error { return nil })
	must(t, err)
	if bytes.Contains(raw(w.store), []byte("planted-signing")) {
		t.Error("the record is still in clear")
	}
}

func TestOpenNeedsTheKey(t *testing.T) {
	w := sealedWorld(t, "k1")
	e := w.endpoint(t, "a")
	another := options(w)
	another.Seal = newBox(t, "k2")
	wrong, err := seal.Open([]seal.Key{{ID: "k1"}})
	must(t, err)
	same := options(w)
	same.Seal = wrong
	for name, c := range map[string]struct {
		o    catalog.Options
		want []string
	}{
		"no key":             {options(w), []string{`"k1"`, "key file", e.ID.String()}},
		"another key":        {another, []string{`"k1"`, "put its line back", e.ID.String()}},
		"a key of that name": {same, []string{"another key under its id", e.ID.String()}},
	} {
		_, err := catalog.Open(w.store, c.o)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one with %s", name, err, want)
			}
		}
	}
}

// A sealed record that is put in another's place does not open.
func TestASealBelongsToItsRecord(t *testing.T) {
	w := sealedWorld(t, "k1")
	a, b := w.endpoint(t, "a"), w.endpoint(t, "b")
	values := make(map[event.ID][]byte)
	must(t, w.store.LoadCatalog(func(rec event.CatalogRecord) error { values[rec.ID] = rec.Value; return nil }))
	// b's open part with a's secrets behind it: both are as long.
	forged := bytes.Clone(values[b.ID])
	n := 4 + 12 + 16 + 1 + 25 // header with the key id, nonce, tag, no rare fields, a secret
	copy(forged[len(forged)-n:], values[a.ID][len(values[a.ID])-n:])
	must(t, w.store.CASCatalog([]event.CatalogRecord{{Kind: 'e', ID: b.ID, Rev: 2, Value: forged}}))
	o := options(w)
	o.Seal = newBox(t, "k1")
	_, err := catalog.Open(w.store, o)
	wantIs(t, err, seal.ErrDamaged)
}
