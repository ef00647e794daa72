package catalog_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/sig"
)

func TestCreateEndpointFillsDefaults(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	if e.Status != event.EndpointActive || e.ContentType != "application/json" || e.Timeout() != 10*time.Second ||
		!e.Limit().Unlimited() || e.Hash() != event.EndpointHash(e.ID) || !e.CreatedAt.Time().Equal(w.clock.Now()) {
		t.Errorf("endpoint %+v", e.Endpoint)
	}
	if len(e.Secrets) != 1 || len(e.Secrets[0].Value) != 25 || e.Secrets[0].ID.IsZero() {
		t.Errorf("secrets %+v, want one of 25 characters", e.Secrets)
	}
	if b := w.endpoint(t, "b"); b.Secrets[0].Value == e.Secrets[0].Value {
		t.Error("two endpoints got one secret")
	}
	limited, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "l", URL: "https://x", RateLimit: 7})
	must(t, err)
	if limited.Limit().Unlimited() || limited.RateLimitDuration != 60 {
		t.Errorf("limit %+v over %d s", limited.Limit(), limited.RateLimitDuration)
	}
}

func TestEndpointValidation(t *testing.T) {
	long := strings.Repeat("x", event.MaxNameBytes+1)
	auth := func(name, value string) *event.Authentication {
		return &event.Authentication{Type: "api_key", APIKey: &event.APIKeyAuth{HeaderName: name, HeaderValue: value}}
	}
	const headerName = "authentication.api_key.header_name"
	const headerValue = "authentication.api_key.header_value"
	past := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	future := time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		change func(*event.Endpoint)
		field  string
	}{
		"fine":                   {func(e *event.Endpoint) {}, ""},
		"form":                   {func(e *event.Endpoint) { e.ContentType = "application/x-www-form-urlencoded" }, ""},
		"paused":                 {func(e *event.Endpoint) { e.Status = event.EndpointPaused }, ""},
		"authorization":          {func(e *event.Endpoint) { e.Authentication = auth("Authorization", "Bearer x") }, ""},
		"empty authentication":   {func(e *event.Endpoint) { e.Authentication = &event.Authentication{} }, ""},
		"lines in description":   {func(e *event.Endpoint) { e.Description = "a\nb\tc\r\n" }, ""},
		"longest timeout":        {func(e *event.Endpoint) { e.HTTPTimeout = 60 }, ""},
		"no name":                {func(e *event.Endpoint) { e.Name = "" }, "name"},
		"long name":              {func(e *event.Endpoint) { e.Name = long }, "name"},
		"long owner":             {func(e *event.Endpoint) { e.OwnerID = long }, "owner_id"},
		"NUL in description":     {func(e *event.Endpoint) { e.Description = "a\x00" }, "description"},
		"long description":       {func(e *event.Endpoint) { e.Description = strings.Repeat(long, 20) }, "description"},
		"long email":             {func(e *event.Endpoint) { e.Contacts = &event.Contacts{SupportEmail: long} }, "support_email"},
		"no url":                 {func(e *event.Endpoint) { e.URL = "" }, "url"},
		"long url":               {func(e *event.Endpoint) { e.URL = "https://" + strings.Repeat("x", event.MaxURLBytes) }, "url"},
		"refused url":            {func(e *event.Endpoint) { e.URL = "https://refused" }, "url"},
		"timeout below":          {func(e *event.Endpoint) { e.HTTPTimeout = -1 }, "http_timeout"},
		"timeout above":          {func(e *event.Endpoint) { e.HTTPTimeout = 61 }, "http_timeout"},
		"rate below":             {func(e *event.Endpoint) { e.RateLimit = -1 }, "rate_limit"},
		"rate above":             {func(e *event.Endpoint) { e.RateLimit = 1_000_001 }, "rate_limit"},
		"rate duration below":    {func(e *event.Endpoint) { e.RateLimitDuration = -1 }, "rate_limit_duration"},
		"rate duration above":    {func(e *event.Endpoint) { e.RateLimitDuration = 86_401 }, "rate_limit_duration"},
		"content type":           {func(e *event.Endpoint) { e.ContentType = "text/plain" }, "content_type"},
		"status":                 {func(e *event.Endpoint) { e.Status = "sleepy" }, "status"},
		"empty secret":           {func(e *event.Endpoint) { e.Secrets = []event.Secret{{}} }, "secret"},
		"long secret":            {func(e *event.Endpoint) { e.Secrets = []event.Secret{{Value: long}} }, "secret"},
		"ended secret":           {func(e *event.Endpoint) { e.Secrets = []event.Secret{{Value: "s", ExpiresAt: &past}} }, "secrets"},
		"ending secret":          {func(e *event.Endpoint) { e.Secrets = []event.Secret{{Value: "s", ExpiresAt: &future}} }, "secrets"},
		"eleven secrets":         {func(e *event.Endpoint) { e.Secrets = secrets(11) }, "secrets"},
		"authentication type":    {func(e *event.Endpoint) { e.Authentication = &event.Authentication{Type: "password"} }, "authentication.type"},
		"authentication missing": {func(e *event.Endpoint) { e.Authentication = &event.Authentication{Type: "api_key"} }, "authentication.api_key"},
		"empty header name":      {func(e *event.Endpoint) { e.Authentication = auth("", "v") }, headerName},
		"space in header name":   {func(e *event.Endpoint) { e.Authentication = auth("X Y", "v") }, headerName},
		"break in header name":   {func(e *event.Endpoint) { e.Authentication = auth("X\r\nY", "v") }, headerName},
		"Host":                   {func(e *event.Endpoint) { e.Authentication = auth("Host", "v") }, headerName},
		"Content-Length":         {func(e *event.Endpoint) { e.Authentication = auth("content-length", "1") }, headerName},
		"Transfer-Encoding":      {func(e *event.Endpoint) { e.Authentication = auth("TRANSFER-ENCODING", "chunked") }, headerName},
		"Connection":             {func(e *event.Endpoint) { e.Authentication = auth("Connection", "close") }, headerName},
		"Proxy-Authorization":    {func(e *event.Endpoint) { e.Authentication = auth("Proxy-Authorization", "v") }, headerName},
		"signature header":       {func(e *event.Endpoint) { e.Authentication = auth("x-convoy-signature", "v") }, headerName},
		"idempotency header":     {func(e *event.Endpoint) { e.Authentication = auth("x-convoy-idempotency-key", "v") }, headerName},
		"empty header value":     {func(e *event.Endpoint) { e.Authentication = auth("X-Key", "") }, headerValue},
		"break in header value":  {func(e *event.Endpoint) { e.Authentication = auth("X-Key", "a\r\nb: c") }, headerValue},
		"long header value":      {func(e *event.Endpoint) { e.Authentication = auth("X-Key", strings.Repeat("v", 4097)) }, headerValue},
	} {
		t.Run(name, func(t *testing.T) {
			w := setup(t)
			e := event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://example.com/hook"}
			c.change(&e)
			made, err := w.CreateEndpoint(e)
			wantInvalid(t, err, c.field)
			if c.field == "" && w.Snapshot().Endpoint(made.ID) != made {
				t.Error("the snapshot has another value")
			}
			if _, n, _ := w.Snapshot().Counts(); c.field != "" && n != 0 {
				t.Error("a refused endpoint was stored")
			}
		})
	}
}

