package api

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"posthaste/event"
)

// create makes an endpoint with more fields, and returns its path and what was answered.
func (w *world) create(fields string) (path string, made answer) {
	w.t.Helper()
	made = w.do("POST", w.in("/endpoints"), `{"name":"x","url":"https://x.example",`+fields+`}`)
	w.want(made, 201, "Endpoint created successfully")
	return w.in("/endpoints/%s", made.field("uid")), made
}

// stored is the only endpoint of the world's project, as the catalog has it.
func (w *world) stored() event.Endpoint {
	w.t.Helper()
	all := w.catalog.Snapshot().Endpoints(w.project, event.Range{Limit: 2}, nil)
	if len(all) != 1 {
		w.t.Fatalf("%d endpoints, want one", len(all))
	}
	return all[0].Endpoint
}

func TestEndpointFields(t *testing.T) {
	for _, c := range []struct {
		name, fields string
		shown        map[string]string // JSON of the answer's fields
		stored       func(*event.Endpoint) any
		want         any
	}{
		{"custom headers", `"custom_headers":{"X-Two":"2","X-Api-Key":"k","A":""}`,
			map[string]string{"custom_headers": `{"A":"","X-Api-Key":"********","X-Two":"2"}`},
			func(e *event.Endpoint) any { return e.CustomHeaders },
			[]event.Header{{Name: "A"}, {Name: "X-Api-Key", Value: "k"}, {Name: "X-Two", Value: "2"}}},
		{"signature mode", `"signature_mode":"standard-webhooks"`,
			map[string]string{"signature_mode": `"standard-webhooks"`},
			func(e *event.Endpoint) any { return strings.HasPrefix(e.Secrets[0].Value, "whsec_") }, true},
		{"no signature mode", `"signature_mode":""`, map[string]string{"signature_mode": `"convoy"`}, nil, nil},
		{"concurrency", `"max_concurrency":7`, map[string]string{"max_concurrency": `7`},
			func(e *event.Endpoint) any { return e.MaxConcurrency }, 7},
		{"no strategy", `"strategy":null`, map[string]string{"strategy": `null`},
			func(e *event.Endpoint) any { return e.Strategy == nil }, true},
		{"strategy over the project's", `"strategy":{"retry_count":3}`,
			map[string]string{"strategy": `{"duration":100,"retry_count":3,"type":"linear"}`}, nil, nil},
		{"named schedule", `"strategy":{"schedule_name":"convoy","no_retry_statuses":[404]}`,
			map[string]string{"strategy": `{"duration":0,"no_retry_statuses":[404],"retry_count":8,"schedule":[10,30,60,180,300,600,900],"schedule_name":"convoy","type":"schedule"}`}, nil, nil},
		{"api key", `"authentication":{"type":"api_key","api_key":{"header_name":"X-Key","header_value":"v"}}`,
			map[string]string{"authentication": `{"api_key":{"header_name":"X-Key","header_value":"********"},"type":"api_key"}`},
			func(e *event.Endpoint) any { return e.Authentication.APIKey.HeaderValue }, "v"},
		{"basic", `"authentication":{"type":"basic_auth","basic_auth":{"username":"u","password":"p"},"bearer":{"token":"not used"}}`,
			map[string]string{"authentication": `{"basic_auth":{"password":"********","username":"u"},"type":"basic_auth"}`},
			func(e *event.Endpoint) any { return e.Authentication },
			&event.Authentication{Type: "basic_auth", BasicAuth: &event.BasicAuth{UserName: "u", Password: "p"}}},
		{"bearer", `"authentication":{"type":"bearer","bearer":{"token":"t"}}`,
			map[string]string{"authentication": `{"bearer":{"token":"********"},"type":"bearer"}`},
			func(e *event.Endpoint) any { return e.Authentication.Bearer.Token }, "t"},
		{"no authentication", `"authentication":{"type":"","bearer":{"token":"t"}}`, map[string]string{"authentication": `null`}, nil, nil},
		{"legacy application", `"appID":null`, map[string]string{"app_id": ``}, nil, nil},
		{"nothing", `"ca_cert":null`, map[string]string{
			"mtls_client_cert": `null`, "client_cert_expires_at": `null`, "ca_cert": `""`, "warnings": `[]`,
			"custom_headers": `{}`, "status_history": `[]`, "cb_state": `"closed"`, "consecutive_failures": `0`,
		}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			path, made := w.create(c.fields)
			for field, want := range c.shown {
				if got := made.json(field); got != want {
					t.Errorf("%s is %s, want %s", field, got, want)
				}
			}
			if e := w.stored(); c.stored != nil && !reflect.DeepEqual(c.stored(&e), c.want) {
				t.Errorf("stored %#v, want %#v", c.stored(&e), c.want)
			}
			w.roundTrip(path)
		})
	}
}

