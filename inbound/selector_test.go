package inbound

import (
	"strconv"
	"strings"
	"testing"

	"posthaste/event"
)

const selectorBody = `{"type":"order.paid","n":12.50,"yes":true,"null":null,"empty":"","esc":"a\u0062\n","object":{"a":{"b":"deep"}},
	"items":[{"id":"first"},{"id":"second"}],"dotted.name":"d1","a.b":{"c.d":"d2"},"twice":"1","twice":"2","7":{"x":"seven"}}`

func TestSelectors(t *testing.T) {
	headers := []string{"X-Event", "push", "x-many", "1", "X-Many", "2"}
	target := "/ingest/" + mask + "?type=q.type&empty&plus=a+b%21&many=1&many=2&dot.ted=yes&bad=%zz"
	for _, tc := range []struct{ location, want string }{
		{"", ""},
		{"request.body.type", "order.paid"},
		{"request.Body.type", "order.paid"},
		{"REQUEST.BODY.type", "order.paid"},
		{"req.body.type", "order.paid"},
		{"Req.Body.type", "order.paid"},
		{"body.type", "order.paid"},
		{" body.type ", "order.paid"},
		{"request.body.Type", ""},
		{"request.body.n", "12.50"},
		{"request.body.yes", "true"},
		{"request.body.null", ""},
		{"request.body.empty", ""},
		{"request.body.absent", ""},
		{"request.body.type.more", ""},
		{"request.body.object", ""},
		{"request.body.items", ""},
		{"request.body", ""},
		{"request.body.object.a.b", "deep"},
		{"request.body.items.1.id", "second"},
		{"request.body.items.2.id", ""},
		{"request.body.items.-1.id", ""},
		{"request.body.items.id", ""},
		{"request.body.7.x", "seven"},
		{"request.body.dotted.name", "d1"},
		{"request.body.a.b.c.d", "d2"},
		{"request.body.twice", "2"},
		{"request.header.X-Event", "push"},
		{"request.Header.x-event", "push"},
		{"request.headers.X-EVENT", "push"},
		{"req.header.X-Event", "push"},
		{"header.X-Event", "push"},
		{"request.header.X-Many", "1, 2"},
		{"request.header.Content-Type", "application/json"},
		{"request.header.X-Absent", ""},
		{"request.header", ""},
		{"request.query.type", "q.type"},
		{"request.Query.type", "q.type"},
		{"request.QueryParam.type", "q.type"},
		{"request.queryparams.type", "q.type"},
		{"query.type", "q.type"},
		{"request.query.plus", "a b!"},
		{"request.query.many", "1,2"},
		{"request.query.dot.ted", "yes"},
		{"request.query.bad", "%zz"},
		{"request.query.empty", ""},
		{"request.query", ""},
		{"request", ""},
		{"type", ""},
		{"request.path", ""},
		{"request.cookie.a", ""},
		{"body." + strings.Repeat("x", 2000), ""},
	} {
		t.Run(tc.location[:min(len(tc.location), 40)], func(t *testing.T) {
			w := newWorld(func(src *event.Source) { src.EventTypeLocation = tc.location })
			e := w.accepted(t, call{target: target, body: selectorBody, headers: headers})
			if want := or(tc.want, mask); e.Type != want {
				t.Errorf("type %q, want %q", e.Type, want)
			}
		})
	}
}

func TestEventTypeOfEscapes(t *testing.T) {
	w := newWorld(func(src *event.Source) { src.EventTypeLocation = "request.body.t" })
	for _, tc := range []struct {
		body, want string
		code       int
	}{
		{`{"t":"a\u0062c \u00e9"}`, "abc é", 200},
		{`{"t":"` + strings.Repeat("x", event.MaxNameBytes) + `"}`, strings.Repeat("x", event.MaxNameBytes), 200},
		{`{"t":"` + strings.Repeat("x", event.MaxNameBytes+1) + `"}`, "", 400},
		{`{"t":"a\nb"}`, "", 400},
		{`{"t":"a\u0085b"}`, "", 400},
		{"{\"t\":\"\xff\"}", "", 400},
		{`"t"`, mask, 200},
		{`[1]`, mask, 200},
		{`null`, mask, 200},
	} {
		a := do(t, w.inbound(), call{body: tc.body})
		if a.code != tc.code || a.code != 200 && !strings.HasPrefix(a.Message, "event type: ") {
			t.Errorf("%q: %d %s", tc.body, a.code, a.body)
		}
		if a.code == 200 && w.mu.subs[len(w.mu.subs)-1].Event.Type != tc.want {
			t.Errorf("%q: type %q", tc.body, w.mu.subs[len(w.mu.subs)-1].Event.Type)
		}
	}
}

func TestEventTypeOfProviders(t *testing.T) {
	for i, tc := range []struct{ provider, location, want string }{
		{event.ProviderGitHub, "", "pull_request"},
		{event.ProviderShopify, "", "orders/create"},
		{event.ProviderTwitter, "", mask},
		{event.ProviderGitHub, "request.body.action", "opened"},
		{event.ProviderGitHub, "request.body.absent", mask},
		{"", "", mask},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			w := newWorld(func(src *event.Source) { src.Provider, src.EventTypeLocation = tc.provider, tc.location })
			e := w.accepted(t, call{body: `{"action":"opened"}`, headers: []string{"X-GitHub-Event", "pull_request", "X-Shopify-Topic", "orders/create"}})
			if e.Type != tc.want {
				t.Errorf("type %q, want %q", e.Type, tc.want)
			}
		})
	}
	w := newWorld(func(src *event.Source) { src.Provider = event.ProviderGitHub })
	if e := w.accepted(t, call{}); e.Type != mask {
		t.Errorf("without the header: type %q", e.Type)
	}
}

// A selector applies to what the form became.
func TestSelectorsInForms(t *testing.T) {
	w := newWorld(func(src *event.Source) { src.EventTypeLocation = "request.body.item.1" })
	e := w.accepted(t, call{media: "application/x-www-form-urlencoded", body: "item=a&item=b"})
	if e.Type != "b" {
		t.Errorf("type %q", e.Type)
	}
}
