package browsertest

import (
	"testing"
	"time"
)

// The budget of a page, in bytes over the wire.
const (
	firstLoad = 100_000 // with nothing kept
	laterLoad = 15_000  // with all assets kept
	scripts   = 25_000
)

const firstPaint = `performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0`

// TestBudget: no page takes more than it may. What each takes is in the table at the end.
func TestBudget(t *testing.T) {
	p := listed(t)
	id := p.deliveries("status=Retry")[0]
	_, portal := portalOf(p, "tern")
	for i := range 40 { // a full page of the list
		p.event(id.EndpointID, "order.paid", object{"order": i})
	}
	for _, page := range []Page{
		{"login", "/login"}, {"overview", p.base + "/"}, {"deliveries", p.base + "/deliveries"}, {"delivery", p.base + "/deliveries/" + id.UID},
		{"endpoints", p.base + "/endpoints"}, {"endpoint", p.base + "/endpoints/" + id.EndpointID}, {"events", p.base + "/events"},
		{"subscriptions", p.base + "/subscriptions"}, {"settings", p.base + "/settings"}, {"portal", "/portal/endpoints"}, {"portal-deliveries", "/portal/deliveries"},
	} {
		v := open(t)
		v.must(v.Go(portal))
		v.in(p.key)
		v.must(v.Go("about:blank")) // what signing in loaded is not the page's
		v.must(v.Forget())
		v.Traffic()
		c := cost{name: page.Name}
		c.paint = v.painted(page.Path)
		traffic := v.Traffic()
		c.first, c.script = traffic.Bytes, traffic.ByType["Script"]
		c.repaint = v.painted(page.Path)
		c.later = v.Traffic().Bytes
		summary.add(c)
		if c.first > firstLoad || c.later > laterLoad || c.script > scripts {
			t.Errorf("%s takes %d bytes at first, %d of them scripts, and %d later; it may take %d, %d and %d", page.Name, c.first, c.script, c.later, firstLoad, scripts, laterLoad)
		}
		v.Close()
	}
}

// painted opens a page and returns when something of it was seen.
func (v *visit) painted(path string) time.Duration {
	v.t.Helper()
	v.goTo(path)
	v.until(firstPaint + " > 0")
	return time.Duration(value[float64](v, firstPaint) * float64(time.Millisecond))
}
