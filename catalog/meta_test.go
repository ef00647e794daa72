package catalog_test

import (
	"slices"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/sig"
)

// withMeta is a world whose project hears of what happens to it.
func withMeta(t *testing.T) *world {
	w := setup(t)
	w.configure(t, func(c *event.ProjectConfig) {
		c.MetaEvent = event.MetaEventConfig{IsEnabled: true, URL: "https://ops.example/hook", Secret: "meta secret"}
		c.CircuitBreaker.Enabled, c.DisableEndpoint = true, true
	})
	return w
}

func (w *world) configure(t *testing.T, change func(*event.ProjectConfig)) {
	t.Helper()
	p, err := w.UpdateProject(w.project.ID, func(p *event.Project) error { change(&p.Config); return nil })
	must(t, err)
	w.project = p
}

func TestMetaProject(t *testing.T) {
	w := withMeta(t)
	projectID, endpointID := event.MetaProject(w.project.ID), event.MetaEndpoint(w.project.ID)
	check := func(s *catalog.Snapshot) {
		t.Helper()
		p, e := s.Project(projectID), s.Endpoint(endpointID)
		if p == nil || e == nil {
			t.Fatal("there is no meta project, or no endpoint in it")
		}
		parent := s.Project(w.project.ID)
		if !p.IsMeta() || parent.IsMeta() || p.ID != projectID || p.Retry != parent.Retry || p.Breaker.On() || !parent.Breaker.On() || p.Config.DisableEndpoint {
			t.Errorf("project %+v", p)
		}
		if e.ID != endpointID || e.ProjectID != projectID || e.URL != "https://ops.example/hook" || e.Status != event.EndpointActive ||
			e.Hash() != event.EndpointHash(endpointID) || e.Timeout() != 10*time.Second || e.Policy(p) != parent.Retry {
			t.Errorf("endpoint %+v", e)
		}
		body := []byte(`{"event_type":"endpoint.created"}`)
		v, err := sig.NewVerifier(sig.Version{Hash: "SHA256", Encoding: "hex"}, []string{"meta secret"}, time.Hour)
		must(t, err)
		must(t, v.Verify(string(e.Signer(p).Append(nil, time.Now(), body)), body, time.Now()))
		if p.Config.Signature.Header != "X-Convoy-Signature" {
			t.Errorf("signature header %q", p.Config.Signature.Header)
		}
	}
	check(w.Snapshot())
	check(w.open(t).Snapshot())

	w.configure(t, func(c *event.ProjectConfig) {
		c.Strategy, c.Signature.Header = event.Strategy{Type: "linear", Duration: 7, RetryCount: 3}, "X-Own"
	})
	check(w.Snapshot())
	if limit := w.Snapshot().Project(projectID).Retry.Limit(); limit != 3 {
		t.Errorf("%d attempts after the project has 3", limit)
	}
	w.configure(t, func(c *event.ProjectConfig) { c.MetaEvent.IsEnabled = false })
	if s := w.Snapshot(); s.Project(projectID) != nil || s.Endpoint(endpointID) != nil {
		t.Error("the meta project outlived its settings")
	}
	w.configure(t, func(c *event.ProjectConfig) { c.MetaEvent.IsEnabled = true })
	check(w.Snapshot())
	must(t, w.DeleteProject(w.project.ID))
	if s := w.Snapshot(); s.Project(projectID) != nil || s.Endpoint(endpointID) != nil {
		t.Error("the meta project outlived its project")
	}
}

func TestMetaProjectIsInNoListing(t *testing.T) {
	w := withMeta(t)
	s, projectID, endpointID := w.Snapshot(), event.MetaProject(w.project.ID), event.MetaEndpoint(w.project.ID)
	if projects, endpoints, _ := s.Counts(); projects != 1 || endpoints != 0 {
		t.Errorf("%d projects, %d endpoints", projects, endpoints)
	}
	if got := s.Projects(event.Range{Limit: 10}); len(got) != 1 || got[0].ID != w.project.ID {
		t.Errorf("projects %v", got)
	}
	for _, id := range []event.ID{w.project.ID, projectID} {
		if got := s.Endpoints(id, event.Range{Limit: 10}, nil); len(got) != 0 {
			t.Errorf("endpoints %v", got)
		}
	}
	if s.SubscriptionsOf(endpointID) != nil || len(s.EventTypes(projectID)) != 0 || s.Project(endpointID) != nil || s.Endpoint(projectID) != nil {
		t.Error("something else is there")
	}
}

