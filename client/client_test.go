package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// script answers one request after the other, and remembers them.
type script struct {
	answers []answer
	asked   []string
	headers []http.Header
}

type answer struct {
	code   int
	header http.Header
	body   string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	s.headers = append(s.headers, r.Header)
	a := answer{200, nil, `{"status":true,"message":"m","data":null}`}
	if len(s.answers) > 0 {
		a, s.answers = s.answers[0], s.answers[1:]
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.code)
	io.WriteString(w, a.body)
}

// ok is a successful answer.
func ok(data string) answer {
	return answer{200, nil, `{"status":true,"message":"m","data":` + data + `}`}
}

func refused(code int, after string) answer {
	return answer{code, http.Header{"Retry-After": {after}}, `{"status":false,"message":"later"}`}
}

func start(t *testing.T, s *script, o Options) *Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	o.BaseURL = server.URL
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestRequest(t *testing.T) {
	s := &script{}
	c := start(t, s, Options{Key: "k", UserAgent: "test/1"})
	_, err := c.Do(context.Background(), Request{Method: "POST", Path: "/x", Query: url.Values{"a": {"b c"}}, Body: map[string]string{"q": "<&>"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := `POST /x?a=b+c {"q":"<&>"}`; s.asked[0] != want {
		t.Errorf("asked %s, want %s", s.asked[0], want)
	}
	h := s.headers[0]
	if h.Get("Authorization") != "Bearer k" || h.Get("User-Agent") != "test/1" || h.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", h)
	}
}

func TestTriesAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		method  string
		again   bool
		answers []answer
		waits   []time.Duration
		tries   int
		err     bool
	}{
		{"fine", "GET", true, nil, nil, 1, false},
		{"limited", "GET", true, []answer{refused(429, "3")}, []time.Duration{3 * time.Second}, 2, false},
		{"overloaded", "GET", true, []answer{refused(503, ""), refused(503, "")}, []time.Duration{time.Second, 2 * time.Second}, 3, false},
		{"in vain", "GET", true, []answer{refused(503, "1"), refused(503, "1"), refused(503, "1"), refused(503, "1")}, []time.Duration{time.Second, time.Second, time.Second}, 4, true},
		{"too long", "GET", true, []answer{refused(429, "3600")}, nil, 1, true},
		{"broken", "GET", true, []answer{refused(500, "1")}, nil, 1, true},
		{"not twice", "POST", false, []answer{refused(503, "1")}, nil, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{answers: c.answers}
			var waits []time.Duration
			cl := start(t, s, Options{Wait: func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }})
			_, err := cl.Do(context.Background(), Request{Method: c.method, Path: "/x", Body: "b", Again: c.again})
			if (err != nil) != c.err || len(s.asked) != c.tries || !slices.Equal(waits, c.waits) {
				t.Errorf("%d tries, waits %v, %v", len(s.asked), waits, err)
			}
		})
	}
}

func TestWaitIsCutShort(t *testing.T) {
	s := &script{answers: []answer{refused(503, "30")}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := start(t, s, Options{Wait: func(ctx context.Context, d time.Duration) error {
		time.AfterFunc(10*time.Millisecond, cancel) // while it waits
		return wait(ctx, d)
	}})
	_, err := c.Do(ctx, Request{Method: "GET", Path: "/x", Again: true})
	var busy *Error
	if !errors.Is(err, context.Canceled) || !errors.As(err, &busy) {
		t.Errorf("got %v", err)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		answer answer
		want   Error
		text   string
	}{
		{answer{404, http.Header{"X-Request-Id": {"r1"}}, `{"status":false,"message":"Resource not found"}`},
			Error{Status: 404, Message: "Resource not found", RequestID: "r1"}, "Resource not found (404 Not Found, request r1)"},
		{answer{429, http.Header{"Retry-After": {"9"}}, `{"message":"slow"}`},
			Error{Status: 429, Message: "slow", RetryAfter: 9 * time.Second}, "slow (429 Too Many Requests)"},
		{answer{502, nil, "<h1>\n Bad\x00 gateway" + strings.Repeat("é", 200)}, Error{Status: 502}, "<h1> Bad\x00 gateway"},
		{answer{500, nil, ""}, Error{Status: 500, Message: "the server gives no reason"}, "the server gives no reason (500 Internal Server Error)"},
		{answer{307, http.Header{"Location": {"https://e.com/"}}, ""}, Error{Status: 307, Message: "the server sends elsewhere, to https://e.com/", Location: "https://e.com/"}, "elsewhere"},
		{answer{599, nil, `{"message":"odd"}`}, Error{Status: 599, Message: "odd"}, "odd (599)"},
	} {
		cl := start(t, &script{answers: []answer{c.answer}}, Options{Tries: 1})
		_, err := cl.Do(context.Background(), Request{Method: "GET", Path: "/x"})
		var got *Error
		if !errors.As(err, &got) {
			t.Fatalf("%d: got %v", c.answer.code, err)
		}
		if got.Data = nil; c.want.Message != "" && fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", c.want) {
			t.Errorf("got %+v, want %+v", *got, c.want)
		}
		if !strings.Contains(err.Error(), c.text) {
			t.Errorf("%q does not say %q", err, c.text)
		}
	}
}

