package catalog_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

func TestCustomHeaderValidation(t *testing.T) {
	header := func(name, value string) []event.Header { return []event.Header{{Name: name, Value: value}} }
	many := make([]event.Header, event.MaxCustomHeaders+1)
	for i := range many {
		many[i] = event.Header{Name: "X-" + strings.Repeat("a", i+1), Value: "v"}
	}
	large := []event.Header{}
	for i := range 5 {
		large = append(large, event.Header{Name: "X-" + strings.Repeat("a", i+1), Value: strings.Repeat("v", 4000)})
	}
	bearer := &event.Authentication{Type: event.AuthBearer, Bearer: &event.BearerAuth{Token: "t"}}
	apiKey := &event.Authentication{Type: event.AuthAPIKey, APIKey: &event.APIKeyAuth{HeaderName: "X-Key", HeaderValue: "v"}}
	for name, c := range map[string]struct {
		headers []event.Header
		auth    *event.Authentication
		field   string
	}{
		"none":                   {nil, nil, ""},
		"one":                    {header("X-Tenant", "a b\tc"), nil, ""},
		"empty value":            {header("X-Tenant", ""), nil, ""},
		"User-Agent":             {header("User-Agent", "ours"), nil, ""},
		"Authorization":          {header("Authorization", "Bearer x"), nil, ""},
		"as many as there can":   {many[:event.MaxCustomHeaders], nil, ""},
		"too many":               {many, nil, "custom_headers"},
		"too large":              {large, nil, "custom_headers"},
		"no name":                {header("", "v"), nil, "custom_headers[0]"},
		"bad name":               {[]event.Header{{Name: "X-A"}, {Name: "X A"}}, nil, "custom_headers[1]"},
		"break in name":          {header("X-A\r\nX-B", "v"), nil, "custom_headers[0]"},
		"long name":              {header(strings.Repeat("x", 257), "v"), nil, "custom_headers[0]"},
		"twice":                  {[]event.Header{{Name: "X-A"}, {Name: "x-a"}}, nil, "custom_headers.x-a"},
		"break in value":         {header("X-A", "a\r\nHost: b"), nil, "custom_headers.X-A"},
		"not UTF-8":              {header("X-A", "a\xff"), nil, "custom_headers.X-A"},
		"long value":             {header("X-A", strings.Repeat("v", 4097)), nil, "custom_headers.X-A"},
		"Host":                   {header("host", "v"), nil, "custom_headers[0]"},
		"Content-Length":         {header("Content-Length", "1"), nil, "custom_headers[0]"},
		"Content-Type":           {header("Content-Type", "text/plain"), nil, "custom_headers[0]"},
		"Content-Encoding":       {header("Content-Encoding", "gzip"), nil, "custom_headers[0]"},
		"Transfer-Encoding":      {header("Transfer-Encoding", "chunked"), nil, "custom_headers[0]"},
		"Connection":             {header("Connection", "close"), nil, "custom_headers[0]"},
		"Cookie":                 {header("Cookie", "a=b"), nil, "custom_headers[0]"},
		"Proxy-Authorization":    {header("Proxy-Authorization", "x"), nil, "custom_headers[0]"},
		"webhook-id":             {header("Webhook-Id", "x"), nil, "custom_headers[0]"},
		"webhook-timestamp":      {header("webhook-timestamp", "x"), nil, "custom_headers[0]"},
		"webhook-signature":      {header("webhook-signature", "x"), nil, "custom_headers[0]"},
		"Convoy-Timestamp":       {header("convoy-timestamp", "x"), nil, "custom_headers[0]"},
		"Posthaste-Replay":       {header("Posthaste-Replay", "x"), nil, "custom_headers[0]"},
		"signature header":       {header("x-convoy-signature", "x"), nil, "custom_headers.x-convoy-signature"},
		"request id header":      {header("X-CONVOY-Idempotency-Key", "x"), nil, "custom_headers.X-CONVOY-Idempotency-Key"},
		"that of authentication": {header("authorization", "x"), bearer, "custom_headers.authorization"},
		"that of an api key":     {header("x-KEY", "x"), apiKey, "custom_headers.x-KEY"},
		"beside an api key":      {header("Authorization", "x"), apiKey, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := setup(t)
			_, err := w.CreateEndpoint(event.Endpoint{
				ProjectID: w.project.ID, Name: "e", URL: "https://example.com", CustomHeaders: c.headers, Authentication: c.auth,
			})
			wantInvalid(t, err, c.field)
		})
	}
}

