package api

import (
	"fmt"
	"strings"
	"testing"
)

func TestStrictRequests(t *testing.T) {
	w := newWorld(t)
	endpoint := w.addEndpoint(w.project, 1)
	w.addSubscription(w.project, endpoint, 1)
	for _, c := range []struct{ method, path, body, message string }{
		{"PUT", "", `{"name":"x","nmae":"y"}`, "unknown field: nmae"},
		{"PUT", "", `{"config":{"strategy":{"duration":5,"retries":1},"ratelimit":{"count":5}}}`, "unknown field: config.strategy.retries"},
		{"PUT", "", `{"b":1,"a":{"c":1},"config":{"signature":{"versions":[{"hash":"SHA256","encoding":"hex"},{"hsah":"x"}]}}}`,
			"unknown field: a, b, config.signature.versions[1].hsah"},
		{"PUT", "", `{"NAME":"x","config":{"SSL":{}}}`, ""}, // as the decoder, without regard to case
		{"PUT", "/endpoints/" + endpoint.String(), `{"strategy":{"type":"linear","max":1}}`, "unknown field: strategy.max"},
		{"PUT", "/endpoints/" + endpoint.String(), `{"strategy":null,"custom_headers":{"X-Any":"v"},"http_timeout":"5s"}`, ""},
		{"PUT", "/endpoints/" + endpoint.String(), `{"authentication":{"type":"bearer","bearer":{"token":"t","kind":"x"}}}`, "unknown field: authentication.bearer.kind"},
		{"PUT", "/subscriptions/" + id('s', 1).String(), `{"filter_config":{"filter":{"body":{"any":{"deep":1}},"is_flattened":false,"cookies":{}}}}`,
			"unknown field: filter_config.filter.cookies"},
		{"POST", "/subscriptions/" + id('s', 1).String() + "/filters/bulk", `[{"event_type":"a"},{"event_type":"b","enabled":true}]`, "unknown field: [1].enabled"},
		{"POST", "/subscriptions/" + id('s', 1).String() + "/filters", `{"event_type":"a","enabled_at":{"set":true,"time":"2026-01-02T03:04:05Z"}}`, ""},
		{"POST", "/event-types", `{"name":"a","json_schema":{"type":"object"},"x":1}`, "unknown field: x"},
		{"PUT", "", `{"` + strings.Repeat("x", 100) + `":1}`, "unknown field: " + strings.Repeat("x", 64) + "..."},
	} {
		for _, prefer := range []string{"handling=strict", "respond-async, Handling = \"strict\"; x=y"} {
			a := w.do(c.method, w.in("%s", c.path), c.body, "Prefer", prefer)
			if a.header.Get("Preference-Applied") != "handling=strict" {
				t.Errorf("the answer does not say that it is strict")
			}
			if c.message == "" && a.Code >= 300 && !strings.Contains(a.Message, "already exists") || c.message != "" && (a.Code != 400 || a.Message != c.message) {
				t.Errorf("%s: %d %q, want %q", c.body, a.Code, a.Message, c.message)
			}
		}
	}
	var many []string
	for n := range 50 {
		many = append(many, fmt.Sprintf(`"f%02d":1`, n))
	}
	a := w.do("PUT", w.in(""), "{"+strings.Join(many, ",")+"}", "Prefer", "handling=strict")
	if n := strings.Count(a.Message, ","); a.Code != 400 || n != maxUnknown-1 {
		t.Errorf("%d fields are named in %q", n+1, a.Message)
	}
}

// Without the preference, what is not known is ignored; of two the last counts.
func TestLenientRequests(t *testing.T) {
	w := newWorld(t)
	for _, prefer := range []string{"", "handling=lenient", "return=minimal", "handling=lenient, handling=strict"} {
		a := w.do("PUT", w.in(""), `{"name":"first","name":"last","x":1}`, "Prefer", prefer)
		w.want(a, 202, "Project updated successfully")
		if a.field("name") != "last" || a.header.Get("Preference-Applied") != "" {
			t.Errorf("with %q the name is %v, applied %q", prefer, a.field("name"), a.header.Get("Preference-Applied"))
		}
	}
	strict := newWorld(t, func(o *Options) { o.Strict = true })
	strict.want(strict.do("PUT", strict.in(""), `{"x":1}`), 400, "unknown field: x")
}