func secrets(n int) []event.Secret {
	list := make([]event.Secret, n)
	for i := range list {
		list[i].Value = "secret"
	}
	return list
}

func TestCreateEndpointAsksTheURLPolicy(t *testing.T) {
	w := setup(t)
	_, err := w.CreateEndpoint(event.Endpoint{ProjectID: event.NewID(), Name: "e", URL: "https://x"})
	wantIs(t, err, event.ErrNotFound)
	e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "HTTPS://EXAMPLE.com"})
	must(t, err)
	if e.URL != "https://example.com" {
		t.Errorf("url %q is not the canonical one", e.URL)
	}
	_, err = w.UpdateProject(w.project.ID, func(p *event.Project) error {
		p.Config.SSL.EnforceSecureEndpoints = true
		return nil
	})
	must(t, err)
	_, err = w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "http://example.com"})
	wantInvalid(t, err, "url")
}

func TestUpdateEndpoint(t *testing.T) {
	w := setup(t)
	old := w.endpoint(t, "a")
	sub := w.subscription(t, old, "x")
	old = w.Snapshot().Endpoint(old.ID)
	w.clock.Advance(time.Hour)
	e, err := w.UpdateEndpoint(w.project.ID, old.ID, func(e *event.Endpoint) error {
		e.ID, e.ProjectID, e.CreatedAt = event.NewID(), event.NewID(), 0
		e.Name, e.HTTPTimeout, e.OwnerID = "b", 3, "owner"
		e.Secrets[0].Value = "changed"
		return nil
	})
	must(t, err)
	if e.ID != old.ID || e.ProjectID != old.ProjectID || e.CreatedAt != old.CreatedAt {
		t.Errorf("the update altered what it must not: %+v", e.Endpoint)
	}
	if e.Name != "b" || e.Timeout() != 3*time.Second || !e.UpdatedAt.Time().Equal(w.clock.Now()) {
		t.Errorf("the update is not there: %+v", e.Endpoint)
	}
	if old.Name != "a" || old.Secrets[0].Value == "changed" {
		t.Error("the update reached the older value")
	}
	if subs := w.Snapshot().SubscriptionsOf(e.ID); len(subs) != 1 || subs[0].ID != sub.ID {
		t.Errorf("the update lost the subscription: %v", subs)
	}
}

