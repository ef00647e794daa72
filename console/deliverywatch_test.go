package console

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

var (
	watchElement = regexp.MustCompile(`<div id="watch"[^>]*>`)
	watchURL     = regexp.MustCompile(`hx-get="([^"]*)"`)
)

// watched is a delivery that the API tells of.
type watched struct {
	*desk
	page string
}

func (w watched) is(status string, attempts int, rest string) {
	path := testProjects + "/eventdeliveries/" + testObject
	w.api.on("GET "+path, fakeAnswer{code: 200, data: fmt.Sprintf(`{"uid":%q,"event_type":"order.paid","status":%q,"created_at":"2026-03-04T05:00:00Z","updated_at":"2026-03-04T05:00:00Z","metadata":{"num_trials":%d,"retry_limit":9%s}}`, testObject, status, attempts, rest)})
	var rows []string
	for n := range attempts {
		rows = append(rows, fmt.Sprintf(`{"uid":"a-%d","attempt_number":%d,"http_status":"503 Busy","response_data":"answer %d","requested_at":"2026-03-04T05:00:0%dZ"}`, n+1, n+1, n+1, n))
	}
	w.api.on("GET "+path+"/deliveryattempts", fakeAnswer{code: 200, data: "[" + strings.Join(rows, ",") + "]"})
}

// next is where a page, or the part that came for it, looks next, and how often.
func (w watched) next(a *httptest.ResponseRecorder) (url, element string) {
	w.t.Helper()
	element = watchElement.FindString(a.Body.String())
	if element == "" {
		w.t.Fatalf("nothing to look with in %s", mainOf(a))
	}
	if found := watchURL.FindStringSubmatch(element); found != nil {
		url = html.UnescapeString(found[1])
	}
	return url, element
}

func (w watched) look(url string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, url, nil)
	r.Header.Set("HX-Request", "true")
	return w.do(r)
}

func (w watched) lacks(a *httptest.ResponseRecorder, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if strings.Contains(a.Body.String(), text) {
			w.t.Errorf("there is %q in\n%s", text, mainOf(a))
		}
	}
}

// TestDeliveryIsFollowed: a page is told what is new and nothing else, follows the last
// attempt unless another was chosen or the shown one is being read, and stops at the end.
func TestDeliveryIsFollowed(t *testing.T) {
	w := watched{newDesk(t), "/p/" + testProject + "/deliveries/" + testObject}
	w.is("Scheduled", 0, "")
	page := w.get(w.page)
	w.want(page, 200, "<!doctype html>", "has not been picked up yet")
	url, element := w.next(page)
	if !strings.Contains(element, "every 10s") { // it has waited since March
		t.Errorf("it looks as %s", element)
	}
	w.want(w.look(url), 204)

	w.is("Retry", 1, `,"next_send_time":"2099-03-04T05:00:09Z"`)
	part := w.look(url)
	w.want(part, 200, `hx-target="#head"`, `hx-target="#tries"`, "answer 1", "Retry, attempts: 1")
	w.lacks(part, "<!doctype")
	following, _ := w.next(part)
	w.want(w.look(following), 204)
	chosen, _ := w.next(w.get(w.page + "?attempt=1&view=diff"))

	w.is("Retry", 2, `,"next_send_time":"2099-03-04T05:00:09Z"`)
	part = w.look(chosen)
	w.want(part, 200, `hx-target="#atts"`, `hx-target="#axis"`, `id="att-2"`)
	w.lacks(part, `hx-target="#tries"`, "answer 2")
	again, _ := w.next(part)
	if !strings.Contains(again, "view=diff") {
		t.Errorf("what was chosen is lost in %s", again)
	}
	w.want(w.look(again), 204)

	part = w.look(following + "&keep=1")
	w.want(part, 200, `hx-target="#atts"`, `id="att-2"`)
	w.lacks(part, `hx-target="#tries"`)
	behind, _ := w.next(part)
	w.want(w.look(behind+"&keep=1"), 204)
	w.want(w.look(behind), 200, `hx-target="#tries"`, "answer 2")

	for _, status := range []string{"Success", "Failure", "Discarded"} {
		w.is(status, 2, "")
		if url, _ := w.next(w.look(behind)); url != "" {
			t.Errorf("%s is followed, at %s", status, url)
		}
		if url, _ := w.next(w.get(w.page)); url != "" {
			t.Errorf("a page of %s follows it, at %s", status, url)
		}
	}
	w.api.on("GET "+testProjects+"/eventdeliveries/"+testObject, fakeAnswer{code: 404, message: "not found"})
	w.want(w.look(behind), 404)
}
