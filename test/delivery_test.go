package test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long a test waits at most for what is sure to come: a machine with other
// things to do takes many times as long as it needs.
const patience = time.Minute

// eventually waits until check returns true; it fails the test after patience.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !check(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

// delivery is what the tests look at of an event delivery.
type delivery struct {
	UID        string
	EventID    string `json:"event_id"`
	EndpointID string `json:"endpoint_id"`
	Status     string
	Metadata   struct {
		NumTrials  int `json:"num_trials"`
		RetryLimit int `json:"retry_limit"`
	}
}

type page[T any] struct {
	Content    []T
	Pagination struct {
		HasNextPage    bool   `json:"has_next_page"`
		HasPrevPage    bool   `json:"has_prev_page"`
		NextPageCursor string `json:"next_page_cursor"`
		PrevPageCursor string `json:"prev_page_cursor"`
	}
}

func (s *server) deliveries(project, key, query string) []delivery {
	s.t.Helper()
	var p page[delivery]
	s.must(key, "GET", project+"/eventdeliveries?"+query, nil, &p)
	return p.Content
}

// TestEventInSignedRequestOut is the main job: an event is posted, arrives byte
// for byte and signed, and event, delivery and attempt can be read back.
func TestEventInSignedRequestOut(t *testing.T) {
	recv := newReceiver(t)
	s := newServer(t)
	s.start()
	project, key := s.project(nil)
	ep := s.endpoint(project, key, recv.URL+"/hook?x=%2F", nil)

	data := "{ \"b\": 1.10,\t\"a\" : [1e3, 9007199254740993, \"é<>&\"] }"
	var made struct{ UID string }
	s.must(key, "POST", project+"/events", []byte(fmt.Sprintf(
		`{"endpoint_id":%q,"event_type":"order.paid","idempotency_key":"k-1","custom_headers":{"X-Tenant":"t1"},"data":%s}`, ep, data)), &made)
	if len(made.UID) != 26 {
		t.Fatalf("uid %q is not an id", made.UID)
	}
	eventually(t, "the event arrives as it was posted", func() bool { return recv.count([]byte(data)) == 1 })
	req := recv.requests[0]
	for name, want := range map[string]string{"Content-Type": "application/json", "X-Convoy-Idempotency-Key": "k-1", "X-Tenant": "t1"} {
		if got := req.Header.Get(name); got != want {
			t.Errorf("header %s is %q, want %q", name, got, want)
		}
	}
	if req.Header.Get("Convoy-Timestamp") == "" || req.RequestURI != "/hook?x=%2F" {
		t.Errorf("timestamp %q, request URI %q", req.Header.Get("Convoy-Timestamp"), req.RequestURI)
	}

	var d delivery
	eventually(t, "the delivery is a success", func() bool {
		ds := s.deliveries(project, key, "eventId="+made.UID)
		if len(ds) == 1 {
			d = ds[0]
		}
		return d.Status == "Success"
	})
	var ev struct {
		UID  string
		Data json.RawMessage
	}
	s.must(key, "GET", project+"/events/"+made.UID, nil, &ev)
	if string(ev.Data) != data {
		t.Errorf("the event reads back as %s", ev.Data)
	}
	var attempts []struct {
		HTTPStatus string `json:"http_status"`
		Status     bool
		Headers    map[string]string `json:"request_http_header"`
		DurationMS float64           `json:"duration_ms"`
		Timing     map[string]float64
	}
	s.must(key, "GET", project+"/eventdeliveries/"+d.UID+"/deliveryattempts", nil, &attempts)
	if len(attempts) != 1 || !attempts[0].Status || attempts[0].HTTPStatus != "200 OK" ||
		attempts[0].Headers["X-Convoy-Signature"] != req.Header.Get("X-Convoy-Signature") {
		t.Errorf("attempts: %+v", attempts)
	}
	rest := attempts[0].DurationMS
	for _, ms := range attempts[0].Timing {
		rest -= ms
	}
	if spent := attempts[0].Timing; spent["connect_ms"] <= 0 || spent["wait_ms"] <= 0 || spent["tls_ms"] != 0 || math.Abs(rest) > 0.01 {
		t.Errorf("%v ms went to %v", attempts[0].DurationMS, spent)
	}
	s.stop()
	if bad := recv.wrong(); len(bad) > 0 {
		t.Error(bad)
	}
}

