package catalog_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"posthaste/event"
)

func (w *world) source(t testing.TB, name string) *event.Source {
	t.Helper()
	s, err := w.CreateSource(event.Source{ProjectID: w.project.ID, Name: name})
	must(t, err)
	return s
}

// subscriptionTo makes a subscription of the endpoint to a source.
func (w *world) subscriptionTo(t testing.TB, source, endpoint event.ID) *event.Subscription {
	t.Helper()
	s, err := w.CreateSubscription(event.Subscription{
		Name: "sub", ProjectID: w.project.ID, EndpointID: endpoint, Extra: &event.SubscriptionExtra{SourceID: source},
	})
	must(t, err)
	return s
}

func hmacVerifier(change ...func(*event.HMacVerifier)) *event.Verifier {
	h := &event.HMacVerifier{Header: "X-Sig", Hash: "SHA256", Secret: "s", Encoding: "hex"}
	for _, f := range change {
		f(h)
	}
	return &event.Verifier{Type: event.VerifyHMac, HMac: h}
}

func TestSourceValidation(t *testing.T) {
	w := setup(t)
	long := strings.Repeat("x", event.MaxNameBytes+1)
	for name, c := range map[string]struct {
		change func(*event.Source)
		field  string
	}{
		"plain":           {func(s *event.Source) {}, ""},
		"no name":         {func(s *event.Source) { s.Name = " " }, "name"},
		"rest_api":        {func(s *event.Source) { s.Type = event.SourceREST }, ""},
		"unknown type":    {func(s *event.Source) { s.Type = "ftp" }, "type"},
		"broker":          {func(s *event.Source) { s.Type, s.PubSub = event.SourcePubSub, json.RawMessage(`{"type":"kafka"}`) }, ""},
		"broker, nothing": {func(s *event.Source) { s.Type = event.SourcePubSub }, "pub_sub"},
		"broker, null":    {func(s *event.Source) { s.Type, s.PubSub = event.SourcePubSub, json.RawMessage(` null `) }, "pub_sub"},
		"broker, no JSON": {func(s *event.Source) { s.Type, s.PubSub = event.SourcePubSub, json.RawMessage(`{`) }, "pub_sub"},
		"broker, a list":  {func(s *event.Source) { s.Type, s.PubSub = event.SourcePubSub, json.RawMessage(`[]`) }, "pub_sub"},
		"broker, large": {func(s *event.Source) {
			s.Type, s.PubSub = event.SourcePubSub, json.RawMessage(`{"a":"`+strings.Repeat("x", 64<<10)+`"}`)
		}, "pub_sub"},
		"change stream":    {func(s *event.Source) { s.Type = event.SourceDBStream }, ""},
		"unknown provider": {func(s *event.Source) { s.Provider = "GitHub" }, "provider"},
		"provider alone":   {func(s *event.Source) { s.Provider = event.ProviderGitHub }, "verifier.hmac.secret"},
		"provider, no secret": {func(s *event.Source) {
			s.Provider, s.Verifier = event.ProviderGitHub, hmacVerifier(func(h *event.HMacVerifier) { h.Secret = "" })
		}, "verifier.hmac.secret"},
		"provider, basic": {func(s *event.Source) {
			s.Provider, s.Verifier = event.ProviderGitHub, hmacVerifier()
			s.Verifier.Type = event.VerifyBasic
		}, "verifier.type"},
		"noop":            {func(s *event.Source) { s.Verifier = &event.Verifier{Type: event.VerifyNothing} }, ""},
		"no type":         {func(s *event.Source) { s.Verifier = &event.Verifier{BasicAuth: &event.BasicAuth{UserName: "u"}} }, "verifier.type"},
		"hmac":            {func(s *event.Source) { s.Verifier = hmacVerifier() }, ""},
		"hmac, nothing":   {func(s *event.Source) { s.Verifier = &event.Verifier{Type: event.VerifyHMac} }, "verifier.hmac"},
		"hmac, no header": {func(s *event.Source) { s.Verifier = hmacVerifier(func(h *event.HMacVerifier) { h.Header = "" }) }, "verifier.hmac.header"},
		"hmac, header":    {func(s *event.Source) { s.Verifier = hmacVerifier(func(h *event.HMacVerifier) { h.Header = "X Sig" }) }, "verifier.hmac.header"},
		"hmac, hash":      {func(s *event.Source) { s.Verifier = hmacVerifier(func(h *event.HMacVerifier) { h.Hash = "CRC32" }) }, "verifier.hmac.hash"},
		"hmac, encoding":  {func(s *event.Source) { s.Verifier = hmacVerifier(func(h *event.HMacVerifier) { h.Encoding = "hexx" }) }, "verifier.hmac.encoding"},
		"hmac, no secret": {func(s *event.Source) { s.Verifier = hmacVerifier(func(h *event.HMacVerifier) { h.Secret = "" }) }, "verifier.hmac.secret"},
		"basic": {func(s *event.Source) {
			s.Verifier = &event.Verifier{Type: event.VerifyBasic, BasicAuth: &event.BasicAuth{UserName: "u", Password: "p"}}
		}, ""},
		"basic, nothing": {func(s *event.Source) { s.Verifier = &event.Verifier{Type: event.VerifyBasic} }, "verifier.basic_auth"},
		"basic, no password": {func(s *event.Source) {
			s.Verifier = &event.Verifier{Type: event.VerifyBasic, BasicAuth: &event.BasicAuth{UserName: "u"}}
		}, "verifier.basic_auth.password"},
		"api key": {func(s *event.Source) {
			s.Verifier = &event.Verifier{Type: event.VerifyAPIKey, APIKey: &event.APIKeyAuth{HeaderName: "Authorization", HeaderValue: "v"}}
		}, ""},
		"api key, nothing": {func(s *event.Source) { s.Verifier = &event.Verifier{Type: event.VerifyAPIKey} }, "verifier.api_key"},
		"api key, no name": {func(s *event.Source) {
			s.Verifier = &event.Verifier{Type: event.VerifyAPIKey, APIKey: &event.APIKeyAuth{HeaderValue: "v"}}
		}, "verifier.api_key.header_name"},
		"api key, no value": {func(s *event.Source) {
			s.Verifier = &event.Verifier{Type: event.VerifyAPIKey, APIKey: &event.APIKeyAuth{HeaderName: "K"}}
		}, "verifier.api_key.header_value"},
		"selectors":    {func(s *event.Source) { s.IdempotencyKeys = []string{"request.Header.X-Id", "request.body.a.b"} }, ""},
		"bad selector": {func(s *event.Source) { s.IdempotencyKeys = []string{"request.body.a", "a"} }, "idempotency_keys[1]"},
		"too many selectors": {func(s *event.Source) {
			s.IdempotencyKeys = slices.Repeat([]string{"request.body.a"}, event.MaxSourceSelectors+1)
		}, "idempotency_keys"},
		"type location":     {func(s *event.Source) { s.EventTypeLocation = "request.query.type" }, ""},
		"bad type location": {func(s *event.Source) { s.EventTypeLocation = "request.body." }, "event_type_location"},
		"forward":           {func(s *event.Source) { s.ForwardHeaders = []string{"X-A", "Content-Type"} }, ""},
		"bad forward":       {func(s *event.Source) { s.ForwardHeaders = []string{"X-A", "X:B"} }, "forward_headers[1]"},
		"long forward":      {func(s *event.Source) { s.ForwardHeaders = []string{long} }, "forward_headers[0]"},
		"too many forward":  {func(s *event.Source) { s.ForwardHeaders = slices.Repeat([]string{"X-A"}, event.MaxForwardHeaders+1) }, "forward_headers"},
		"response": {func(s *event.Source) {
			s.CustomResponse = &event.CustomResponse{Body: "ok\n", ContentType: "text/plain; charset=utf-8"}
		}, ""},
		"response, type":  {func(s *event.Source) { s.CustomResponse = &event.CustomResponse{Body: "ok", ContentType: "text"} }, "custom_response.content_type"},
		"response, break": {func(s *event.Source) { s.CustomResponse = &event.CustomResponse{ContentType: "text/plain\r\nX: y"} }, "custom_response.content_type"},
		"response, large": {func(s *event.Source) {
			s.CustomResponse = &event.CustomResponse{Body: strings.Repeat("x", event.MaxResponseBytes+1)}
		}, "custom_response.body"},
		"response, bytes": {func(s *event.Source) { s.CustomResponse = &event.CustomResponse{Body: "\xff"} }, "custom_response.body"},
		"function":        {func(s *event.Source) { s.BodyFunction = strings.Repeat("x", event.MaxFunctionBytes+1) }, "body_function"},
		"header function": {func(s *event.Source) { s.HeaderFunction = "\x00" }, "header_function"},
	} {
		t.Run(name, func(t *testing.T) {
			s := event.Source{ProjectID: w.project.ID, Name: "s"}
			c.change(&s)
			_, err := w.CreateSource(s)
			wantInvalid(t, err, c.field)
		})
	}
	_, err := w.CreateSource(event.Source{ProjectID: event.NewID(), Name: "s"})
	wantIs(t, err, event.ErrNotFound)
}

