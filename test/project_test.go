package test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// init lets twelve tests run at once, unless the command line says otherwise: those
// that call t.Parallel wait for retries most of their time.
func init() {
	testing.Init()
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
}

// project is a project on a server, and its key.
type project struct {
	*server
	path, key string
}

// newProject makes a project on a server of its own.
func newProject(t *testing.T, config object, args ...string) *project {
	t.Helper()
	s := newServer(t, args...)
	s.start()
	path, key := s.project(config)
	return &project{s, path, key}
}

// another makes a second project on the same server.
func (p *project) another(config object) *project {
	p.t.Helper()
	path, key := p.project(config)
	return &project{p.server, path, key}
}

// under is the project for a subtest.
func (p *project) under(t *testing.T) *project {
	s := *p.server
	s.t = t
	return &project{&s, p.path, p.key}
}

// linear is a configuration with exact waits of so many seconds, and so many attempts.
func linear(wait, attempts int) object {
	return object{"strategy": object{"type": "linear", "duration": wait, "retry_count": attempts, "jitter": 0}}
}

// with is a configuration with more in it.
func with(config, more object) object {
	all := object{}
	for _, part := range []object{config, more} {
		for k, v := range part {
			all[k] = v
		}
	}
	return all
}

// request sends a request about the project, from any goroutine.
func (p *project) request(method, path string, body any) (code int, a answer, header http.Header, err error) {
	text := ""
	switch b := body.(type) {
	case nil:
	case string:
		text = b
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, a, nil, err
		}
		text = string(raw)
	}
	req, err := http.NewRequest(method, "http://"+p.api+p.path+path, strings.NewReader(text))
	if err != nil {
		return 0, a, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, a, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err == nil {
		if err = json.Unmarshal(raw, &a); err != nil {
			err = fmt.Errorf("%s %s: %d, not the envelope: %w: %.200s", method, path, resp.StatusCode, err, raw)
		}
	}
	return resp.StatusCode, a, resp.Header, err
}

