package catalog_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

func TestCreateProjectFillsDefaults(t *testing.T) {
	w := setup(t)
	cfg, want := w.project.Config, event.DefaultProjectConfig()
	if w.project.Type != "outgoing" || w.project.ID.IsZero() || !w.project.CreatedAt.Equal(w.clock.Now()) {
		t.Errorf("project %+v", w.project.Project)
	}
	if !reflect.DeepEqual(cfg.Strategy, want.Strategy) || cfg.MaxPayloadReadSize != want.MaxPayloadReadSize ||
		cfg.Signature.Header != want.Signature.Header || len(cfg.Signature.Versions) != 1 ||
		cfg.RequestIDHeader != want.RequestIDHeader || cfg.RateLimit != want.RateLimit || cfg.DeadEndpoint != want.DeadEndpoint ||
		cfg.CircuitBreaker != want.CircuitBreaker || cfg.IdempotencyWindow != want.IdempotencyWindow || cfg.MetaEvent.Type != "http" {
		t.Errorf("config %+v, want %+v", cfg, want)
	}
	if w.project.Retry.Limit() != 10 || w.project.Breaker.On() {
		t.Errorf("%d attempts, breaker %v", w.project.Retry.Limit(), w.project.Breaker.On())
	}
	if types := w.Snapshot().EventTypes(w.project.ID); len(types) != 1 || types[0].Name != "*" {
		t.Errorf("event types %v", types)
	}
	if grant, ok := w.Authenticate([]byte(w.key)); !ok || grant.ProjectID != w.project.ID || grant.Instance {
		t.Errorf("the project's first key grants %+v, %v", grant, ok)
	}
}

