package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"posthaste/event"
)

// received is a request as a receiver saw it.
type received struct {
	method, uri, body string
	header            http.Header
	host              string
}

// receiver runs a server that keeps the last request.
func receiver(t *testing.T) (string, *received) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl here to run the commands with")
	}
	got := &received{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*got = received{r.Method, r.RequestURI, string(body), r.Header, r.Host}
	}))
	t.Cleanup(server.Close)
	return server.URL, got
}

// run runs a command in a shell.
func run(t *testing.T, command string) {
	t.Helper()
	shell := exec.Command("sh")
	shell.Stdin = strings.NewReader(command + " --silent --show-error --noproxy '*'\n")
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%.2000s", err, out, command)
	}
}

const trickyData = "{ \"text\": \"it's $(echo 5) `id` \\\\ \\u0041 é\",\n\t\"n\": 1.50 }"

// addTricky makes a delivery whose one attempt went to url, and its event.
func (w *world) addTricky(url string, data []byte) string {
	w.t.Helper()
	endpoint := w.addEndpoint(w.project, 1)
	w.addSubscription(w.project, endpoint, 1)
	w.log.addEvent(&event.Event{ID: id('f', 1), ProjectID: w.project, Type: "a", Data: data, ReceivedAt: epoch,
		Headers: []event.Header{{Name: "X-Auth-Token", Value: "tok'en"}}})
	d := event.Delivery{ID: id('d', 1), EventID: id('f', 1), ProjectID: w.project, EndpointID: endpoint, SubscriptionID: id('s', 1), Status: event.Failure, Attempts: 1}
	w.log.addDelivery(d, event.Attempt{
		DeliveryID: d.ID, EndpointID: endpoint, Number: 1, URL: url, StartedAt: epoch, StatusCode: 500,
		RequestHeaders: fmt.Appendf(nil, "Host: hooks.example.com\r\nUser-Agent: posthaste\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"+
			"X-Convoy-Signature: t=1,v1=ab\r\nX-Quotes: it's \"$HOME\" `id`\r\nX-Empty:\r\nAuthorization: ********\r\nX-Auth-Token: ********\r\n", len(data)),
	})
	return w.in("/eventdeliveries/%s/curl", d.ID)
}

// The command, run in a shell, sends what was sent.
func TestCurlRepeatsTheRequest(t *testing.T) {
	url, got := receiver(t)
	w := newWorld(t)
	path := w.addTricky(url+"/in?a=[1-3]&b={x,y}&c=it's", []byte(trickyData))
	a := w.do("GET", path, "")
	w.want(a, 200, "Curl command made successfully")
	run(t, a.field("command").(string))
	if got.method != "POST" || got.uri != "/in?a=[1-3]&b={x,y}&c=it's" || got.body != trickyData || got.host != "hooks.example.com" {
		t.Errorf("arrived %+v", got)
	}
	want := http.Header{
		"User-Agent": {"posthaste"}, "Content-Type": {"application/json"}, "Content-Length": {fmt.Sprint(len(trickyData))},
		"X-Convoy-Signature": {"t=1,v1=ab"}, "X-Quotes": {"it's \"$HOME\" `id`"}, "X-Empty": {""},
		"Authorization": {masked}, "X-Auth-Token": {masked},
	}
	if fmt.Sprint(got.header) != fmt.Sprint(want) {
		t.Errorf("the headers are\n%v\nwant\n%v", got.header, want)
	}
	if notes := a.field("notes").([]any); len(notes) != 1 {
		t.Errorf("notes are %v", notes)
	}
}

func TestCurlReveals(t *testing.T) {
	url, got := receiver(t)
	w := newWorld(t)
	path := w.addTricky(url, []byte(trickyData))
	w.want(w.do("PUT", w.in("/endpoints/%s", id('e', 1)), `{"authentication":{"type":"basic_auth","basic_auth":{"username":"u","password":"p'w"}}}`),
		202, "Endpoint updated successfully")
	run(t, w.do("GET", path+"?reveal=true", "").field("command").(string))
	if got.header.Get("Authorization") != "Basic dTpwJ3c=" || got.header.Get("X-Auth-Token") != "tok'en" {
		t.Errorf("revealed %v", got.header)
	}
	reader := "Bearer " + w.readerKey()
	w.want(w.do("GET", path+"?reveal=true", "", "Authorization", reader), 403, `this key may not see secrets; it needs the scope "manage". Leave reveal out`)
	w.want(w.do("GET", path, "", "Authorization", reader), 200, "Curl command made successfully")
}

