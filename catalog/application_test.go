package catalog_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"posthaste/catalog"
	"posthaste/event"
)

func (w *world) application(t testing.TB, name string) *event.Application {
	t.Helper()
	a, err := w.CreateApplication(event.Application{ProjectID: w.project.ID, Name: name})
	must(t, err)
	return a
}

func (w *world) endpointsOf(app event.ID) (out []event.ID) {
	for e := range w.Snapshot().EndpointsOfApp(w.project.ID, app) {
		out = append(out, e.ID)
	}
	return out
}

func TestApplications(t *testing.T) {
	w := setup(t)
	a, b := w.application(t, "a"), w.application(t, "b")
	w.clock.Advance(1)
	got, err := w.UpdateApplication(w.project.ID, a.ID, func(a *event.Application) error {
		a.ID, a.ProjectID, a.CreatedAt = event.NewID(), event.NewID(), a.CreatedAt.Add(1)
		a.Name, a.IsDisabled, a.SupportEmail = "changed", true, "mail"
		return nil
	})
	must(t, err)
	want := *a
	want.Name, want.IsDisabled, want.SupportEmail, want.UpdatedAt = "changed", true, "mail", w.clock.Now()
	if *got != want || a.Name != "a" || w.Snapshot().Application(w.project.ID, a.ID) != got {
		t.Errorf("application %+v, want %+v", got, want)
	}
	if list := w.Snapshot().Applications(w.project.ID, event.Range{Limit: 9, Descending: true}, nil); !slices.Equal(list, []*event.Application{b, got}) {
		t.Errorf("listed %v", list)
	}
	no := errors.New("no")
	_, err = w.UpdateApplication(w.project.ID, a.ID, func(*event.Application) error { return no })
	wantIs(t, err, no)
	for field, change := range map[string]func(*event.Application){
		"name":              func(a *event.Application) { a.Name = "" },
		"support_email":     func(a *event.Application) { a.SupportEmail = strings.Repeat("x", event.MaxNameBytes+1) },
		"slack_webhook_url": func(a *event.Application) { a.SlackWebhookURL = "\n" },
	} {
		bad := *b
		change(&bad)
		_, err = w.UpdateApplication(w.project.ID, b.ID, func(a *event.Application) error { *a = bad; return nil })
		wantInvalid(t, err, field)
		bad.ID = event.ID{}
		_, err = w.CreateApplication(bad)
		wantInvalid(t, err, field)
	}
	for _, err := range []error{
		func() error {
			_, err := w.CreateApplication(event.Application{ProjectID: event.NewID(), Name: "a"})
			return err
		}(),
		func() error {
			_, err := w.UpdateApplication(event.NewID(), a.ID, func(*event.Application) error { return nil })
			return err
		}(),
		w.DeleteApplication(event.NewID(), a.ID),
	} {
		wantIs(t, err, event.ErrNotFound)
	}
}

func TestEndpointsOfApp(t *testing.T) {
	w := setup(t)
	a, b := w.application(t, "a"), w.application(t, "b")
	create := func(app *event.ID) (*catalog.Endpoint, error) {
		return w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", AppID: app})
	}
	app := a.ID
	first, err := create(&app)
	must(t, err)
	app = event.NewID() // is the caller's
	second, err := create(&a.ID)
	must(t, err)
	none, err := create(&event.ID{})
	must(t, err)
	if none.AppID != nil || !slices.Equal(w.endpointsOf(a.ID), []event.ID{first.ID, second.ID}) || len(w.endpointsOf(event.ID{})) != 0 {
		t.Errorf("endpoints %s", w.endpointsOf(a.ID))
	}
	w.subscription(t, first) // another value of the endpoint
	for e := range w.Snapshot().EndpointsOfApp(w.project.ID, a.ID) {
		if e != w.Snapshot().Endpoint(e.ID) {
			t.Error("two indexes have two values of an endpoint")
		}
	}
	_, err = create(new(event.NewID()))
	wantInvalid(t, err, "app_id")
	other, _, _, err := w.CreateProject(event.Project{Name: "other"})
	must(t, err)
	_, err = w.CreateEndpoint(event.Endpoint{ProjectID: other.ID, Name: "e", URL: "https://x", AppID: &a.ID})
	wantInvalid(t, err, "app_id")
	_, err = w.UpdateEndpoint(w.project.ID, first.ID, func(e *event.Endpoint) error { *e.AppID = b.ID; return nil })
	must(t, err)
	_, err = w.UpdateEndpoint(w.project.ID, second.ID, func(e *event.Endpoint) error { e.AppID = nil; return nil })
	must(t, err)
	if len(w.endpointsOf(a.ID)) != 0 || !slices.Equal(w.endpointsOf(b.ID), []event.ID{first.ID}) || *first.AppID != a.ID {
		t.Errorf("endpoints %s and %s", w.endpointsOf(a.ID), w.endpointsOf(b.ID))
	}
}

func TestDeleteApplicationTakesEverythingAlong(t *testing.T) {
	w := setup(t)
	a := w.application(t, "a")
	kept := w.endpoint(t, "kept")
	before := w.store.Len() - 1
	for range 3 {
		e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://x", AppID: &a.ID})
		must(t, err)
		w.subscription(t, e)
	}
	w.store.Fail(errors.New("disk"))
	if w.DeleteApplication(w.project.ID, a.ID) == nil || len(w.endpointsOf(a.ID)) != 3 {
		t.Error("a failed write left its trace")
	}
	w.store.Fail(nil)
	must(t, w.DeleteApplication(w.project.ID, a.ID))
	if w.store.Len() != before || len(w.endpointsOf(a.ID)) != 0 || w.Snapshot().Application(w.project.ID, a.ID) != nil {
		t.Errorf("%d records are left, want %d", w.store.Len(), before)
	}
	if w.Snapshot().Endpoint(kept.ID) == nil {
		t.Error("too much is gone")
	}
	wantIs(t, w.DeleteApplication(w.project.ID, a.ID), event.ErrNotFound)
	w.open(t)
}