func TestUpdateEndpointRefused(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	keep := func(*event.Endpoint) error { return nil }
	_, err := w.UpdateEndpoint(w.project.ID, event.NewID(), keep)
	wantIs(t, err, event.ErrNotFound)
	other, _, _, err := w.CreateProject(event.Project{Name: "other"})
	must(t, err)
	_, err = w.UpdateEndpoint(other.ID, e.ID, keep)
	wantIs(t, err, event.ErrNotFound)
	wantIs(t, w.DeleteEndpoint(other.ID, e.ID), event.ErrNotFound)
	no := errors.New("no")
	_, err = w.UpdateEndpoint(w.project.ID, e.ID, func(*event.Endpoint) error { return no })
	wantIs(t, err, no)
	_, err = w.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error { e.Name = ""; return nil })
	wantInvalid(t, err, "name")
	if w.Snapshot().Endpoint(e.ID) != e {
		t.Error("a refused update left a trace")
	}
}

// An endpoint that was allowed once can be paused though its URL and its
// authentication header would be refused now.
func TestUpdateEndpointLeavesUnchangedFieldsAlone(t *testing.T) {
	w := setup(t)
	auth := &event.Authentication{Type: "api_key", APIKey: &event.APIKeyAuth{HeaderName: "X-Key", HeaderValue: "v"}}
	e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "http://example.com", Authentication: auth})
	must(t, err)
	_, err = w.UpdateProject(w.project.ID, func(p *event.Project) error {
		p.Config.SSL.EnforceSecureEndpoints = true
		p.Config.Signature.Header = "x-key"
		return nil
	})
	must(t, err)
	for _, c := range []struct {
		change func(*event.Endpoint)
		field  string
	}{
		{func(e *event.Endpoint) { e.Status = event.EndpointPaused }, ""},
		{func(e *event.Endpoint) { e.URL = "http://example.com/other" }, "url"},
		{func(e *event.Endpoint) { e.URL = "" }, "url"},
		{func(e *event.Endpoint) { e.Authentication.APIKey.HeaderValue = "w" }, "authentication.api_key.header_name"},
		{func(e *event.Endpoint) { e.Authentication.Type = "basic_auth" }, "authentication.basic_auth"},
		{func(e *event.Endpoint) { e.Authentication.APIKey = nil }, "authentication.api_key"},
		{func(e *event.Endpoint) { e.Authentication = nil }, ""},
	} {
		_, err = w.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error { c.change(e); return nil })
		wantInvalid(t, err, c.field)
	}
}