func TestSelectors(t *testing.T) {
	w := setup(t)
	for text, ok := range map[string]bool{
		"request.Header.X-Id": true, "request.Body.a.b": true, "request.QueryParam.x": true, "request.query.x.y": true, "req.body.a": true,
		"REQ.HEADER.x": true, "header.X-Id": true, "Body.a": true, "query.x": true, "request.queryparams.x": true, "request.body.a b": true, "headers.x": true,
		"": false, "request": false, "request.": false, "request.body": false, "request.body.": false, "body": false, "body..a": false,
		"body.a..b": false, "body.a.": false, "request.header.": false, "request.header.a b": false, "query.": false, "cookie.a": false,
		"requestbody.a": false, "request.request.body.a": false, "body.\n": false, "body." + strings.Repeat("x", event.MaxNameBytes): false,
	} {
		_, err := w.CreateSource(event.Source{ProjectID: w.project.ID, Name: "s", IdempotencyKeys: []string{text}})
		if (err == nil) != ok {
			t.Errorf("%q: %v, want ok %v", text, err, ok)
		}
	}
}

func TestCreateSourceFillsDefaults(t *testing.T) {
	w := setup(t)
	s := w.source(t, "s")
	if s.Type != event.SourceHTTP || s.IsDisabled || s.Verifier != nil || s.ID.IsZero() || !s.CreatedAt.Equal(w.clock.Now()) {
		t.Errorf("source %+v", s)
	}
	if !regexp.MustCompile(`^[0-9A-Za-z]{24}$`).MatchString(s.MaskID) || s.MaskID == w.source(t, "t").MaskID {
		t.Errorf("mask id %q", s.MaskID)
	}
	given, err := w.CreateSource(event.Source{
		ProjectID: w.project.ID, Name: "s", MaskID: s.MaskID, CustomResponse: &event.CustomResponse{}, Verifier: &event.Verifier{},
		PubSub: json.RawMessage(`{"type":"sqs"}`), ForwardHeaders: []string{"X-A", "x-a", "X-B"}, IdempotencyKeys: []string{},
	})
	must(t, err)
	if given.MaskID == s.MaskID || given.CustomResponse != nil || given.Verifier != nil || given.PubSub != nil || given.IdempotencyKeys != nil ||
		!slices.Equal(given.ForwardHeaders, []string{"X-A", "X-B"}) {
		t.Errorf("source %+v", given)
	}
}

