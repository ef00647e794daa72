package test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// subscribed makes an endpoint of an owner, with a subscription of its own.
func (p *project) subscribed(url, owner string, subscription object) string {
	p.t.Helper()
	var e endpointView
	p.do("POST", "/endpoints", object{"name": "receiver", "url": url, "owner_id": owner, "rate_limit": 0}, &e)
	p.do("POST", "/subscriptions", with(object{"name": "some", "endpoint_id": e.UID}, subscription), nil)
	return e.UID
}

// eventView is an event as the API shows it.
type eventView struct {
	UID           string
	EventType     string `json:"event_type"`
	Endpoints     []string
	Status        string
	FailureReason string `json:"failure_reason"`
	IsDuplicate   bool   `json:"is_duplicate_event"`
	DuplicateOf   string `json:"duplicate_of"`
}

func (p *project) eventAt(id string) (e eventView) {
	p.t.Helper()
	p.do("GET", "/events/"+id, nil, &e)
	return e
}

func (p *project) events(query string) []eventView {
	p.t.Helper()
	var all page[eventView]
	p.do("GET", "/events?perPage=1000&"+query, nil, &all)
	return all.Content
}

// goesTo lists, sorted, the names of the endpoints that an event is owed to.
func (p *project) goesTo(event string, names map[string]string) []string {
	p.t.Helper()
	var all []string
	for _, id := range p.eventAt(event).Endpoints {
		all = append(all, names[id])
	}
	slices.Sort(all)
	return all
}

// TestEventTypes: a subscription takes the types that it names, exactly and with their
// case, by a star, a glob or a regular expression.
func TestEventTypes(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	names := make(map[string]string)
	for name, types := range map[string][]string{
		"all":   {"*"},
		"exact": {"order.paid", "order.sent"},
		"glob":  {"order.*"},
		"class": {"v[12].?"},
		"regex": {"regex:(order|invoice)\\.(paid|void)"},
	} {
		names[p.subscribed(in.URL+"/"+name, "shop", object{"filter_config": object{"event_types": types}})] = name
	}
	wanted := 0
	for eventType, want := range map[string]string{
		"order.paid":      "all exact glob regex",
		"order.sent":      "all exact glob",
		"Order.Paid":      "all",
		"order.paid.late": "all glob",
		"order":           "all",
		"invoice.void":    "all regex",
		"invoice.voided":  "all",
		"v2.x":            "all class",
		"v3.x":            "all",
		"regex:order":     "all",
	} {
		id := p.post("/events/fanout", object{"owner_id": "shop", "event_type": eventType, "data": eventType})
		if got := p.goesTo(id, names); strings.Join(got, " ") != want {
			t.Errorf("%s goes to %v, want %s", eventType, got, want)
		}
		wanted += len(strings.Fields(want))
	}
	for _, a := range in.await(t, wanted) {
		if a.path == "/exact" && a.body != `"order.paid"` && a.body != `"order.sent"` {
			t.Errorf("%s came to %s", a.body, a.path)
		}
	}
	ep := p.add(in.URL, object{"owner_id": "other"})
	p.refused("POST", "/subscriptions", object{"name": "n", "endpoint_id": ep, "filter_config": object{"event_types": []string{"regex:("}}}, "already exists")
	var made endpointView
	p.do("POST", "/endpoints", object{"name": "n", "url": in.URL}, &made)
	p.refused("POST", "/subscriptions", object{"name": "n", "endpoint_id": made.UID, "filter_config": object{"event_types": []string{"a", "regex:("}}}, "event_types[1]")
	if n := len(in.arrivals()); n != wanted {
		t.Errorf("%d requests came, want %d", n, wanted)
	}
}

// filters are conditions, and the numbers of the filtered events that meet them.
var filters = map[string]struct {
	filter object
	want   string
}{
	"equal":      {object{"body": object{"kind": "gold"}}, "1"},
	"implicit":   {object{"body": object{"user.plan": []string{"pro", "max"}}}, "1 2"},
	"range":      {object{"body": object{"amount": object{"$gte": 10, "$lt": 20}}}, "1"},
	"gt lte":     {object{"body": object{"amount": object{"$gt": 10, "$lte": 20}}}, "2"},
	"in":         {object{"body": object{"kind": object{"$in": []string{"gold", "tin"}}}}, "1 3"},
	"nin":        {object{"body": object{"kind": object{"$nin": []string{"gold", "tin"}}}}, "2"},
	"neq":        {object{"body": object{"kind": object{"$neq": "gold"}}}, "2 3"},
	"or":         {object{"body": object{"$or": []object{{"kind": "tin"}, {"user.plan": "max"}}}}, "2 3"},
	"and":        {object{"body": object{"$and": []object{{"amount": object{"$gte": 10}}, {"user.plan": "pro"}}}}, "1"},
	"exists":     {object{"body": object{"user": object{"$exist": true}}}, "1 2"},
	"absent":     {object{"body": object{"user": object{"$exist": false}}}, "3"},
	"regex":      {object{"body": object{"kind": object{"$regex": "^[gt]"}}}, "1 3"},
	"any of":     {object{"body": object{"items.$.id": 7}}, "2"},
	"position":   {object{"body": object{"items.0.id": 7}}, ""},
	"big":        {object{"body": object{"id": "9007199254740993"}}, ""},
	"header":     {object{"headers": object{"X-Region": "eu"}}, "1 3"},
	"two parts":  {object{"headers": object{"x-region": "eu"}, "body": object{"kind": "tin"}}, "3"},
	"no filters": {object{}, "1 2 3"},
}

