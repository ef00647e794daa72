package api

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"posthaste/event"
)

// foreign is in everything that a portal grant of owner A must not see.
const foreign = "FOREIGN"

// portalWorld is a world with two owners, A and B, an endpoint without an owner, and
// another project with an endpoint of an owner A of its own.
type portalWorld struct {
	*world
	other   event.ID          // the other project
	own     party             // A's, which the grant may see
	others  []party           // whose things it must not see
	markers []string          // texts that must be in no answer
	grants  map[string]string // tokens, by what they are; all of them of owner A
	tested  []event.ID        // endpoints that test events were for
	around  int               // jobs that there are before a grant asks for any
}

// party is an endpoint and what belongs to it, by the names that paths have for it.
type party map[string]event.ID

func newPortalWorld(t *testing.T) *portalWorld {
	t.Helper()
	w := &portalWorld{grants: make(map[string]string)}
	w.world = newWorld(t, func(o *Options) {
		o.CheckFunction = func(string) error { return nil }
		o.Submit = func(_ context.Context, events []event.Submission) error {
			for i := range events {
				w.tested = append(w.tested, events[i].EndpointID)
			}
			return nil
		}
	})
	w.jobs.run = func(j *event.Job) { j.State = event.JobDone }
	w.other, _ = w.addProject(2)
	_, err := w.catalog.UpdateProject(w.project, func(p *event.Project) error {
		p.Name, p.Config.MetaEvent.Secret = foreign+" project", foreign+"-meta-secret"
		p.Config.MultipleEndpointSubscriptions = true
		return nil
	})
	w.must(err)
	w.own = w.addParty(w.project, 1, "A", "own")
	for i, c := range []struct {
		project event.ID
		owner   string
	}{{w.project, "B"}, {w.project, ""}, {w.other, "A"}} {
		p := w.addParty(c.project, 10*(i+1), c.owner, foreign)
		w.others = append(w.others, p)
		for _, id := range p {
			w.markers = append(w.markers, id.String())
		}
	}
	w.addShared()
	w.addAround()
	w.markers = append(w.markers, foreign, w.other.String())
	return w
}

