package bench

// Mode is what the generator posts, and to where.
type Mode string

// The modes of the generator.
const (
	ModeSingle Mode = "single" // one event a request
	ModeBatch  Mode = "batch"  // many events a request, one JSON object a line
	ModeFanout Mode = "fanout" // one event a request, for all endpoints of an owner
	ModeBare   Mode = "bare"   // the payload alone, straight at the receiver
)

// Load describes what the generator posts.
type Load struct {
	Mode         Mode     `json:"mode"`
	URL          string   `json:"url"` // scheme and host; in ModeBare of the receiver
	Project      string   `json:"project"`
	Key          string   `json:"key"`               // API key
	Endpoints    []string `json:"endpoints"`         // endpoint ids; in ModeBare only their number counts
	Owner        string   `json:"owner,omitempty"`   // in ModeFanout: of the endpoints
	Headers      []Header `json:"headers,omitempty"` // of every request, besides Authorization and Content-Type
	Connections  int      `json:"connections"`
	BatchSize    int      `json:"batch_size"` // events of a ModeBatch request
	PayloadBytes int      `json:"payload_bytes"`
	Healthy      int      `json:"healthy,omitempty"` // of the endpoints, the first so many stay healthy; 0: all
}

// staysHealthy reports whether events to the endpoint with this index are counted
// as BurstResult.Healthy.
func (l *Load) staysHealthy(endpoint int) bool { return l.Healthy == 0 || endpoint < l.Healthy }

// templates is how many templates each connection needs for all of them together
// to reach every endpoint, as far as their bytes allow.
func (l *Load) templates() int {
	each := max(l.Connections*l.perRequest(), 1)
	needed := (len(l.Endpoints) + each - 1) / each
	needed = min(needed, maxTemplateBytes/(each*max(l.PayloadBytes, 1)))
	if l.Mode == ModeBatch {
		return max(needed, 1) // the events of one already differ
	}
	return max(needed, templatesPerWorker)
}

// perRequest is how many events one request carries.
func (l *Load) perRequest() int {
	if l.Mode == ModeBatch {
		return l.BatchSize
	}
	return 1
}

// eventType is that of every generated event.
const eventType = "bench.order"

// templatesPerWorker is how many different bodies one connection takes turns with
// at least.
const templatesPerWorker = 4

// maxTemplateBytes bounds the payloads of the templates that there are so that
// every endpoint is reached.
const maxTemplateBytes = 256 << 20

// template is a request body whose payloads are stamped in place.
type template struct {
	body     []byte
	payloads []int // where each payload begins
	ends     []int // where each event ends: a shorter batch is a prefix
	healthy  []int // of the events so far, those to endpoints that stay healthy
}

// newTemplate builds the body of worker's n-th template. Its events go to the
// endpoints in turn.
func newTemplate(l *Load, worker, n int) *template {
	t := new(template)
	first := worker*l.templates() + n
	healthy := 0
	for i := range l.perRequest() {
		event := first*l.perRequest() + i
		endpoint := event % len(l.Endpoints)
		t.appendEvent(l, l.Endpoints[endpoint], uint64(event))
		if l.staysHealthy(endpoint) {
			healthy++
		}
		t.healthy = append(t.healthy, healthy)
	}
	return t
}

func (t *template) appendEvent(l *Load, endpoint string, seed uint64) {
	if l.Mode != ModeBare {
		t.body = append(t.body, `{`+l.addressee(endpoint)+`,"event_type":"`+eventType+`","data":`...)
	}
	t.payloads = append(t.payloads, len(t.body))
	t.body = appendPayload(t.body, l.PayloadBytes, seed)
	if l.Mode != ModeBare {
		t.body = append(t.body, '}')
	}
	if l.Mode == ModeBatch {
		t.body = append(t.body, '\n')
	}
	t.ends = append(t.ends, len(t.body))
}

// addressee is the member of an event that says whom it is for.
func (l *Load) addressee(endpoint string) string {
	if l.Mode == ModeFanout {
		return `"owner_id":"` + l.Owner + `"`
	}
	return `"endpoint_id":"` + endpoint + `"`
}

// stamp numbers the first n events from seq on and returns the body that holds
// them. The next stamp writes over it.
func (t *template) stamp(seq uint64, n int, sentNS int64) []byte {
	for i, at := range t.payloads[:n] {
		stampPayload(t.body[at:], seq+uint64(i), sentNS)
	}
	return t.body[:t.ends[n-1]]
}