func TestAuthenticationValidation(t *testing.T) {
	oauth := func(change func(*event.OAuth2Auth)) *event.Authentication {
		o := &event.OAuth2Auth{URL: "https://token.example", ClientID: "c", AuthenticationType: "shared_secret", ClientSecret: "s"}
		change(o)
		return &event.Authentication{Type: event.AuthOAuth2, OAuth2: o}
	}
	basic := func(user, password string) *event.Authentication {
		return &event.Authentication{Type: event.AuthBasic, BasicAuth: &event.BasicAuth{UserName: user, Password: password}}
	}
	bearer := func(token string) *event.Authentication {
		return &event.Authentication{Type: event.AuthBearer, Bearer: &event.BearerAuth{Token: token}}
	}
	assertion := func(change func(*event.OAuth2Auth)) *event.Authentication {
		return oauth(func(o *event.OAuth2Auth) {
			o.AuthenticationType, o.SigningKey = "client_assertion", &event.JWK{Kty: "EC", D: "d"}
			change(o)
		})
	}
	for name, c := range map[string]struct {
		auth  *event.Authentication
		field string
	}{
		"no type":                  {&event.Authentication{BasicAuth: &event.BasicAuth{}}, "authentication.type"},
		"unknown type":             {&event.Authentication{Type: "magic"}, "authentication.type"},
		"basic":                    {basic("user", "pass:word"), ""},
		"basic missing":            {&event.Authentication{Type: event.AuthBasic}, "authentication.basic_auth"},
		"basic without a name":     {basic("", "p"), "authentication.basic_auth.username"},
		"colon in the name":        {basic("a:b", "p"), "authentication.basic_auth.username"},
		"basic without a password": {basic("u", ""), "authentication.basic_auth.password"},
		"break in the password":    {basic("u", "a\nb"), "authentication.basic_auth.password"},
		"bearer":                   {bearer("abc.def"), ""},
		"bearer missing":           {&event.Authentication{Type: event.AuthBearer}, "authentication.bearer"},
		"no token":                 {bearer(""), "authentication.bearer.token"},
		"the word Bearer":          {bearer("Bearer abc"), "authentication.bearer.token"},
		"break in the token":       {bearer("a\r\nb"), "authentication.bearer.token"},
		"oauth2":                   {oauth(func(o *event.OAuth2Auth) {}), ""},
		"oauth2 missing":           {&event.Authentication{Type: event.AuthOAuth2}, "authentication.oauth2"},
		"type is guessed":          {oauth(func(o *event.OAuth2Auth) { o.AuthenticationType = "" }), ""},
		"all units":                {oauth(func(o *event.OAuth2Auth) { o.ExpiryTimeUnit = "milliseconds" }), ""},
		"unknown unit":             {oauth(func(o *event.OAuth2Auth) { o.ExpiryTimeUnit = "days" }), "authentication.oauth2.expiry_time_unit"},
		"no url":                   {oauth(func(o *event.OAuth2Auth) { o.URL = "" }), "authentication.oauth2.url"},
		"refused url":              {oauth(func(o *event.OAuth2Auth) { o.URL = "https://refused" }), "authentication.oauth2.url"},
		"no client id":             {oauth(func(o *event.OAuth2Auth) { o.ClientID = "" }), "authentication.oauth2.client_id"},
		"no client secret":         {oauth(func(o *event.OAuth2Auth) { o.ClientSecret = "" }), "authentication.oauth2.client_secret"},
		"grant type":               {oauth(func(o *event.OAuth2Auth) { o.GrantType = "password" }), "authentication.oauth2.grant_type"},
		"authentication type":      {oauth(func(o *event.OAuth2Auth) { o.AuthenticationType = "magic" }), "authentication.oauth2.authentication_type"},
		"break in the scope":       {oauth(func(o *event.OAuth2Auth) { o.Scope = "a\nb" }), "authentication.oauth2.scope"},
		"long mapping": {oauth(func(o *event.OAuth2Auth) { o.FieldMapping = &event.OAuth2Fields{ExpiresIn: strings.Repeat("x", 4097)} }),
			"authentication.oauth2.field_mapping.expires_in"},
		"assertion":           {assertion(func(o *event.OAuth2Auth) {}), ""},
		"no signing key":      {assertion(func(o *event.OAuth2Auth) { o.SigningKey = nil }), "authentication.oauth2.signing_key"},
		"no kty":              {assertion(func(o *event.OAuth2Auth) { o.SigningKey.Kty = "" }), "authentication.oauth2.signing_key"},
		"long signing key":    {assertion(func(o *event.OAuth2Auth) { o.SigningKey.N = strings.Repeat("n", 40_000) }), "authentication.oauth2.signing_key"},
		"what the check says": {assertion(func(o *event.OAuth2Auth) { o.SigningAlgorithm = "none" }), "authentication.oauth2.signing_algorithm"},
	} {
		t.Run(name, func(t *testing.T) {
			w := setup(t)
			o := options(w)
			o.CheckOAuth2 = func(o *event.OAuth2Auth) error {
				if o.SigningAlgorithm == "none" {
					return event.Invalid("signing_algorithm", "is none")
				}
				return nil
			}
			cat, err := catalog.Open(w.store, o)
			must(t, err)
			_, err = cat.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://example.com", Authentication: c.auth})
			wantInvalid(t, err, c.field)
		})
	}
}