func (w *portalWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// addParty adds an endpoint with a subscription that has a filter of its own, an event
// and its delivery with an attempt.
func (w *portalWorld) addParty(project event.ID, n int, owner, text string) party {
	w.t.Helper()
	secret := []event.Secret{{ID: id('x', n), Value: text + "-endpoint-secret", CreatedAt: stamp, UpdatedAt: stamp}}
	_, err := w.catalog.CreateEndpoint(event.Endpoint{
		ID: id('e', n), ProjectID: project, OwnerID: owner, Name: text, URL: "https://example.com/" + text, Description: text,
		HTTPTimeout: 10, Secrets: secret,
	})
	w.must(err)
	s, err := w.catalog.CreateSubscription(event.Subscription{
		ID: id('s', n), ProjectID: project, EndpointID: id('e', n), Name: text,
		FilterConfig: event.FilterConfig{EventTypes: []string{text + ".created"}},
		Extra: &event.SubscriptionExtra{Filters: []event.TypeFilter{{ID: id('t', n), EventType: text + ".created",
			EnabledAt: &epoch, CreatedAt: epoch, UpdatedAt: epoch}}},
	})
	w.must(err)
	data, err := json.Marshal(map[string]string{"data": text})
	w.must(err)
	w.log.addEvent(&event.Event{ID: id('f', n), ProjectID: project, Type: text + ".created", IdempotencyKey: text, Data: data})
	d := event.Delivery{
		ID: id('d', n), EventID: id('f', n), ProjectID: project, EndpointID: id('e', n), SubscriptionID: s.ID,
		Status: event.Failure, Attempts: 1, Limit: 3, Reason: text,
	}
	attempt := goodAttempt(d)
	attempt.URL, attempt.ResponseBody = "https://example.com/"+text, []byte(text)
	w.log.addDelivery(d, attempt)
	return party{
		"endpointID": id('e', n), "subscriptionID": s.ID, "eventID": id('f', n), "eventDeliveryID": d.ID,
		"deliveryAttemptID": attemptID(&attempt, d.ID), "filterID": id('t', n), "secretID": id('x', n),
	}
}

// addShared adds an event that goes to A's endpoint and to B's, once with what it owes
// and once without.
func (w *portalWorld) addShared() {
	w.t.Helper()
	for i, n := range []int{50, 51} {
		e := &event.Event{ID: id('f', n), ProjectID: w.project, Type: "own.created", OwnerID: "A", Data: []byte(`{}`)}
		for j, p := range []party{w.own, w.others[0]} {
			d := event.Delivery{
				ID: id('d', 2*n+j), EventID: e.ID, ProjectID: w.project, EndpointID: p["endpointID"],
				SubscriptionID: p["subscriptionID"], Status: event.Success,
			}
			w.log.addDelivery(d)
			if e.Owed = append(e.Owed, d); j == 1 {
				w.markers = append(w.markers, d.ID.String())
			}
		}
		if i == 1 {
			e.Owed = nil
		}
		w.log.addEvent(e)
	}
}

// addAround adds what belongs to the project: a source that A's endpoint hears of, a
// key, a meta event, a job.
func (w *portalWorld) addAround() {
	w.t.Helper()
	src, err := w.catalog.CreateSource(event.Source{
		ProjectID: w.project, Name: foreign, Type: event.SourceHTTP,
		Verifier: &event.Verifier{Type: event.VerifyBasic, BasicAuth: &event.BasicAuth{UserName: foreign, Password: foreign}},
	})
	w.must(err)
	w.markers = append(w.markers, src.MaskID)
	_, err = w.catalog.CreateSubscription(event.Subscription{
		ID: id('s', 60), ProjectID: w.project, EndpointID: w.own["endpointID"], Name: "own",
		FilterConfig: event.FilterConfig{EventTypes: []string{"*"}}, Extra: &event.SubscriptionExtra{SourceID: src.ID},
	})
	w.must(err)
	w.log.addEvent(&event.Event{ID: id('f', 60), ProjectID: w.project, Type: "own", SourceID: src.ID, Data: []byte(`{}`)})
	w.log.addDelivery(event.Delivery{ID: id('d', 60), EventID: id('f', 60), ProjectID: w.project, EndpointID: w.own["endpointID"], SubscriptionID: id('s', 60)})
	w.log.addEvent(&event.Event{ID: id('f', 61), ProjectID: event.MetaProject(w.project), Type: foreign, Data: []byte(`{}`)})
	_, err = w.jobs.Submit(event.Job{ProjectID: w.project, Kind: event.JobRetry})
	w.must(err)
	w.markers = append(w.markers, id('j', 1).String())
	for _, p := range w.others { // one over what is another's alone, and one over that and the own
		for _, endpoints := range [][]event.ID{{p["endpointID"]}, {p["endpointID"], w.own["endpointID"]}} {
			project := w.catalog.Snapshot().Endpoint(p["endpointID"]).ProjectID
			j, err := w.jobs.Submit(event.Job{ProjectID: project, Kind: event.JobRetry, Filter: event.JobFilter{Deliveries: event.DeliveryFilter{Endpoints: endpoints}}})
			w.must(err)
			w.markers, p["jobID"] = append(w.markers, j.ID.String()), j.ID
		}
	}
	w.around = len(w.jobs.jobs)
	for name, scopes := range map[string]event.Scope{"key": event.ScopeRead | event.ScopeManage, "reading key": event.ScopeRead} {
		_, text, err := w.catalog.CreateKey(event.APIKey{ProjectID: w.project, Name: "own", OwnerID: "A", Scopes: scopes})
		w.must(err)
		w.grants[name] = text
	}
}

// addLinks adds the tokens of portal links.
func (w *portalWorld) addLinks() {
	w.t.Helper()
	for name, l := range map[string]event.PortalLink{
		"link":         {OwnerID: "A", AuthType: event.PortalStatic, CanManageEndpoint: true},
		"reading link": {OwnerID: "A", AuthType: event.PortalStatic},
		"listing link": {OwnerID: "A", AuthType: event.PortalStatic, CanManageEndpoint: true, Endpoints: []event.ID{w.own["endpointID"]}},
	} {
		l.ProjectID, l.Name = w.project, foreign
		made, err := w.catalog.CreatePortalLink(l)
		w.must(err)
		w.markers = append(w.markers, made.ID.String())
		w.grants[name] = made.Token
		short, _, err := w.catalog.IssuePortalToken(w.project, made.ID)
		w.must(err)
		w.grants["short-lived "+name] = short
	}
}

// foreignState is all that A must not change, as text.
func (w *portalWorld) foreignState() string {
	snap := w.catalog.Snapshot()
	var state []any
	for _, p := range w.others {
		d, err := w.log.Delivery(snap.Endpoint(p["endpointID"]).ProjectID, p["eventDeliveryID"])
		state = append(state, snap.Endpoint(p["endpointID"]).Endpoint, snap.Subscription(p["subscriptionID"]), d, err)
	}
	for _, j := range w.jobs.jobs[:w.around] {
		state = append(state, j)
	}
	for _, project := range []event.ID{w.project, w.other} {
		state = append(state, snap.Project(project).Project, unused(snap.Keys(project)), snap.EventTypes(project),
			len(snap.Sources(project, event.Range{Limit: 10}, nil)), len(snap.PortalLinks(project, event.Range{Limit: 10}, nil)))
		for _, e := range snap.Endpoints(project, event.Range{Limit: 1000}, nil) {
			if e.OwnerID != "A" || e.ProjectID != w.project {
				state = append(state, e.ID)
			}
		}
		for _, s := range snap.Subscriptions(project, event.Range{Limit: 1000}, nil) {
			if s.EndpointID == w.others[0]["endpointID"] || s.EndpointID == w.others[1]["endpointID"] || s.EndpointID == w.others[2]["endpointID"] {
				state = append(state, s.ID)
			}
		}
	}
	text, err := json.Marshal(state)
	w.must(err)
	return string(text)
}

// unused are keys as if they had never been used.
func unused(keys []event.APIKey) []event.APIKey {
	keys = slices.Clone(keys)
	for i := range keys {
		keys[i].LastUsedAt = nil
	}
	return keys
}

// path is a route's path with the ids of a party.
func (w *portalWorld) path(rt route, p party) string {
	_, path, _ := strings.Cut(rt.pattern, " ")
	return pathParam.ReplaceAllStringFunc(path, func(param string) string {
		name := strings.Trim(param, "{}")
		switch id, known := p[name]; {
		case name == "projectID":
			return w.project.String()
		case name == "eventType":
			return "own.created"
		case known:
			return id.String()
		case name == "jobID":
			return idOf('j', 1).String()
		case name == "metaEventID":
			return idOf('f', 61).String()
		}
		return w.anyOf(name).String()
	})
}

// idOf is id, where a variable hides it.
func idOf(kind byte, n int) event.ID { return id(kind, n) }

// anyOf is the id of something that belongs to the project.
func (w *portalWorld) anyOf(param string) event.ID {
	snap, first := w.catalog.Snapshot(), event.Range{Limit: 1}
	switch param {
	case "keyID":
		for _, k := range snap.Keys(w.project) {
			return k.ID
		}
	case "sourceID":
		for _, s := range snap.Sources(w.project, first, nil) {
			return s.ID
		}
	case "portalLinkID":
		for _, l := range snap.PortalLinks(w.project, first, nil) {
			return l.ID
		}
	}
	return w.project
}