func TestNotTheAPI(t *testing.T) {
	for _, body := range []string{"<html>", "{}", "[]", "", `{"message":"m","data":3}`} {
		c := start(t, &script{answers: []answer{{200, nil, body}}}, Options{})
		if _, err := c.Project("p").Endpoints().Get(context.Background(), "e"); !errors.Is(err, ErrAnswer) {
			t.Errorf("%q: got %v", body, err)
		}
	}
}

func TestAnswerIsBounded(t *testing.T) {
	for size, good := range map[int]bool{100: true, 101: false} {
		c := start(t, &script{answers: []answer{{200, nil, strings.Repeat("x", size)}}}, Options{MaxAnswerBytes: 100})
		if _, err := c.Do(context.Background(), Request{Method: "GET", Path: "/x"}); (err == nil) != good {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestAll(t *testing.T) {
	const more = `"pagination":{"has_next_page":true,"next_page_cursor":"`
	s := &script{answers: []answer{
		ok(`{"content":[{"uid":"1","odd": 1.50},{"uid":"2"}],` + more + `3"}}`),
		ok(`{"content":[],` + more + `4"}}`), // a page may be empty, and not the last
		ok(`{"content":[{"uid":"4"}],"pagination":{"has_next_page":false,"next_page_cursor":"4"}}`),
	}}
	c := start(t, s, Options{})
	query := url.Values{"ownerId": {"a"}}
	var ids []string
	for row, err := range c.Project("p/q").Endpoints().All(context.Background(), query) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, row.Value.ID)
		if row.Value.ID == "1" && string(row.Raw) != `{"uid":"1","odd": 1.50}` {
			t.Errorf("raw %s", row.Raw)
		}
	}
	if !slices.Equal(ids, []string{"1", "2", "4"}) || len(query) != 1 {
		t.Errorf("got %v; the query is %v", ids, query)
	}
	if want := []string{
		"GET /api/v1/projects/p%2Fq/endpoints?ownerId=a&perPage=100",
		"GET /api/v1/projects/p%2Fq/endpoints?next_page_cursor=3&ownerId=a&perPage=100",
		"GET /api/v1/projects/p%2Fq/endpoints?next_page_cursor=4&ownerId=a&perPage=100",
	}; !slices.Equal(s.asked, want) {
		t.Errorf("asked %q", s.asked)
	}
}

// All stops at an error, when it is told to, and where a listing goes round in circles.
func TestAllEnds(t *testing.T) {
	s := &script{answers: []answer{ok(`[{"uid":"1"},{"uid":"2"}]`)}}
	c := start(t, s, Options{})
	for row := range c.Projects().All(context.Background(), nil) {
		if row.Value.ID != "1" {
			t.Errorf("went on to %s", row.Value.ID)
		}
		break
	}
	page := ok(`{"content":[{"uid":"1"}],"pagination":{"has_next_page":true,"next_page_cursor":"1"}}`)
	for name, answers := range map[string][]answer{
		"circle": {page, page}, "refused": {page, {404, nil, `{"message":"gone"}`}},
	} {
		c := start(t, &script{answers: answers}, Options{})
		var last error
		rows := 0
		for _, err := range c.Project("p").Events().All(context.Background(), nil) {
			last = err
			rows++
		}
		if last == nil || rows > 3 {
			t.Errorf("%s: %d rows, %v", name, rows, last)
		}
	}
}

func TestPostBatch(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer answer
		want   string
		err    bool
	}{
		{"some", answer{201, nil, `{"status":true,"message":"1 accepted, 1 refused","data":[{"status":true,"uid":"1","message":"queued"},{"status":false,"message":"no type"}]}`},
			"[{true 1 queued} {false  no type}]", false},
		{"none", answer{400, nil, `{"status":false,"message":"0 accepted, 2 refused","data":[{"status":false,"message":"a"},{"status":false,"message":"b"}]}`},
			"[{false  a} {false  b}]", false},
		{"too few", answer{201, nil, `{"status":true,"message":"m","data":[{"status":true}]}`}, "[]", true},
		{"malformed", answer{400, nil, `{"status":false,"message":"invalid JSON"}`}, "[]", true},
		{"busy", answer{503, nil, `{"status":false,"message":"later","data":[{"status":false,"message":"a"}]}`}, "[]", true},
	} {
		s := &script{answers: []answer{c.answer}}
		got, err := start(t, s, Options{}).Project("p").PostBatch(context.Background(), []byte("{}\n{}\n"), 2)
		if fmt.Sprint(got) != c.want || (err != nil) != c.err || len(s.asked) != 1 {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
		if s.headers[0].Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("%s: sent as %s", c.name, s.headers[0].Get("Content-Type"))
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{
		{}, {BaseURL: "127.0.0.1:5005"}, {BaseURL: "ftp://e.com"}, {BaseURL: "http://k:v@e.com"}, {BaseURL: "http://e.com?a=b"}, {BaseURL: "http://"},
		{BaseURL: "http://e.com", Key: "a b"}, {BaseURL: "http://e.com", Key: "a\r\nX: y"},
	} {
		if _, err := New(o); !errors.Is(err, ErrOptions) || o.Key != "" && strings.Contains(err.Error(), o.Key) {
			t.Errorf("%+v: got %v", o, err)
		}
	}
	c, err := New(Options{BaseURL: "https://e.com/posthaste/"})
	if err != nil || c.BaseURL() != "https://e.com/posthaste" {
		t.Errorf("got %v, %v", c, err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "99999999999999": 0,
		"Sat, 21 Nov 2026 12:00:30 GMT": 30 * time.Second, "Sat, 21 Nov 2026 11:00:00 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}
