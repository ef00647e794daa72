package api

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"posthaste/event"
)

func TestOneAttempt(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	path := w.in("/eventdeliveries/%s/deliveryattempts", id('d', 1))
	var all []json.RawMessage
	if err := json.Unmarshal(w.do("GET", path, "").Data, &all); err != nil || len(all) != 2 {
		t.Fatalf("%d attempts, error %v", len(all), err)
	}
	seen := make(map[event.ID]bool)
	for _, want := range all {
		var attempt struct {
			ID event.ID `json:"uid"`
		}
		if err := json.Unmarshal(want, &attempt); err != nil {
			t.Fatal(err)
		}
		seen[attempt.ID] = true
		a := w.do("GET", path+"/"+attempt.ID.String(), "")
		w.want(a, 200, "Event delivery attempt fetched successfully")
		if string(a.Data) != string(want) {
			t.Errorf("alone %s\nin the list %s", a.Data, want)
		}
	}
	if len(seen) != 2 {
		t.Errorf("two attempts share an id: %v", seen)
	}
	w.want(w.do("GET", path+"/"+id('a', 1).String(), ""), 404, "Resource not found")
	w.want(w.do("GET", path+"/1", ""), 404, "Resource not found")
}

func TestAttemptIDDependsOnDeliveryAndNumber(t *testing.T) {
	seen := make(map[event.ID]bool)
	for d := 1; d <= 3; d++ {
		for n := 1; n <= 3; n++ {
			a := event.Attempt{Number: n, StartedAt: epoch.Add(123 * time.Microsecond)}
			got := attemptID(&a, id('d', d))
			if got != attemptID(&a, id('d', d)) || !event.TimeOf(got).Equal(epoch) {
				t.Errorf("delivery %d attempt %d: id %s of %s", d, n, got, event.TimeOf(got))
			}
			seen[got] = true
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d ids for 9 attempts", len(seen))
	}
}

func TestHeaderLines(t *testing.T) {
	for _, c := range []struct {
		name, lines, own string
		want             map[string]string
	}{
		{"none", "", "", map[string]string{}},
		{"two", "A: 1\r\nB:2\r\n", "", map[string]string{"A": "1", "B": "2"}},
		{"repeated", "A: 1\r\nA: 2\r\n", "", map[string]string{"A": "1, 2"}},
		{"colons", "A: b:c\r\n", "", map[string]string{"A": "b:c"}},
		{"status line", "HTTP/1.1 200 OK\r\nA: 1\r\n", "", map[string]string{"A": "1"}},
		{"cut in a name", "A: 1\r\nConte", "", map[string]string{"A": "1"}},
		{"cut in a value", "A: 1\r\nB: 2", "", map[string]string{"A": "1", "B": "2"}},
		{"no name", ": 1\r\n", "", map[string]string{}},
		{"not UTF-8", "A: \xff\r\n", "", map[string]string{"A": "\uFFFD"}},
		{"own", "X-Door: open\r\n", "x-door", map[string]string{"X-Door": masked}},
		{"sensitive", "Authorization: a\r\nPROXY-AUTHORIZATION: b\r\ncookie: c\r\nSet-Cookie: d\r\nSet-Cookie: e\r\nX-API-Key: f\r\nApiKey: g\r\nX-Auth-Token: h\r\nX-Secret: i\r\n", "",
			map[string]string{"Authorization": masked, "PROXY-AUTHORIZATION": masked, "cookie": masked, "Set-Cookie": masked,
				"X-API-Key": masked, "ApiKey": masked, "X-Auth-Token": masked, "X-Secret": masked}},
		{"signature", "X-Convoy-Signature: t=1,v1=2\r\n", "", map[string]string{"X-Convoy-Signature": "t=1,v1=2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (headerMask{own: c.own}).parse([]byte(c.lines)); !maps.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// The header that an endpoint authenticates with is masked whatever its name.
func TestOwnHeaderIsMasked(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	w.want(w.do("PUT", w.in("/endpoints/%s", id('e', 1)),
		`{"authentication":{"type":"api_key","api_key":{"header_name":"X-Door","header_value":"open"}}}`), 202, "Endpoint updated successfully")
	d := event.Delivery{ID: id('d', 5), ProjectID: w.project, EndpointID: id('e', 1)}
	w.log.addDelivery(d, event.Attempt{Number: 1, RequestHeaders: []byte("x-door: open\r\nA: b\r\n")})
	var all []attemptView
	a := w.do("GET", w.in("/eventdeliveries/%s/deliveryattempts", d.ID), "")
	if err := json.Unmarshal(a.Data, &all); err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"x-door": masked, "A": "b"}; !maps.Equal(all[0].RequestHeaders, want) {
		t.Errorf("got %v, want %v", all[0].RequestHeaders, want)
	}
}

func TestStatusText(t *testing.T) {
	for code, want := range map[int]string{0: "", 200: "200 OK", 404: "404 Not Found", 599: "599"} {
		if got := statusText(code); got != want {
			t.Errorf("%d: %q, want %q", code, got, want)
		}
	}
}

func TestIPOf(t *testing.T) {
	for address, want := range map[string]string{"": "", "192.0.2.1:443": "192.0.2.1", "[2001:db8::1]:80": "2001:db8::1", "192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::1"} {
		if got := ipOf(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
