package browsertest

import (
	"net/http"
	"testing"
)

// world is a project in which there is something to see on every page.
type world struct {
	*project
	places Places
	portal string // a portal link's token
}

func newWorld(t *testing.T) *world {
	p := newProject(t, object{"strategy": object{"type": "linear", "duration": 3600, "retry_count": 2}, "multiple_endpoint_subscriptions": true})
	w := &world{project: p}
	path := func(name string) string { return p.recv.URL + "/" + p.id + "/" + name }
	p.recv.says(p.id+"/broken", answer{code: http.StatusServiceUnavailable, body: `{"error":"no such order","request":"{n}"}`})
	fine := p.endpoint("Order service", path("fine"), "tern")
	broken := p.endpoint("Warehouse of a customer with quite a long name indeed", path("broken"), "tern")
	paused := p.endpoint("Analytics", path("paused"), "heron")
	p.call(t, p.key, "PUT", p.path+"/endpoints/"+paused+"/pause", nil, nil)
	event := ""
	for i := range 24 {
		event = p.event([]string{fine, fine, broken, paused}[i%4], []string{"order.paid", "invoice.sent", "customer.subscription.updated"}[i%3],
			object{"order": i, "amount": 17.25, "lines": []object{{"sku": "TEA-250", "n": 2}}, "note": "a longer text that does not fit into a narrow column without being cut"})
	}
	eventually(t, "everything was tried", func() bool {
		return len(p.deliveries("status=Success")) == 12 && len(p.deliveries("status=Retry")) == 6 && len(p.deliveries("status=Discarded")) == 6
	})
	w.more(broken)
	w.places = Places{"p": p.base, "endpoint": broken, "owned": fine, "event": event, "empty": newProject(t, nil).base,
		"delivery": p.deliveries("status=Failure")[0].UID, "delivered": p.deliveries("status=Success")[0].UID, "owned-delivery": p.deliveries("status=Success&endpointId=" + fine)[0].UID}
	return w
}

// more makes a failure, a job, and what the other lists have.
func (w *world) more(broken string) {
	t := w.t
	id := w.deliveries("endpointId=" + broken)[0].UID
	w.call(t, w.key, "PUT", w.path+"/eventdeliveries/"+id+"/resend", nil, nil)
	eventually(t, "a delivery has failed for good", func() bool { return len(w.deliveries("status=Failure")) == 1 })
	w.call(t, w.key, "POST", w.path+"/eventdeliveries/batchretry?status=Discarded", nil, nil)
	w.call(t, w.key, "POST", w.path+"/event-types", object{"name": "order.paid", "category": "orders", "description": "An order was paid in full."}, nil)
	w.call(t, w.key, "POST", w.path+"/sources", object{"name": "github", "type": "http", "provider": "github",
		"verifier": object{"type": "hmac", "hmac": object{"header": "X-Hub-Signature-256", "hash": "SHA256", "secret": "abc", "encoding": "hex"}}}, nil)
	w.call(t, w.key, "POST", w.path+"/subscriptions", object{"name": "large ones", "endpoint_id": broken,
		"filter_config": object{"event_types": []string{"order.*", "invoice.*"}, "filter": object{"body": object{"amount": object{"$gte": 1000}}}}}, nil)
	var link struct{ Token, URL string }
	w.call(t, w.key, "POST", w.path+"/portal-links", object{"name": "Tern Ltd", "owner_id": "tern", "can_manage_endpoint": true}, &link)
	w.portal = link.Token
	if w.portal == "" {
		t.Fatalf("a portal link without a token: %+v", link)
	}
}