func TestDeleteEndpointTakesItsSubscriptionsAlong(t *testing.T) {
	w := setup(t)
	e, other := w.endpoint(t, "a"), w.endpoint(t, "b")
	gone, kept := w.subscription(t, e), w.subscription(t, other)
	must(t, w.DeleteEndpoint(w.project.ID, e.ID))
	s := w.Snapshot()
	if s.Endpoint(e.ID) != nil || s.Subscription(gone.ID) != nil || len(s.SubscriptionsOf(e.ID)) != 0 {
		t.Error("the endpoint or its subscription is still there")
	}
	if s.Endpoint(other.ID) == nil || s.Subscription(kept.ID) == nil {
		t.Error("another endpoint went too")
	}
	wantIs(t, w.DeleteEndpoint(w.project.ID, e.ID), event.ErrNotFound)
}

func TestOwnerFollowsUpdates(t *testing.T) {
	w := setup(t)
	owned := func(owner string) string {
		var list []*catalog.Endpoint
		for e := range w.Snapshot().Owner(w.project.ID, owner) {
			list = append(list, e)
		}
		return ids(list, func(e *catalog.Endpoint) event.ID { return e.ID })
	}
	create := func(owner string) *catalog.Endpoint {
		e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", OwnerID: owner})
		must(t, err)
		return e
	}
	a, b, c := create("acme"), create("acme"), create("acme2")
	create("")
	if got, want := owned("acme"), a.ID.String()+" "+b.ID.String()+" "; got != want {
		t.Errorf("acme has %s, want %s", got, want)
	}
	_, err := w.UpdateEndpoint(w.project.ID, a.ID, func(e *event.Endpoint) error { e.OwnerID = "acme2"; return nil })
	must(t, err)
	if got, want := owned("acme2"), a.ID.String()+" "+c.ID.String()+" "; got != want {
		t.Errorf("acme2 has %s, want %s", got, want)
	}
	if got, want := owned("acme"), b.ID.String()+" "; got != want {
		t.Errorf("acme has %s, want %s", got, want)
	}
	if got := owned(""); got != "" {
		t.Errorf("nobody has %s", got)
	}
}

func TestSignerIsCachedPerProjectValue(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	first := e.Signer(w.project)
	if e.Signer(w.project) != first {
		t.Error("the signer was built twice")
	}
	p, err := w.UpdateProject(w.project.ID, func(p *event.Project) error {
		p.Config.Signature.Versions[0].Hash = "SHA512"
		return nil
	})
	must(t, err)
	if e.Signer(p) == first {
		t.Error("the signer outlived the project's settings")
	}
	body := []byte(`{"n":1}`)
	header := e.Signer(p).Append(nil, w.clock.Now(), body)
	v, err := sig.NewVerifier(sig.Version{Hash: "SHA512", Encoding: "hex"}, []string{e.Secrets[0].Value}, time.Hour)
	must(t, err)
	must(t, v.Verify(string(header), body, w.clock.Now()))
}

func TestSignerEndsASecretOnTime(t *testing.T) {
	w := setup(t)
	now := time.Now()
	e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", AdvancedSignatures: true,
		Secrets: []event.Secret{{Value: "old", ExpiresAt: new(now.Add(time.Hour))}, {Value: "new"}}})
	must(t, err)
	count := func(at time.Time) int {
		return bytes.Count(catalog.SignerAt(e, w.project, at).Append(nil, at, nil), []byte("v1="))
	}
	if got := count(now); got != 2 {
		t.Errorf("%d signatures while both secrets live, want 2", got)
	}
	if got := count(now.Add(time.Hour - 1)); got != 2 {
		t.Errorf("%d signatures just before the end, want 2", got)
	}
	if got := count(now.Add(time.Hour)); got != 1 {
		t.Errorf("%d signatures at the end, want 1", got)
	}
}

func TestUpdateDropsEndedSecrets(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	rotated, err := w.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error {
		e.Secrets[0].ExpiresAt = new(w.clock.Now().Add(time.Hour))
		e.Secrets = append(e.Secrets, event.Secret{Value: "second"})
		return nil
	})
	must(t, err)
	if len(rotated.Secrets) != 2 {
		t.Fatalf("%d secrets after the rotation, want 2", len(rotated.Secrets))
	}
	w.clock.Advance(time.Hour)
	later, err := w.UpdateEndpoint(w.project.ID, e.ID, func(*event.Endpoint) error { return nil })
	must(t, err)
	if len(later.Secrets) != 1 || later.Secrets[0].Value != "second" {
		t.Errorf("secrets %+v, want the second one", later.Secrets)
	}
}