// What belongs to another type of authentication is not kept.
func TestAuthenticationKeepsItsTypeOnly(t *testing.T) {
	w := setup(t)
	e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", Authentication: &event.Authentication{
		Type:   event.AuthOAuth2,
		APIKey: &event.APIKeyAuth{HeaderName: "X", HeaderValue: "left over"},
		OAuth2: &event.OAuth2Auth{URL: "HTTPS://token.example", ClientID: "c", ClientSecret: "left over", SigningKey: &event.JWK{Kty: "EC"}},
	}})
	must(t, err)
	a := e.Authentication
	if a.APIKey != nil || a.OAuth2.ClientSecret != "" || a.OAuth2.AuthenticationType != "client_assertion" ||
		a.OAuth2.GrantType != "client_credentials" || a.OAuth2.URL != "https://token.example" {
		t.Errorf("authentication %+v, %+v", a, a.OAuth2)
	}
}

func TestTLSValidation(t *testing.T) {
	ends := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	good, other := newCertificate(t, ends), newCertificate(t, ends)
	for name, c := range map[string]struct {
		change func(*event.Endpoint)
		field  string
	}{
		"certificate":     {func(e *event.Endpoint) { e.ClientCert = &good }, ""},
		"two empty texts": {func(e *event.Endpoint) { e.ClientCert = &event.ClientCert{} }, ""},
		"no certificate":  {func(e *event.Endpoint) { e.ClientCert = &event.ClientCert{Key: good.Key} }, "mtls_client_cert.client_cert"},
		"no key":          {func(e *event.Endpoint) { e.ClientCert = &event.ClientCert{Cert: good.Cert} }, "mtls_client_cert.client_key"},
		"another's key":   {func(e *event.Endpoint) { e.ClientCert = &event.ClientCert{Cert: good.Cert, Key: other.Key} }, "mtls_client_cert"},
		"swapped":         {func(e *event.Endpoint) { e.ClientCert = &event.ClientCert{Cert: good.Key, Key: good.Cert} }, "mtls_client_cert"},
		"no PEM":          {func(e *event.Endpoint) { e.ClientCert = &event.ClientCert{Cert: "x", Key: "y"} }, "mtls_client_cert"},
		"long": {func(e *event.Endpoint) {
			e.ClientCert = &event.ClientCert{Cert: good.Cert, Key: strings.Repeat("k", 40_000)}
		}, "mtls_client_cert.client_key"},
		"not https":            {func(e *event.Endpoint) { e.ClientCert, e.URL = &good, "http://example.com" }, "mtls_client_cert"},
		"authority":            {func(e *event.Endpoint) { e.CACert = good.Cert + "\n" + other.Cert }, ""},
		"authority no PEM":     {func(e *event.Endpoint) { e.CACert = "x" }, "ca_cert"},
		"a key as authority":   {func(e *event.Endpoint) { e.CACert = good.Cert + good.Key }, "ca_cert"},
		"broken authority":     {func(e *event.Endpoint) { e.CACert = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" }, "ca_cert"},
		"rest behind the end":  {func(e *event.Endpoint) { e.CACert = good.Cert + "x" }, "ca_cert"},
		"long authority":       {func(e *event.Endpoint) { e.CACert = strings.Repeat(good.Cert, 100) }, "ca_cert"},
		"concurrency":          {func(e *event.Endpoint) { e.MaxConcurrency = event.MaxEndpointConcurrency }, ""},
		"negative concurrency": {func(e *event.Endpoint) { e.MaxConcurrency = -1 }, "max_concurrency"},
		"too much at once":     {func(e *event.Endpoint) { e.MaxConcurrency = event.MaxEndpointConcurrency + 1 }, "max_concurrency"},
	} {
		t.Run(name, func(t *testing.T) {
			w := setup(t)
			e := event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://example.com"}
			c.change(&e)
			made, err := w.CreateEndpoint(e)
			wantInvalid(t, err, c.field)
			if err != nil && strings.Contains(err.Error(), strings.Split(good.Key, "\n")[1]) {
				t.Error("the error shows the key")
			}
			want := time.Time{}
			if c.field == "" && made.ClientCert != nil {
				want = ends
			}
			if err == nil && !made.ClientCertExpires().Equal(want) {
				t.Errorf("the certificate ends %s, want %s", made.ClientCertExpires(), want)
			}
		})
	}
}

// A certificate that has ended is taken and told, and does not keep its endpoint
// from being paused; nor do settings of the project that came later.
func TestLaterChangesDoNotLockAnEndpoint(t *testing.T) {
	w := setup(t)
	cert := newCertificate(t, w.clock.Now().Add(-time.Hour))
	e, err := w.CreateEndpoint(event.Endpoint{
		ProjectID: w.project.ID, Name: "e", URL: "https://x", ClientCert: &cert,
		CustomHeaders: []event.Header{{Name: "X-Later", Value: "v"}},
	})
	must(t, err)
	if !e.ClientCertExpires().Before(w.clock.Now()) || !w.open(t).Snapshot().Endpoint(e.ID).ClientCertExpires().Equal(e.ClientCertExpires()) {
		t.Errorf("the certificate ends %s", e.ClientCertExpires())
	}
	w.configure(t, func(c *event.ProjectConfig) { c.Signature.Header = "x-later" })
	_, err = w.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error { e.Status = event.EndpointPaused; return nil })
	must(t, err)
	_, err = w.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error { e.CustomHeaders[0].Value = "w"; return nil })
	wantInvalid(t, err, "custom_headers.X-Later")
	_, err = w.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error { e.URL = "http://x"; return nil })
	wantInvalid(t, err, "mtls_client_cert")
}