// What a shell cannot carry as an argument comes through a pipe.
func TestCurlBodies(t *testing.T) {
	url, got := receiver(t)
	for name, c := range map[string]struct{ data, sent string }{
		"function": {`{"a":1}`, "@\x00\x01'\xff\r\n%s\\"},
		"large":    {`{"a":"` + strings.Repeat("it's ", 40<<10) + `"}`, ""},
		"delete":   {"\"\x7f\"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(o *Options) {
				o.CheckFunction = func(string) error { return nil }
				o.Transform = func(context.Context, string, []byte) ([]byte, []string, error) { return []byte(c.sent), nil, nil }
			})
			path := w.addTricky(url, []byte(c.data))
			if c.sent != "" {
				w.want(w.do("PUT", w.in("/subscriptions/%s", id('s', 1)), `{"function":"f"}`), 202, "Subscription updated successfully")
			} else {
				c.sent = c.data
			}
			a := w.do("GET", path, "")
			run(t, a.field("command").(string))
			if got.body != c.sent {
				t.Errorf("arrived %.80q, want %.80q", got.body, c.sent)
			}
			if odd := len(c.sent) != len(c.data); odd != strings.Contains(a.json("notes"), "what was sent had") {
				t.Errorf("notes are %s", a.json("notes"))
			}
		})
	}
}

// Before the first attempt, it is the request that is to come.
func TestCurlOfWhatIsToCome(t *testing.T) {
	url, got := receiver(t)
	w := newWorld(t)
	endpoint := w.addEndpoint(w.project, 1)
	w.want(w.do("PUT", w.in("/endpoints/%s", endpoint), fmt.Sprintf(`{"url":%q,"content_type":"application/x-www-form-urlencoded",
		"custom_headers":{"X-Team":"a","X-One":"endpoint's"},"authentication":{"type":"api_key","api_key":{"header_name":"X-Mine","header_value":"k"}}}`, url+"/x")),
		202, "Endpoint updated successfully")
	ev := w.addEvent(w.project, 1)
	d := event.Delivery{ID: id('d', 1), EventID: ev, ProjectID: w.project, EndpointID: endpoint, SubscriptionID: id('s', 1)}
	w.log.addDelivery(d)
	path := w.in("/eventdeliveries/%s/curl", d.ID)
	a := w.do("GET", path, "")
	run(t, a.field("command").(string))
	if got.body != "a=%3Cb%3E%26%3C&big=12345678901234567890&z=1.50" || got.header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("arrived %q %v", got.body, got.header)
	}
	for name, want := range map[string]string{"X-Team": "a", "X-One": "endpoint's", "X-Two": "a", "X-Mine": masked, "X-Convoy-Idempotency-Key": "key-1"} {
		if got.header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.header.Get(name), want)
		}
	}
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Authorization", "Bearer "+w.key)
	r.Header.Set("Accept", "text/plain")
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	if rec.Body.String() != a.field("command").(string)+"\n" || rec.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("as a text: %v %s", rec.Header(), rec.Body)
	}
	w.want(w.do("DELETE", w.in("/endpoints/%s", endpoint), ""), 200, "Endpoint deleted successfully")
	w.want(w.do("GET", path, ""), 400, "no attempt was made and the endpoint is gone: there is no request to show")
	w.want(w.do("GET", w.in("/eventdeliveries/%s/curl", id('d', 9)), ""), 404, "Resource not found")
}

func TestCurlOfEventsWithoutContent(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	a := w.do("GET", w.in("/eventdeliveries/%s/curl", id('d', 2)), "")
	if !slices.Contains(a.field("notes").([]any), any("the event's content is gone: the body is empty")) || !strings.HasSuffix(a.field("command").(string), "--data-binary ''") {
		t.Errorf("answered %s", a.body)
	}
}