func TestProjectValidation(t *testing.T) {
	long := strings.Repeat("x", event.MaxNameBytes+1)
	for name, c := range map[string]struct {
		change func(*event.Project)
		field  string
	}{
		"fine":                 {func(p *event.Project) {}, ""},
		"incoming":             {func(p *event.Project) { p.Type = "incoming" }, ""},
		"default strategy":     {func(p *event.Project) { p.Config.Strategy.Type = "default" }, ""},
		"exponential-backoff":  {func(p *event.Project) { p.Config.Strategy.Type = "exponential-backoff" }, ""},
		"longest wait":         {func(p *event.Project) { p.Config.Strategy.Duration = event.MaxRetrySeconds }, ""},
		"most attempts":        {func(p *event.Project) { p.Config.Strategy.RetryCount = event.MaxAttempts }, ""},
		"no name":              {func(p *event.Project) { p.Name = "" }, "name"},
		"blank name":           {func(p *event.Project) { p.Name = " " }, "name"},
		"long name":            {func(p *event.Project) { p.Name = long }, "name"},
		"name not UTF-8":       {func(p *event.Project) { p.Name = "a\xff" }, "name"},
		"line break in name":   {func(p *event.Project) { p.Name = "a\nb" }, "name"},
		"unknown type":         {func(p *event.Project) { p.Type = "sideways" }, "type"},
		"unknown strategy":     {func(p *event.Project) { p.Config.Strategy.Type = "hope" }, "config.strategy.type"},
		"no wait":              {func(p *event.Project) { p.Config.Strategy.Duration = 0 }, "config.strategy.duration"},
		"too long a wait":      {func(p *event.Project) { p.Config.Strategy.Duration = event.MaxRetrySeconds + 1 }, "config.strategy.duration"},
		"no attempt":           {func(p *event.Project) { p.Config.Strategy.RetryCount = 0 }, "config.strategy.retry_count"},
		"too many attempts":    {func(p *event.Project) { p.Config.Strategy.RetryCount = event.MaxAttempts + 1 }, "config.strategy.retry_count"},
		"negative payload":     {func(p *event.Project) { p.Config.MaxPayloadReadSize = -1 }, "config.max_payload_read_size"},
		"rate without period":  {func(p *event.Project) { p.Config.RateLimit = event.RateLimitConfig{Count: 1} }, "config.ratelimit.duration"},
		"negative rate":        {func(p *event.Project) { p.Config.RateLimit.Count = -1 }, "config.ratelimit.count"},
		"bad search policy":    {func(p *event.Project) { p.Config.SearchPolicy = "a week" }, "config.search_policy"},
		"bad signature header": {func(p *event.Project) { p.Config.Signature.Header = "X Sig" }, "config.signature.header"},
		"framing header":       {func(p *event.Project) { p.Config.Signature.Header = "content-length" }, "config.signature.header"},
		"same header twice":    {func(p *event.Project) { p.Config.RequestIDHeader = "x-convoy-SIGNATURE" }, "config.request_id_header"},
		"unknown hash":         {func(p *event.Project) { p.Config.Signature.Versions[0].Hash = "CRC32" }, "config.signature.versions[0]"},
		"unknown encoding":     {func(p *event.Project) { p.Config.Signature.Versions[0].Encoding = "rot13" }, "config.signature.versions[0]"},
		"schedule":             {func(p *event.Project) { p.Config.Strategy = event.Strategy{ScheduleName: "standard-webhooks"} }, ""},
		"bad step":             {func(p *event.Project) { p.Config.Strategy = event.Strategy{Schedule: []int{1, -1}} }, "config.strategy.schedule[1]"},
		"breaker":              {func(p *event.Project) { p.Config.CircuitBreaker.Enabled = true }, ""},
		"bad breaker":          {func(p *event.Project) { p.Config.CircuitBreaker.FailureThreshold = 101 }, "config.circuit_breaker.failure_threshold"},
		"dead strategy":        {func(p *event.Project) { p.Config.DeadEndpoint.Strategy = "bored" }, "config.dead_endpoint.strategy"},
		"dead window": {func(p *event.Project) {
			p.Config.DeadEndpoint = event.DeadEndpointConfig{Strategy: "window", Window: 60}
		}, ""},
		"short dead window": {func(p *event.Project) { p.Config.DeadEndpoint.Window = 59 }, "config.dead_endpoint.window"},
		"long dead window":  {func(p *event.Project) { p.Config.DeadEndpoint.Window = 31 * 86400 }, "config.dead_endpoint.window"},
		"dead count":        {func(p *event.Project) { p.Config.DeadEndpoint.Count = -1 }, "config.dead_endpoint.count"},
		"window of keys":    {func(p *event.Project) { p.Config.IdempotencyWindow = 1 }, ""},
		"negative window":   {func(p *event.Project) { p.Config.IdempotencyWindow = -1 }, "config.idempotency_window"},
		"long window":       {func(p *event.Project) { p.Config.IdempotencyWindow = event.MaxIdempotencyWindow + 1 }, "config.idempotency_window"},
		"retention": {func(p *event.Project) {
			p.Config.Retention = event.RetentionConfig{Payload: 3600, History: 3600, MaxBytes: 1 << 20}
		}, ""},
		"payload alone":        {func(p *event.Project) { p.Config.Retention.Payload = 3600 }, ""},
		"history alone":        {func(p *event.Project) { p.Config.Retention.History = 3600 }, ""},
		"short retention":      {func(p *event.Project) { p.Config.Retention.Payload = 3599 }, "config.retention.payload"},
		"negative retention":   {func(p *event.Project) { p.Config.Retention.History = -1 }, "config.retention.history"},
		"history first":        {func(p *event.Project) { p.Config.Retention = event.RetentionConfig{Payload: 7200, History: 7199} }, "config.retention.history"},
		"retained bytes":       {func(p *event.Project) { p.Config.Retention.MaxBytes = 1<<20 - 1 }, "config.retention.max_bytes"},
		"meta event":           {func(p *event.Project) { p.Config.MetaEvent = event.MetaEventConfig{IsEnabled: true, URL: "https://x"} }, ""},
		"meta event off":       {func(p *event.Project) { p.Config.MetaEvent = event.MetaEventConfig{} }, ""},
		"meta event type":      {func(p *event.Project) { p.Config.MetaEvent.Type = "pub_sub" }, "config.meta_event.type"},
		"meta event of a kind": {func(p *event.Project) { p.Config.MetaEvent.EventTypes = []string{"endpoint.created", "x"} }, "config.meta_event.event_type[1]"},
		"meta event nowhere":   {func(p *event.Project) { p.Config.MetaEvent.IsEnabled = true }, "config.meta_event.url"},
		"meta event refused":   {func(p *event.Project) { p.Config.MetaEvent.URL = "https://refused" }, "config.meta_event.url"},
		"meta event secret":    {func(p *event.Project) { p.Config.MetaEvent.Secret = long }, "config.meta_event.secret"},
		"webhook-id":           {func(p *event.Project) { p.Config.RequestIDHeader = "webhook-id" }, "config.request_id_header"},
		"too many versions": {func(p *event.Project) {
			for range 10 {
				p.Config.Signature.Versions = append(p.Config.Signature.Versions, event.SignatureVersion{Hash: "SHA256", Encoding: "hex"})
			}
		}, "config.signature.versions"},
	} {
		t.Run(name, func(t *testing.T) {
			w := setup(t)
			p := event.Project{Name: "p", Config: event.DefaultProjectConfig()}
			c.change(&p)
			made, _, _, err := w.CreateProject(p)
			wantInvalid(t, err, c.field)
			if c.field != "" {
				return
			}
			switch made.Config.Strategy.Type {
			case event.StrategyLinear, event.StrategyExponential, event.StrategySchedule:
			default:
				t.Errorf("strategy %q", made.Config.Strategy.Type)
			}
			if again := w.open(t).Snapshot().Project(made.ID); !reflect.DeepEqual(again.Project, made.Project) || again.Retry.Limit() != made.Retry.Limit() {
				t.Errorf("after a restart %+v\nwant %+v", again.Project, made.Project)
			}
		})
	}
}