func TestEndpointStrategy(t *testing.T) {
	w := setup(t)
	plain := w.endpoint(t, "a")
	if plain.Policy(w.project) != w.project.Retry || plain.Policy(w.project) == nil {
		t.Error("an endpoint without a strategy has not its project's policy")
	}
	own, err := w.UpdateEndpoint(w.project.ID, plain.ID, func(e *event.Endpoint) error {
		e.Strategy = &event.Strategy{Type: "default", Duration: 5, RetryCount: 3}
		return nil
	})
	must(t, err)
	if own.Strategy.Type != event.StrategyLinear || own.Policy(w.project).Limit() != 3 {
		t.Errorf("strategy %+v, %d attempts", own.Strategy, own.Policy(w.project).Limit())
	}
	w.subscription(t, own)
	for _, snap := range []*catalog.Snapshot{w.Snapshot(), w.open(t).Snapshot()} {
		if e := snap.Endpoint(own.ID); e.Policy(w.project).Limit() != 3 {
			t.Errorf("%d attempts", e.Policy(w.project).Limit())
		}
	}
	for name, c := range map[string]struct {
		strategy event.Strategy
		field    string
	}{
		"unknown type": {event.Strategy{Type: "hope"}, "strategy.type"},
		"no wait":      {event.Strategy{Type: "linear", RetryCount: 1}, "strategy.duration"},
		"bad step":     {event.Strategy{Type: "schedule", Schedule: []int{1, 0}}, "strategy.schedule[1]"},
	} {
		_, err := w.UpdateEndpoint(w.project.ID, own.ID, func(e *event.Endpoint) error { e.Strategy = &c.strategy; return nil })
		var invalid *event.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != c.field {
			t.Errorf("%s: %v, want it to refuse %s", name, err, c.field)
		}
	}
	old, err := w.UpdateEndpoint(w.project.ID, own.ID, func(e *event.Endpoint) error {
		e.Strategy = &event.Strategy{Type: "exponential-backoff"}
		return nil
	})
	must(t, err)
	if old.Strategy.Type != event.StrategySchedule || old.Strategy.ScheduleName != event.ScheduleConvoy || old.Policy(w.project).Limit() != 8 {
		t.Errorf("strategy %+v", old.Strategy)
	}
}