// json is a field of an answer's data as JSON with its names sorted; "" if there is none.
func (a answer) json(path ...string) string {
	v, found := a.field(path[:len(path)-1]...).(map[string]any)[path[len(path)-1]]
	if !found {
		return ""
	}
	text, _ := json.Marshal(v)
	return string(text)
}

// roundTrip writes back what is shown, and expects that it changes nothing.
func (w *world) roundTrip(path string) {
	w.t.Helper()
	before, shown := w.stored(), w.do("GET", path, "")
	w.want(w.do("PUT", path, string(shown.Data)), 202, "Endpoint updated successfully")
	after := w.stored()
	if !reflect.DeepEqual(before, after) {
		w.t.Errorf("what was shown, written back, changes\n%+v\nto\n%+v", before, after)
	}
}

// What a listing shows has no secret in clear, and can be written back too.
func TestListingsMaskSecrets(t *testing.T) {
	w := newWorld(t)
	path, _ := w.create(`"secret":"a secret of 24 bytes xyz"`)
	for _, c := range []struct{ path, want string }{
		{path, "a secret of 24 bytes xyz"},
		{w.in("/endpoints"), "**** xyz"},
	} {
		a := w.do("GET", c.path, "")
		if !strings.Contains(a.body, `"value":"`+c.want+`"`) || strings.Contains(a.body, "24 bytes") != (c.path == path) {
			t.Errorf("%s shows %s", c.path, a.body)
		}
	}
	before := w.stored()
	w.want(w.do("PUT", path, `{"secret":"**** xyz"}`), 202, "Endpoint updated successfully")
	if after := w.stored(); !reflect.DeepEqual(before, after) {
		t.Errorf("the mask became a secret: %+v", after.Secrets)
	}
}

func TestMaskSecret(t *testing.T) {
	for secret, want := range map[string]string{
		"": "", "short": "****", "fifteen bytes..": "****", "sixteen bytes...": "****s...",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": "whsec_****LaSw", "whsk_abcd": "whsk_****",
		"other_0123456789abcdef": "****cdef", "ends in runes of 3 bytes €€": "****€",
	} {
		if got := maskSecret(secret); got != want {
			t.Errorf("%q is masked as %q, want %q", secret, got, want)
		}
	}
}

// A mask that is sent back stands for the credential there is, wherever it stands.
func TestMasksStandForWhatThereIs(t *testing.T) {
	const auth = `"authentication":{"type":"oauth2","oauth2":{"url":"https://x.example/token","client_id":"c","grant_type":"client_credentials",
		"authentication_type":"shared_secret","client_secret":%q,"scope":%q}}`
	w := newWorld(t)
	path, made := w.create(fmt.Sprintf(auth, "s3cret", "a") + `,"custom_headers":{"X-Auth-Token":"open","X":"1"}`)
	if strings.Contains(made.body, "s3cret") || strings.Contains(made.body, "open") {
		t.Errorf("a credential is shown: %s", made.body)
	}
	a := w.do("PUT", path, "{"+fmt.Sprintf(auth, masked, "b")+`,"custom_headers":{"x-auth-token":"********","X":"2"}}`)
	w.want(a, 202, "Endpoint updated successfully")
	e := w.stored()
	if o := e.Authentication.OAuth2; o.ClientSecret != "s3cret" || o.Scope != "b" {
		t.Errorf("stored %+v", o)
	}
	if want := []event.Header{{Name: "X", Value: "2"}, {Name: "x-auth-token", Value: "open"}}; !reflect.DeepEqual(e.CustomHeaders, want) {
		t.Errorf("stored %+v", e.CustomHeaders)
	}
	const refusal = ": is the mask that answers show, and there is nothing behind it; give the value itself"
	for _, c := range []struct{ body, field string }{
		{`{"authentication":{"type":"bearer","bearer":{"token":"********"}}}`, "authentication.bearer.token"},
		{`{"authentication":{"type":"basic_auth","basic_auth":{"username":"u","password":"********"}}}`, "authentication.basic_auth.password"},
		{`{"custom_headers":{"Y":"********"}}`, "custom_headers.Y"},
		{`{"mtls_client_cert":{"client_cert":"c","client_key":"********"}}`, "mtls_client_cert.client_key"},
	} {
		w.want(w.do("PUT", path, c.body), 400, c.field+refusal)
	}
}