func TestUpdateProject(t *testing.T) {
	w := setup(t)
	w.clock.Advance(time.Minute)
	other := event.NewID()
	p, err := w.UpdateProject(w.project.ID, func(p *event.Project) error {
		p.ID, p.Type, p.CreatedAt = other, "incoming", time.Time{}
		p.Name = "store"
		p.Config.Signature.Versions[0].Hash = "SHA512"
		return nil
	})
	must(t, err)
	if p.ID != w.project.ID || p.Type != "outgoing" || !p.CreatedAt.Equal(w.project.CreatedAt) {
		t.Errorf("the update altered what it must not: %+v", p.Project)
	}
	if p.Name != "store" || !p.UpdatedAt.Equal(w.clock.Now()) || p.Config.Signature.Versions[0].Hash != "SHA512" {
		t.Errorf("the update is not there: %+v", p.Project)
	}
	if w.project.Name != "shop" || w.project.Config.Signature.Versions[0].Hash != "SHA256" {
		t.Error("the update reached the older value")
	}
	if w.Snapshot().Project(p.ID) != p {
		t.Error("the snapshot has another value")
	}
}

func TestUpdateProjectRefused(t *testing.T) {
	w := setup(t)
	_, err := w.UpdateProject(event.NewID(), func(*event.Project) error { return nil })
	wantIs(t, err, event.ErrNotFound)
	no := errors.New("no")
	_, err = w.UpdateProject(w.project.ID, func(p *event.Project) error { p.Name = "lost"; return no })
	wantIs(t, err, no)
	_, err = w.UpdateProject(w.project.ID, func(p *event.Project) error { p.Name = ""; return nil })
	wantInvalid(t, err, "name")
	if w.Snapshot().Project(w.project.ID) != w.project {
		t.Error("a refused update left a trace")
	}
}