func TestMetaProjectCannotBeWritten(t *testing.T) {
	w := withMeta(t)
	projectID, endpointID := event.MetaProject(w.project.ID), event.MetaEndpoint(w.project.ID)
	before := w.store.Len()
	for name, write := range map[string]func() error{
		"UpdateProject": func() error {
			_, err := w.UpdateProject(projectID, func(*event.Project) error { return nil })
			return err
		},
		"DeleteProject": func() error { return w.DeleteProject(projectID) },
		"CreateEndpoint": func() error {
			_, err := w.CreateEndpoint(event.Endpoint{ProjectID: projectID, Name: "e", URL: "https://x"})
			return err
		},
		"UpdateEndpoint": func() error {
			_, err := w.UpdateEndpoint(projectID, endpointID, func(*event.Endpoint) error { return nil })
			return err
		},
		"DeleteEndpoint": func() error { return w.DeleteEndpoint(projectID, endpointID) },
		"ChangeStatus": func() error {
			_, err := w.ChangeStatus(projectID, endpointID, "", to(event.EndpointPaused))
			return err
		},
		"ExpireSecret":       func() error { _, err := w.ExpireSecret(projectID, endpointID, "", 0); return err },
		"EnsureSubscription": func() error { _, err := w.EnsureSubscription(projectID, endpointID); return err },
		"CreateSubscription": func() error {
			_, err := w.CreateSubscription(event.Subscription{ProjectID: projectID, EndpointID: endpointID, Name: "s"})
			return err
		},
		"CreateKey": func() error { _, _, err := w.CreateKey(event.APIKey{ProjectID: projectID, Name: "k"}); return err },
		"CreateEventType": func() error {
			_, err := w.CreateEventType(event.EventType{ProjectID: projectID, Name: "n"})
			return err
		},
		"ImportEventTypes": func() error { _, err := w.ImportEventTypes(projectID, `{"webhooks":{"a":{}}}`); return err },
	} {
		t.Run(name, func(t *testing.T) { wantIs(t, write(), event.ErrNotFound) })
	}
	if w.store.Len() != before {
		t.Error("a record was written")
	}
}

func TestWantsMeta(t *testing.T) {
	w := withMeta(t)
	for _, eventType := range event.MetaEventTypes() {
		if !w.project.WantsMeta(eventType) {
			t.Errorf("%s is not wanted though all are", eventType)
		}
	}
	w.configure(t, func(c *event.ProjectConfig) {
		c.MetaEvent.EventTypes = []string{event.MetaEndpointDisabled, event.MetaDeliveryFailed, event.MetaEndpointDisabled}
	})
	if !slices.Equal(w.project.Config.MetaEvent.EventTypes, []string{event.MetaEndpointDisabled, event.MetaDeliveryFailed}) {
		t.Errorf("types %q, want each once", w.project.Config.MetaEvent.EventTypes)
	}
	if !w.project.WantsMeta(event.MetaDeliveryFailed) || w.project.WantsMeta(event.MetaEndpointCreated) {
		t.Error("the types do not decide")
	}
	if w.Snapshot().Project(event.MetaProject(w.project.ID)).WantsMeta(event.MetaDeliveryFailed) {
		t.Error("operational events make operational events")
	}
	w.configure(t, func(c *event.ProjectConfig) { c.MetaEvent.IsEnabled = false })
	if w.project.WantsMeta(event.MetaDeliveryFailed) {
		t.Error("wanted though it is off")
	}
}

func TestMetaSecretIsMadeAndKept(t *testing.T) {
	w := setup(t)
	w.configure(t, func(c *event.ProjectConfig) {
		c.MetaEvent = event.MetaEventConfig{IsEnabled: true, URL: "https://ops.example"}
	})
	made := w.project.Config.MetaEvent.Secret
	if len(made) != 25 {
		t.Errorf("a secret of %d characters was made", len(made))
	}
	w.configure(t, func(c *event.ProjectConfig) { c.MetaEvent.Secret = "" })
	if w.project.Config.MetaEvent.Secret != made {
		t.Error("leaving the secret out made another")
	}
}