// TestRetriesUntilTheReceiverRecovers counts attempts: two failures, then
// success; and one that never succeeds ends in Failure at its limit.
func TestRetriesUntilTheReceiverRecovers(t *testing.T) {
	recv := newReceiver(t)
	var tries atomic.Int64
	recv.answer = func(_ int, r *http.Request) int {
		if r.URL.Path == "/dead" || tries.Add(1) <= 2 {
			return http.StatusInternalServerError
		}
		return http.StatusNoContent
	}
	s := newServer(t)
	s.start()
	project, key := s.project(object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 3}})
	ill := s.endpoint(project, key, recv.URL+"/ill", nil)
	dead := s.endpoint(project, key, recv.URL+"/dead", nil)
	for _, ep := range []string{ill, dead} {
		s.must(key, "POST", project+"/events", object{"endpoint_id": ep, "event_type": "t", "data": object{"n": 1}}, nil)
	}
	for ep, want := range map[string]string{ill: "Success", dead: "Failure"} {
		eventually(t, "the delivery ends as "+want, func() bool {
			ds := s.deliveries(project, key, "endpointId="+ep)
			return len(ds) == 1 && ds[0].Status == want && ds[0].Metadata.NumTrials == 3
		})
	}
	if ds := s.deliveries(project, key, "status=Failure"); len(ds) != 1 || ds[0].EndpointID != dead {
		t.Errorf("failed deliveries: %+v", ds)
	}
	s.stop()
}