// TestFilters: an event goes to those of an owner's endpoints whose conditions it meets.
func TestFilters(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	names := make(map[string]string)
	for name, f := range filters {
		names[p.subscribed(in.URL, "shop", object{"filter_config": object{"event_types": []string{"order.*"}, "filter": f.filter}})] = name
	}
	exact := p.subscribed(in.URL, "numbers", object{"filter_config": object{"filter": object{"body": object{"id": 9007199254740993}}}})
	got := make(map[string][]string)
	for n, event := range map[string]object{
		"1": {"data": object{"kind": "gold", "amount": 10, "user": object{"plan": "pro"}}, "custom_headers": object{"X-Region": "eu"}},
		"2": {"data": object{"kind": "lead", "amount": 20.0, "user": object{"plan": "max"}, "items": []object{{"id": 6}, {"id": 7}}}},
		"3": {"data": object{"kind": "tin", "amount": "15", "items": []object{}}, "custom_headers": object{"x-region": "eu"}},
	} {
		id := p.post("/events/fanout", with(event, object{"owner_id": "shop", "event_type": "order.made"}))
		for _, name := range p.goesTo(id, names) {
			got[name] = append(got[name], n)
		}
	}
	for name, f := range filters {
		slices.Sort(got[name])
		if met := strings.Join(got[name], " "); met != f.want {
			t.Errorf("%s is met by %q, want %q", name, met, f.want)
		}
	}
	for id, want := range map[string]int{"9007199254740993": 1, "9007199254740992": 0} {
		ev := p.post("/events/fanout", `{"owner_id":"numbers","event_type":"t","data":{"id":`+id+`}}`)
		if all := p.eventAt(ev).Endpoints; len(all) != want || want == 1 && all[0] != exact {
			t.Errorf("id %s goes to %v", id, all)
		}
	}
	p.refused("POST", "/subscriptions", object{"name": "n", "endpoint_id": p.add(in.URL, nil)}, "already exists")
}

// TestUnmatchedEvent: an event that nothing wants is taken, kept and shown, and owed to
// nobody.
func TestUnmatchedEvent(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	ep := p.subscribed(in.URL, "shop", object{"filter_config": object{"event_types": []string{"order.paid"}}})
	for _, id := range []string{
		p.post("/events/fanout", object{"owner_id": "shop", "event_type": "order.sent", "data": 1}),
		p.post("/events", object{"endpoint_id": ep, "event_type": "order.sent", "data": 2}),
	} {
		e := p.eventAt(id)
		if e.Status != "Failure" || e.FailureReason == "" || len(e.Endpoints) != 0 || len(p.deliveriesOf(id)) != 0 {
			t.Errorf("the event: %+v", e)
		}
		if !slices.ContainsFunc(p.events(""), func(e eventView) bool { return e.UID == id }) {
			t.Errorf("%s is not in the list", id)
		}
	}
	p.refused("POST", "/events/fanout", object{"owner_id": "nobody", "event_type": "order.sent", "data": 1}, "owner_id")
	id := p.post("/events", object{"endpoint_id": ep, "event_type": "order.paid", "data": 3})
	p.await(id, "Success")
	if e := p.eventAt(id); e.Status != "Success" || len(e.Endpoints) != 1 || len(in.arrivals()) != 1 {
		t.Errorf("one that is wanted: %+v, %d requests", e, len(in.arrivals()))
	}
}

// TestNewEndpointGetsEvents: what is made a moment before an event takes part in it.
func TestNewEndpointGetsEvents(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	for n := 1; n <= 5; n++ {
		p.subscribed(in.URL, "shop", nil)
		if e := p.eventAt(p.post("/events/fanout", object{"owner_id": "shop", "event_type": "t", "data": n})); len(e.Endpoints) != n {
			t.Errorf("with %d endpoints the event goes to %d", n, len(e.Endpoints))
		}
	}
}