func TestDeleteProjectTakesEverythingAlong(t *testing.T) {
	w := setup(t)
	other, _, otherKey, err := w.CreateProject(event.Project{Name: "other"})
	must(t, err)
	before := w.store.Len()
	doomed, _, text, err := w.CreateProject(event.Project{Name: "doomed"})
	must(t, err)
	_, ownerKey, err := w.CreateKey(event.APIKey{ProjectID: doomed.ID, Name: "k", OwnerID: "o"})
	must(t, err)
	link, err := w.CreatePortalLink(event.PortalLink{ProjectID: doomed.ID, Name: "l", OwnerID: "o"})
	must(t, err)
	source, err := w.CreateSource(event.Source{ProjectID: doomed.ID, Name: "s"})
	must(t, err)
	app, err := w.CreateApplication(event.Application{ProjectID: doomed.ID, Name: "a"})
	must(t, err)
	grouped, err := w.CreateEndpoint(event.Endpoint{ProjectID: doomed.ID, Name: "e", URL: "https://example.com", AppID: &app.ID})
	must(t, err)
	_, err = w.CreateSubscription(event.Subscription{
		ProjectID: doomed.ID, EndpointID: grouped.ID, Name: "s", Extra: &event.SubscriptionExtra{SourceID: source.ID},
	})
	must(t, err)
	_, err = w.EnsureDynamic(doomed.ID, &event.Dynamic{URL: "https://dynamic"})
	must(t, err)
	const n = 1100 // more than one batch
	for range n {
		e, err := w.CreateEndpoint(event.Endpoint{ProjectID: doomed.ID, Name: "e", URL: "https://example.com", OwnerID: "o"})
		must(t, err)
		_, err = w.EnsureSubscription(doomed.ID, e.ID)
		must(t, err)
	}
	must(t, w.DeleteProject(doomed.ID))
	if w.store.Len() != before {
		t.Errorf("the store keeps %d records, want %d", w.store.Len(), before)
	}
	s := w.Snapshot()
	if projects, endpoints, subs := s.Counts(); projects != 2 || endpoints != 0 || subs != 0 {
		t.Errorf("left: %d projects, %d endpoints, %d subscriptions", projects, endpoints, subs)
	}
	for e := range s.Owner(doomed.ID, "o") {
		t.Fatalf("the owner keeps endpoint %s", e.ID)
	}
	for _, token := range []string{text, ownerKey, link.Token} {
		if _, ok := w.Authenticate([]byte(token)); ok {
			t.Error("a key of the project still works")
		}
	}
	if s.SourceByMask(source.MaskID) != nil {
		t.Error("the project's source still takes requests")
	}
	if grant, ok := w.Authenticate([]byte(otherKey)); !ok || grant.ProjectID != other.ID {
		t.Error("another project's key stopped working")
	}
	wantIs(t, w.DeleteProject(doomed.ID), event.ErrNotFound)
}

func TestDeleteProjectCanBeRepeatedAfterAFailure(t *testing.T) {
	w := setup(t)
	w.endpoint(t, "a")
	broken := errors.New("disk")
	w.store.Fail(broken)
	wantIs(t, w.DeleteProject(w.project.ID), broken)
	if w.Snapshot().Project(w.project.ID) == nil {
		t.Fatal("the project went without its records")
	}
	w.store.Fail(nil)
	must(t, w.DeleteProject(w.project.ID))
	if w.store.Len() != 0 {
		t.Errorf("the store keeps %d records", w.store.Len())
	}
}

func TestOpenChecksOptions(t *testing.T) {
	for name, change := range map[string]func(*catalog.Options){
		"short pepper":       func(o *catalog.Options) { o.Pepper = o.Pepper[:15] },
		"no instance key":    func(o *catalog.Options) { o.InstanceKey = "" },
		"short instance key": func(o *catalog.Options) { o.InstanceKey = "123456789012345" },
		"long instance key":  func(o *catalog.Options) { o.InstanceKey = strings.Repeat("k", 513) },
		"no URL policy":      func(o *catalog.Options) { o.URLPolicy = nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := setup(t)
			o := options(w)
			change(&o)
			if _, err := catalog.Open(w.store, o); err == nil {
				t.Error("opened")
			}
		})
	}
}
