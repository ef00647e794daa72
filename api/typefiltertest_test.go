package api

import "testing"

func TestAFilterIsTriedOnSomething(t *testing.T) {
	w := newWorld(t)
	e := w.do("POST", w.in("/endpoints"), `{"name":"e","url":"https://x.example"}`)
	s := w.do("POST", w.in("/subscriptions"), `{"name":"s","endpoint_id":"`+e.field("uid").(string)+`"}`)
	path := w.in("/subscriptions/%s/filters/test/paid", s.field("uid"))
	w.want(w.do("POST", path, `{}`), 400, "payload: is missing, and so is request: give what the event would look like")
	w.want(w.do("POST", path, `{"payload":{}}`), 200, "Filter test completed")
}