// TestFanOutRetriesOneAlone: of three endpoints the one that fails is retried, and
// the others get nothing twice.
func TestFanOutRetriesOneAlone(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	failed := script(500, 200)
	in.reply(func(w http.ResponseWriter, a arrival) {
		if a.path == "/ill" {
			failed(w, a)
		}
	})
	p := newProject(t, linear(1, 3))
	for _, path := range []string{"/one", "/two", "/ill"} {
		p.add(in.URL+path, object{"owner_id": "shop"})
	}
	id := p.post("/events/fanout", object{"owner_id": "shop", "event_type": "t", "data": 1})
	eventually(t, "all have it", func() bool {
		all := p.deliveriesOf(id)
		return len(all) == 3 && !slices.ContainsFunc(all, func(d deliveryView) bool { return d.Status != "Success" })
	})
	count := make(map[string]int)
	for _, a := range in.arrivals() {
		count[a.path]++
	}
	if count["/one"] != 1 || count["/two"] != 1 || count["/ill"] != 2 {
		t.Errorf("requests by path: %v", count)
	}
}

// TestTransformation: what a subscription's function returns is what is sent and
// signed; one that throws or does not end is recorded with the delivery, is not held
// against the endpoint, and holds nothing else up.
func TestTransformation(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, with(linear(1, 2), object{"disable_endpoint": true}), "--transform-timeout", "2s")
	function := func(path, source string) string {
		return p.subscribed(in.URL+path, "shop", object{"function": source})
	}
	changed := function("/changed", `function transform(payload) { return {order: payload.id, cents: Math.round(payload.price * 100)} }`)
	thrown := function("/thrown", `function transform(payload) { throw new Error("no customer " + payload.id) }`)
	endless := function("/endless", `function transform(payload) { while (true) {} }`)
	untouched := function("/untouched", "")
	const data = `{"id":7, "price":1.50}`
	id := p.post("/events/fanout", `{"owner_id":"shop","event_type":"t","data":`+data+`}`)

	var all map[string]deliveryView
	eventually(t, "the deliveries end", func() bool {
		all = make(map[string]deliveryView)
		for _, d := range p.deliveriesOf(id) {
			if d.Status == "Success" || d.Status == "Failure" {
				all[d.EndpointID] = d
			}
		}
		return len(all) == 4
	})
	for ep, want := range map[string]struct{ status, says string }{
		changed: {"Success", ""}, untouched: {"Success", ""}, thrown: {"Failure", "no customer 7"}, endless: {"Failure", "timeout"},
	} {
		d := all[ep]
		attempts := p.attemptsOf(d.UID)
		last := attempts[len(attempts)-1]
		if d.Status != want.status || !strings.Contains(last.Error, want.says) || want.says != "" && (last.Class != "transform" || len(attempts) != 2) {
			t.Errorf("%s: %+v, want %s and %q", d.Status, attempts, want.status, want.says)
		}
		if e := p.endpointOf(ep); e.Status != "active" {
			t.Errorf("the endpoint is %s: %+v", e.Status, e.History)
		}
	}
	sent := map[string]string{}
	for _, a := range in.arrivals() {
		sent[a.path] += a.body
	}
	if len(sent) != 2 || sent["/changed"] != `{"order":7,"cents":150}` || sent["/untouched"] != data {
		t.Errorf("sent: %v", sent)
	}
	p.refused("POST", "/subscriptions", object{"name": "n", "endpoint_id": p.create(in.URL, nil).UID, "function": "function transform( {"}, "function: syntax")
	var e endpointView
	p.do("POST", "/endpoints", object{"name": "n", "url": in.URL + "/signed", "secret": "transformed"}, &e)
	p.do("POST", "/subscriptions", object{"name": "n", "endpoint_id": e.UID, "function": "function transform(p) { return [p] }"}, nil)
	p.await(p.send(e.UID, `1`), "Success")
	a := in.arrivals()[len(in.arrivals())-1]
	if err := a.verify(t, convoySecret("transformed")); err != nil || a.body != `[1]` {
		t.Errorf("%s: %v", a.body, err)
	}
}