func TestProviders(t *testing.T) {
	w := setup(t)
	for provider, want := range map[string]event.HMacVerifier{
		event.ProviderGitHub:  {Header: "X-Hub-Signature-256", Hash: "SHA256", Secret: "s", Encoding: "hex"},
		event.ProviderShopify: {Header: "X-Shopify-Hmac-SHA256", Hash: "SHA256", Secret: "s", Encoding: "base64"},
		event.ProviderTwitter: {Header: "X-Twitter-Webhooks-Signature", Hash: "SHA256", Secret: "s", Encoding: "base64"},
	} {
		for _, given := range []*event.Verifier{hmacVerifier(), {HMac: &event.HMacVerifier{Secret: "s"}}} {
			s, err := w.CreateSource(event.Source{ProjectID: w.project.ID, Name: "s", Provider: provider, Verifier: given})
			must(t, err)
			if v := s.Verifier; v.Type != event.VerifyHMac || *v.HMac != want {
				t.Errorf("%s: verifier %+v, want %+v", provider, v.HMac, want)
			}
		}
	}
}

func TestBrokerSourcesAreDisabled(t *testing.T) {
	w := setup(t)
	s, err := w.CreateSource(event.Source{ProjectID: w.project.ID, Name: "s", Type: event.SourcePubSub, PubSub: json.RawMessage(` { "type": "kafka" } `)})
	must(t, err)
	if !s.IsDisabled || string(s.PubSub) != `{"type":"kafka"}` {
		t.Errorf("source %+v", s)
	}
	s, err = w.UpdateSource(w.project.ID, s.ID, func(s *event.Source) error { s.IsDisabled, s.Type = false, event.SourceHTTP; return nil })
	must(t, err)
	if !s.IsDisabled || s.Type != event.SourcePubSub {
		t.Errorf("source %+v", s)
	}
}