// TestBatchAnswersEachItem posts good and bad items together, compressed.
func TestBatchAnswersEachItem(t *testing.T) {
	recv := newReceiver(t)
	s := newServer(t)
	s.start()
	project, key := s.project(nil)
	ep := s.endpoint(project, key, recv.URL, object{"owner_id": "o"})
	lines := []string{
		fmt.Sprintf(`{"endpoint_id":%q,"event_type":"t","data":{"n":1}}`, ep),
		`{"endpoint_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","event_type":"t","data":{"n":2}}`,
		`{"owner_id":"o","event_type":"t","data":{"n":3}}`,
		`{"owner_id":"o","event_type":"t","data":{"n":`,
	}
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	_, _ = z.Write([]byte(strings.Join(lines, "\n")))
	_ = z.Close()
	req, _ := http.NewRequest("POST", "http://"+s.api+project+"/events/batch", &body)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Content-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var a struct {
		Data []struct {
			Status       bool
			UID, Message string
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || resp.StatusCode != http.StatusCreated || len(a.Data) != 4 {
		t.Fatalf("%d %v %+v", resp.StatusCode, err, a)
	}
	for i, want := range []bool{true, false, true, false} {
		if a.Data[i].Status != want || (a.Data[i].UID != "") != want {
			t.Errorf("item %d: %+v", i, a.Data[i])
		}
	}
	eventually(t, "both good items arrive", func() bool {
		return recv.count([]byte(`{"n":1}`)) == 1 && recv.count([]byte(`{"n":3}`)) == 1
	})
	s.stop()
}

// TestIdempotencyKeySurvivesRestart: the second event with a key is answered
// with the first one's id and sent to nobody; with other content it is refused.
func TestIdempotencyKeySurvivesRestart(t *testing.T) {
	recv := newReceiver(t)
	s := newServer(t)
	s.start()
	project, key := s.project(nil)
	ep := s.endpoint(project, key, recv.URL, nil)
	ev := object{"endpoint_id": ep, "event_type": "t", "idempotency_key": "once", "data": object{"n": 1}}
	var first, second struct{ UID string }
	s.must(key, "POST", project+"/events", ev, &first)
	eventually(t, "it arrives", func() bool { return recv.count([]byte(`{"n":1}`)) == 1 })
	s.kill()
	s.start()
	s.must(key, "POST", project+"/events", ev, &second)
	if first != second {
		t.Errorf("first %s, then %s", first, second)
	}
	ev["data"] = object{"n": 2}
	if code, a := s.call(key, "POST", project+"/events", ev); code != http.StatusConflict || !strings.Contains(a.Message, "idempotency_key") {
		t.Errorf("other content: %d %s", code, a.Message)
	}
	s.stop()
	if got := recv.count([]byte(`{"n":1}`)); got > 2 { // the kill may repeat the delivery
		t.Errorf("delivered %d times", got)
	}
}

// TestRefusals: each bad request gets the envelope and a message that names
// what is wrong, and stores nothing.
func TestRefusals(t *testing.T) {
	recv := newReceiver(t)
	s := newServer(t, "--max-payload-bytes", "1000")
	s.start()
	project, key := s.project(nil)
	_, other := s.project(nil)
	ep := s.endpoint(project, key, recv.URL, nil)
	big := `{"endpoint_id":"` + ep + `","event_type":"t","data":"` + strings.Repeat("x", 1000) + `"}`
	for name, c := range map[string]struct {
		key, path, body string
		code            int
		says            string
	}{
		"unknown endpoint": {key, "/events", `{"endpoint_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","event_type":"t","data":{}}`, 400, "endpoint not found"},
		"missing fields":   {key, "/events", `{"endpoint_id":"` + ep + `"}`, 400, "event_type"},
		"invalid JSON":     {key, "/events", `{"endpoint_id":"` + ep + `",}`, 400, "offset 44"},
		"no key":           {"", "/events", `{}`, 401, "Authentication required"},
		"wrong key":        {"CO.0123456789abcdef.wrong", "/events", `{}`, 401, "authorization failed"},
		"another's key":    {other, "/events", `{}`, 404, "not found"},
		"too large":        {key, "/events", big, 413, "1000"},
		"blocked URL":      {key, "/endpoints", `{"name":"n","url":"http://169.254.169.254/latest"}`, 400, "url: its address"},
		"no owner":         {key, "/events/fanout", `{"owner_id":"nobody","event_type":"t","data":{}}`, 400, "owner_id"},
	} {
		code, a := s.call(c.key, "POST", project+c.path, []byte(c.body))
		if code != c.code || a.Status || !strings.Contains(a.Message, c.says) {
			t.Errorf("%s: %d %q, want %d and %q", name, code, a.Message, c.code, c.says)
		}
	}
	var events page[object]
	s.must(key, "GET", project+"/events", nil, &events)
	if len(events.Content) != 0 {
		t.Errorf("refused events were stored: %v", events.Content)
	}
	s.stop()
}

// TestLogDump prints a stopped server's records.
func TestLogDump(t *testing.T) {
	recv := newReceiver(t)
	s := newServer(t)
	s.start()
	project, key := s.project(nil)
	ep := s.endpoint(project, key, recv.URL, nil)
	s.must(key, "POST", project+"/events", object{"endpoint_id": ep, "event_type": "t", "data": object{"n": 1}}, nil)
	eventually(t, "it arrives", func() bool { return recv.count([]byte(`{"n":1}`)) == 1 })
	s.stop()
	before := listing(t, s.dir)
	out := s.run("log", "dump", "--data", s.dir, "--json")
	for _, kind := range []string{"header", "catalog", "event", "delivery", "watermark"} {
		if !strings.Contains(out, `"kind":"`+kind+`"`) {
			t.Errorf("the dump has no %s:\n%s", kind, out)
		}
	}
	if after := listing(t, s.dir); before != after {
		t.Errorf("the dump changed the folder:\n%s\n%s", before, after)
	}
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() && info.Name() != "LOCK" { // taking the lock touches its file
			fmt.Fprintf(&b, "%s %d %s\n", path, info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