// TestTryOut: filters and functions can be tried without a subscription.
func TestTryOut(t *testing.T) {
	t.Parallel()
	p := newProject(t, nil, "--transform-timeout", "2s")
	for name, c := range map[string]struct {
		body object
		want bool
	}{
		"body":   {object{"request": object{"body": object{"n": 5}}, "schema": object{"body": object{"n": object{"$gt": 4}}}}, true},
		"not":    {object{"request": object{"body": object{"n": 5}}, "schema": object{"body": object{"n": object{"$gt": 5}}}}, false},
		"header": {object{"request": object{"header": object{"X-A": "1"}}, "schema": object{"header": object{"x-a": "1"}}}, true},
		"query":  {object{"request": object{"query": "a=1&a=2"}, "schema": object{"query": object{"a": "2"}}}, true},
		"path":   {object{"request": object{"path": "/v2/orders"}, "schema": object{"path": object{"path": object{"$regex": "^/v1"}}}}, false},
	} {
		var got bool
		if p.do("POST", "/subscriptions/test_filter", c.body, &got); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
	p.refused("POST", "/subscriptions/test_filter", object{"request": object{}, "schema": object{"body": object{"a": object{"$nothing": 1}}}}, "schema.body")

	var ran struct {
		Payload struct{ Sum int }
		Log     []string
	}
	p.do("POST", "/subscriptions/test_function", object{"payload": []int{1, 2, 3},
		"function": `function transform(p) { console.log("adding", p.length); return {sum: p.reduce((a, b) => a + b)} }`}, &ran)
	if ran.Payload.Sum != 6 || len(ran.Log) != 1 || ran.Log[0] != "adding 3" {
		t.Errorf("the function made %+v", ran)
	}
	p.refused("POST", "/subscriptions/test_function", object{"payload": 1, "function": "function transform() { for (;;) {} }"}, "function: timeout")
	p.refused("POST", "/subscriptions/test_function", object{"payload": 1, "function": "function transform() { throw 'up' }"}, "up")
}

// TestEventTypeCatalogue: types are created, changed, deprecated, and imported from an
// OpenAPI document's webhooks; an event of a type that is not there is taken.
func TestEventTypeCatalogue(t *testing.T) {
	t.Parallel()
	p := newProject(t, nil)
	type eventType struct {
		UID, Name, Category, Description string
		JSONSchema                       object `json:"json_schema"`
		DeprecatedAt                     string `json:"deprecated_at"`
	}
	var paid eventType
	p.do("POST", "/event-types", object{"name": "order.paid", "category": "orders", "description": "It was paid."}, &paid)
	p.do("PUT", "/event-types/"+paid.UID, object{"description": "Paid in full.", "json_schema": object{"type": "object"}}, &paid)
	if paid.Name != "order.paid" || paid.Category != "orders" || paid.Description != "Paid in full." || paid.JSONSchema["type"] != "object" || paid.DeprecatedAt != "" {
		t.Errorf("changed: %+v", paid)
	}
	p.do("POST", "/event-types/"+paid.UID+"/deprecate", nil, &paid)
	if paid.DeprecatedAt == "" {
		t.Errorf("deprecated: %+v", paid)
	}
	p.refused("POST", "/event-types", object{"category": "nameless"}, "name")
	if code, a := p.try("POST", "/event-types", object{"name": "order.paid"}); code/100 != 4 || !strings.Contains(a.Message, "name: ") {
		t.Errorf("a second one of the name: %d %s", code, a.Message)
	}
	p.do("POST", "/event-types/import", object{"spec": openAPI}, nil)
	p.do("POST", "/event-types/import", object{"spec": openAPI}, nil)
	var all []eventType
	p.do("GET", "/event-types", nil, &all)
	byName := make(map[string]eventType)
	for _, et := range all {
		byName[et.Name] = et
	}
	pet := byName["pet.born"]
	if len(byName) != len(all) || pet.Description == "" || !strings.Contains(fmt.Sprint(pet.JSONSchema), "Pet:map[properties:map[name:map[type:string]]") || byName["pet.sold"].UID == "" || byName["order.paid"].UID != paid.UID {
		t.Errorf("after an import: %+v", all)
	}
	p.refused("POST", "/event-types/import", object{"spec": "neither JSON nor: [YAML"}, "spec")
	var others []eventType
	p.another(nil).do("GET", "/event-types", nil, &others)
	for _, et := range others {
		if et.Name == "order.paid" || et.Name == "pet.born" {
			t.Errorf("another project has %+v", et)
		}
	}
	in := newInbox(t)
	p.await(p.post("/events", object{"endpoint_id": p.add(in.URL, nil), "event_type": "not.in.it", "data": 1}), "Success")
}

// openAPI is a small document with two webhooks.
const openAPI = `{"openapi": "3.1.0", "info": {"title": "Pets", "version": "1"}, "paths": {},
	"webhooks": {
		"pet.born": {"post": {"summary": "A pet was born", "description": "A pet was born.", "requestBody": {"content": {"application/json": {
			"schema": {"$ref": "#/components/schemas/Pet"}}}}, "responses": {"200": {"description": "taken"}}}},
		"pet.sold": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}, "responses": {"200": {"description": "taken"}}}}
	},
	"components": {"schemas": {"Pet": {"type": "object", "properties": {"name": {"type": "string"}}}}}}`