func TestUpdateSource(t *testing.T) {
	w := setup(t)
	s := w.source(t, "s")
	old := *s
	w.clock.Advance(1)
	shared := []string{"request.body.id"}
	got, err := w.UpdateSource(w.project.ID, s.ID, func(s *event.Source) error {
		*s = event.Source{Name: "other", IsDisabled: true, Type: event.SourceREST, Verifier: hmacVerifier(), IdempotencyKeys: shared}
		return nil
	})
	must(t, err)
	shared[0] = "changed by the caller"
	if got.ID != old.ID || got.ProjectID != old.ProjectID || got.MaskID != old.MaskID || got.Type != old.Type || !got.CreatedAt.Equal(old.CreatedAt) ||
		!got.UpdatedAt.Equal(w.clock.Now()) || got.Name != "other" || !got.IsDisabled || got.IdempotencyKeys[0] != "request.body.id" {
		t.Errorf("source %+v", got)
	}
	if !reflect.DeepEqual(*s, old) {
		t.Error("the value of before changed")
	}
	if w.Snapshot().Source(w.project.ID, s.ID) != got || w.Snapshot().SourceByMask(s.MaskID) != got {
		t.Error("the indexes have other values")
	}
	refused := fmt.Errorf("no")
	_, err = w.UpdateSource(w.project.ID, s.ID, func(*event.Source) error { return refused })
	wantIs(t, err, refused)
	_, err = w.UpdateSource(w.project.ID, s.ID, func(s *event.Source) error { s.Name = ""; return nil })
	wantInvalid(t, err, "name")
	_, err = w.UpdateSource(event.NewID(), s.ID, func(*event.Source) error { return nil })
	wantIs(t, err, event.ErrNotFound)
	if w.Snapshot().Source(event.NewID(), s.ID) != nil {
		t.Error("another project sees the source")
	}
}

func TestSourceByMask(t *testing.T) {
	w := setup(t)
	s := w.source(t, "s")
	snap := w.Snapshot()
	if snap.SourceByMask(s.MaskID) != s {
		t.Error("not found")
	}
	for _, mask := range []string{"", s.MaskID[1:], s.MaskID + "a", strings.Repeat("0", 24)} {
		if snap.SourceByMask(mask) != nil {
			t.Errorf("%q is found", mask)
		}
	}
}

func TestDeleteSourceTakesItsSubscriptionsAlong(t *testing.T) {
	w := setup(t)
	s, other := w.source(t, "s"), w.source(t, "other")
	a, b, c := w.endpoint(t, "a"), w.endpoint(t, "b"), w.endpoint(t, "c")
	first, second := w.subscriptionTo(t, s.ID, a.ID), w.subscriptionTo(t, s.ID, b.ID)
	kept := w.subscriptionTo(t, other.ID, c.ID)
	list := func(source event.ID) (out []event.ID) {
		for sub := range w.Snapshot().SubscriptionsOfSource(w.project.ID, source) {
			out = append(out, sub.ID)
		}
		return out
	}
	if got := list(s.ID); !slices.Equal(got, []event.ID{first.ID, second.ID}) {
		t.Errorf("subscriptions %s", got)
	}
	_, err := w.UpdateSubscription(w.project.ID, second.ID, func(s *event.Subscription) error { s.Extra.SourceID = other.ID; return nil })
	must(t, err)
	if got := list(other.ID); !slices.Equal(got, []event.ID{second.ID, kept.ID}) || len(list(s.ID)) != 1 {
		t.Errorf("subscriptions %s after one was moved", got)
	}
	wantIs(t, w.DeleteSource(event.NewID(), s.ID), event.ErrNotFound)
	must(t, w.DeleteSource(w.project.ID, s.ID))
	snap := w.Snapshot()
	if snap.Source(w.project.ID, s.ID) != nil || snap.SourceByMask(s.MaskID) != nil || snap.Subscription(first.ID) != nil ||
		len(snap.SubscriptionsOf(a.ID)) != 0 || len(list(s.ID)) != 0 {
		t.Error("something is left")
	}
	if snap.Subscription(kept.ID) == nil || snap.Source(w.project.ID, other.ID) == nil {
		t.Error("too much is gone")
	}
	wantIs(t, w.DeleteSource(w.project.ID, s.ID), event.ErrNotFound)
}

func TestListSources(t *testing.T) {
	w := setup(t)
	a, b, c := w.source(t, "a"), w.source(t, "b"), w.source(t, "c")
	other, _, _, err := w.CreateProject(event.Project{Name: "other"})
	must(t, err)
	_, err = w.CreateSource(event.Source{ProjectID: other.ID, Name: "x"})
	must(t, err)
	f := func(want []*event.Source, r event.Range, match func(*event.Source) bool) {
		t.Helper()
		if got := w.Snapshot().Sources(w.project.ID, r, match); !slices.Equal(got, want) {
			t.Errorf("%v: %d sources, want %d", r, len(got), len(want))
		}
	}
	f([]*event.Source{a, b, c}, event.Range{Limit: 9}, nil)
	f([]*event.Source{c, b}, event.Range{Limit: 2, Descending: true}, nil)
	f([]*event.Source{b, c}, event.Range{From: b.ID, Limit: 9}, nil)
	f([]*event.Source{b, a}, event.Range{To: b.ID, Limit: 9, Descending: true}, nil)
	f([]*event.Source{c}, event.Range{Limit: 1}, func(s *event.Source) bool { return s.Name == "c" })
	f(nil, event.Range{}, nil)
}