// What the catalog refuses names the field as the request does.
func TestBadEndpointFields(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ field, fields string }{
		{"signature_mode", `"signature_mode":"svix"`},
		{"signature_mode", `"signature_mode":"standard-webhooks","secret":"plain"`},
		{"max_concurrency", `"max_concurrency":1025`},
		{"max_concurrency", `"max_concurrency":"many"`},
		{"custom_headers", `"custom_headers":[]`},
		{"custom_headers", `"custom_headers":{"X":1}`},
		{"custom_headers[0]", `"custom_headers":{"Host":"x"}`},
		{"custom_headers.X", `"custom_headers":{"X":"a\nb"}`},
		{"custom_headers.x-a", `"custom_headers":{"X-A":"1","x-a":"2"}`},
		{"strategy", `"strategy":[]`},
		{"strategy.type", `"strategy":{"type":"x"}`},
		{"strategy.duration", `"strategy":{"duration":[]}`},
		{"strategy.retry_count", `"strategy":{"retry_count":"3"}`},
		{"strategy.retry_count", `"strategy":{"retry_count":0}`},
		{"strategy.schedule[1]", `"strategy":{"schedule":[1,0]}`},
		{"authentication.type", `"authentication":{"type":"digest"}`},
		{"authentication.api_key", `"authentication":{"type":"api_key"}`},
		{"authentication.basic_auth", `"authentication":{"type":"basic_auth"}`},
		{"authentication.basic_auth.username", `"authentication":{"type":"basic_auth","basic_auth":{"username":1}}`},
		{"authentication.bearer.token", `"authentication":{"type":"bearer","bearer":{"token":""}}`},
		{"authentication.oauth2", `"authentication":{"type":"oauth2"}`},
		{"authentication.oauth2.url", `"authentication":{"type":"oauth2","oauth2":{"client_id":"c"}}`},
		{"mtls_client_cert.client_key", `"mtls_client_cert":{"client_cert":"c"}`},
		{"mtls_client_cert", `"mtls_client_cert":{"client_cert":"c","client_key":"k"}`},
		{"ca_cert", `"ca_cert":"c"`},
	} {
		a := w.do("POST", w.in("/endpoints"), `{"name":"x","url":"https://x.example",`+c.fields+`}`)
		if field, reason, _ := strings.Cut(a.Message, ": "); a.Code != 400 || field != c.field || reason == "" {
			t.Errorf("%s: %d %q, want %s", c.fields, a.Code, a.Message, c.field)
		}
	}
	if got := w.rows(w.in("/endpoints")); len(got.Content) != 0 {
		t.Errorf("a refused endpoint was made")
	}
}

// Every text of a JWK that is private is hidden, and the public ones are not.
func TestSigningKeyIsMasked(t *testing.T) {
	key := event.JWK{Kty: "RSA", Kid: "1", Crv: "c", X: "x", Y: "y", D: "d", N: "n", E: "e", P: "p", Q: "q", DP: "dp", DQ: "dq", QI: "qi"}
	a := &event.Authentication{Type: event.AuthOAuth2, OAuth2: &event.OAuth2Auth{SigningKey: &key}}
	want := event.JWK{Kty: "RSA", Kid: "1", Crv: "c", X: "x", Y: "y", D: masked, N: "n", E: "e", P: masked, Q: masked, DP: masked, DQ: masked, QI: masked}
	shown := maskedAuthentication(a)
	if got := *shown.OAuth2.SigningKey; got != want {
		t.Errorf("got %+v", got)
	}
	if key.D != "d" {
		t.Error("masking changed what it masks")
	}
	if err := unmaskAuthentication("", shown, a); err != nil || *shown.OAuth2.SigningKey != key {
		t.Errorf("unmasked %+v, %v", shown.OAuth2.SigningKey, err)
	}
}

func TestStrategyIsTakenAway(t *testing.T) {
	w := newWorld(t)
	path, _ := w.create(`"strategy":{"type":"exponential","duration":"2s","max_duration":"1h","jitter":0}`)
	step := func(body, want string) {
		t.Helper()
		a := w.do("PUT", path, body)
		w.want(a, 202, "Endpoint updated successfully")
		if got := a.json("strategy"); got != want {
			t.Errorf("after %s the strategy is %s, want %s", body, got, want)
		}
	}
	step(`{}`, `{"duration":2,"jitter":0,"max_duration":3600,"retry_count":10,"type":"exponential"}`)
	step(`{"strategy":{"jitter":null,"duration":3}}`, `{"duration":3,"max_duration":3600,"retry_count":10,"type":"exponential"}`)
	step(`{"strategy":null}`, `null`)
	step(`{"strategy":{"type":"exponential"}}`, `{"duration":100,"retry_count":10,"type":"exponential"}`)
}

func TestHealthIsShown(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Health = func(e event.ID) (string, int) { return "half-open", int(e[15]) }
	})
	e := w.addEndpoint(w.project, 5)
	a := w.do("GET", w.in("/endpoints/%s", e), "")
	if a.field("cb_state") != "half-open" || a.field("consecutive_failures") != 5.0 {
		t.Errorf("got %s", a.body)
	}
}