// What a caller hands in and what it is handed out share nothing with what is kept.
func TestEndpointsAreDetached(t *testing.T) {
	w := setup(t)
	in := event.Endpoint{
		ProjectID: w.project.ID, Name: "e", URL: "https://x",
		CustomHeaders:  []event.Header{{Name: "X-A", Value: "v"}},
		Strategy:       &event.Strategy{Type: "schedule", Schedule: []int{1, 2}, NoRetryStatuses: []int{404}, Jitter: new(5)},
		Authentication: &event.Authentication{Type: event.AuthBasic, BasicAuth: &event.BasicAuth{UserName: "u", Password: "p"}},
	}
	e, err := w.CreateEndpoint(in)
	must(t, err)
	scribble := func(in *event.Endpoint) {
		in.CustomHeaders[0].Value = "changed"
		in.Strategy.Schedule[0], in.Strategy.NoRetryStatuses[0], *in.Strategy.Jitter = 9, 9, 9
		if in.Authentication.BasicAuth != nil {
			in.Authentication.BasicAuth.Password = "changed"
		}
	}
	scribble(&in)
	given := &event.Authentication{Type: event.AuthBearer, Bearer: &event.BearerAuth{Token: "t"}, BasicAuth: &event.BasicAuth{}}
	updated, err := w.UpdateEndpoint(w.project.ID, e.ID, func(in *event.Endpoint) error { in.Authentication = given; return nil })
	must(t, err)
	if updated.Authentication == given || given.BasicAuth == nil {
		t.Error("the caller's settings were kept, or changed")
	}
	_, err = w.UpdateEndpoint(w.project.ID, e.ID, func(in *event.Endpoint) error { scribble(in); return errors.New("no") })
	if err == nil {
		t.Fatal("no error")
	}
	if e.CustomHeaders[0].Value != "v" || e.Strategy.Schedule[0] != 1 || e.Strategy.NoRetryStatuses[0] != 404 || *e.Strategy.Jitter != 5 ||
		e.Authentication.BasicAuth.Password != "p" {
		t.Errorf("the endpoint was changed from outside: %+v", e.Endpoint)
	}
}