// try sends a request that may be refused.
func (p *project) try(method, path string, body any) (int, answer) {
	p.t.Helper()
	code, a, _, err := p.request(method, path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	return code, a
}

// do sends a request that has to succeed, and reads its data into out.
func (p *project) do(method, path string, body, out any) http.Header {
	p.t.Helper()
	code, a, header, err := p.request(method, path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	if code/100 != 2 || !a.Status {
		p.t.Fatalf("%s %s: %d %s", method, path, code, a.Message)
	}
	if out != nil {
		if err := json.Unmarshal(a.Data, out); err != nil {
			p.t.Fatalf("%s %s: %v in %s", method, path, err, a.Data)
		}
	}
	return header
}

// refused checks that a request is answered with 400 and words that have says in them.
func (p *project) refused(method, path string, body any, says string) {
	p.t.Helper()
	if code, a := p.try(method, path, body); code != http.StatusBadRequest || a.Status || !strings.Contains(a.Message, says) {
		p.t.Errorf("%s %s: %d %q, want 400 and %q", method, path, code, a.Message, says)
	}
}

// add makes an endpoint that wants everything.
func (p *project) add(url string, extra object) string {
	p.t.Helper()
	return p.endpoint(p.path, p.key, url, extra)
}

// send posts an event of type t to an endpoint, and returns its id. data is JSON.
func (p *project) send(endpoint, data string) string {
	p.t.Helper()
	return p.post("/events", fmt.Sprintf(`{"endpoint_id":%q,"event_type":"t","data":%s}`, endpoint, data))
}

// post posts an event, which may be a text in JSON, and returns its id.
func (p *project) post(path string, body any) string {
	p.t.Helper()
	var made struct{ UID string }
	p.do("POST", path, body, &made)
	return made.UID
}

// deliveryView is a delivery as the API shows it.
type deliveryView struct {
	UID          string
	EventID      string `json:"event_id"`
	EndpointID   string `json:"endpoint_id"`
	DeliveryMode string `json:"delivery_mode"`
	Status       string
	Description  string
	Metadata     struct {
		Strategy        string
		NumTrials       int        `json:"num_trials"`
		RetryLimit      int        `json:"retry_limit"`
		IntervalSeconds int        `json:"interval_seconds"`
		NextSendTime    *time.Time `json:"next_send_time"`
	}
}

// deliveriesOf lists an event's deliveries, oldest first.
func (p *project) deliveriesOf(event string) []deliveryView {
	p.t.Helper()
	var all page[deliveryView]
	p.do("GET", "/eventdeliveries?sort=ASC&perPage=1000&eventId="+event, nil, &all)
	return all.Content
}

// deliveryOf is the only delivery of an event.
func (p *project) deliveryOf(event string) deliveryView {
	p.t.Helper()
	all := p.deliveriesOf(event)
	if len(all) != 1 {
		p.t.Fatalf("event %s has %d deliveries, want 1", event, len(all))
	}
	return all[0]
}

// await waits until the only delivery of an event has this status.
func (p *project) await(event, status string) (d deliveryView) {
	p.t.Helper()
	defer func() {
		if d.Status != status {
			p.t.Logf("the delivery is %+v", d)
		}
	}()
	eventually(p.t, "the delivery of "+event+" is "+status, func() bool {
		d = p.deliveryOf(event)
		return d.Status == status
	})
	return d
}

// resend asks for another attempt of a delivery.
func (p *project) resend(delivery string) {
	p.t.Helper()
	p.do("PUT", "/eventdeliveries/"+delivery+"/resend", nil, nil)
}

// attemptView is an attempt as the API shows it.
type attemptView struct {
	Number      int               `json:"attempt_number"`
	HTTPStatus  string            `json:"http_status"`
	Status      bool              `json:"status"`
	Manual      bool              `json:"manual"`
	Class       string            `json:"error_class"`
	Error       string            `json:"error"`
	Headers     map[string]string `json:"request_http_header"`
	RequestedAt time.Time         `json:"requested_at"`
	RespondedAt time.Time         `json:"responded_at"`
}

// attemptsOf lists a delivery's attempts, the first one first.
func (p *project) attemptsOf(delivery string) []attemptView {
	p.t.Helper()
	var all []attemptView
	p.do("GET", "/eventdeliveries/"+delivery+"/deliveryattempts", nil, &all)
	return all
}

// endpointView is an endpoint as the API shows it.
type endpointView struct {
	UID               string
	Status            string
	RateLimit         int    `json:"rate_limit"`
	RateLimitDuration int    `json:"rate_limit_duration"`
	CBState           string `json:"cb_state"`
	Failures          int    `json:"consecutive_failures"`
	Secrets           []struct {
		Value     string
		PublicKey string     `json:"public_key"`
		ExpiresAt *time.Time `json:"expires_at"`
	}
	History []struct {
		From, To, Reason string
		At               time.Time
	} `json:"status_history"`
	Warnings []string
}

func (p *project) endpointOf(id string) (e endpointView) {
	p.t.Helper()
	p.do("GET", "/endpoints/"+id, nil, &e)
	return e
}

// awaitEndpoint waits until an endpoint has this status.
func (p *project) awaitEndpoint(id, status string) (e endpointView) {
	p.t.Helper()
	eventually(p.t, "the endpoint is "+status, func() bool {
		e = p.endpointOf(id)
		return e.Status == status
	})
	return e
}

// jobView is a batch job as the API shows it.
type jobView struct {
	UID, Kind, State      string
	Total                 *int
	Done, Skipped, Failed int
	Error                 string
}

// startJob starts a batch job and returns the end of its path.
func (p *project) startJob(path string) string {
	p.t.Helper()
	where := p.do("POST", path, nil, nil).Get("Location")
	job, ok := strings.CutPrefix(where, p.path)
	if !ok {
		p.t.Fatalf("POST %s: Location is %q, want one in %s", path, where, p.path)
	}
	return job
}

func (p *project) jobAt(path string) (j jobView) {
	p.t.Helper()
	p.do("GET", path, nil, &j)
	return j
}

// awaitJob waits until a job has this state.
func (p *project) awaitJob(path, state string) (j jobView) {
	p.t.Helper()
	eventually(p.t, "the job is "+state, func() bool {
		j = p.jobAt(path)
		return j.State == state
	})
	return j
}
