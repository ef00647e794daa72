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

	Sizes    []int       `json:"sizes,omitempty"`    // sizes that events take turns with, instead of PayloadBytes
	Kind     PayloadKind `json:"kind,omitempty"`     // of generated payloads
	Fresh    bool        `json:"fresh,omitempty"`    // no two events carry the same generated payload
	Payloads string      `json:"payloads,omitempty"` // file of events that are posted instead of generated ones

	Healthy int `json:"healthy,omitempty"` // of the endpoints, the first so many stay healthy; 0: all

	set *payloadSet // what Payloads holds, see open
}

// staysHealthy reports whether events to the endpoint with this index are counted
// as BurstResult.Healthy.
func (l *Load) staysHealthy(endpoint int) bool { return l.Healthy == 0 || endpoint < l.Healthy }

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

// template is a request body whose payloads are stamped in place.
type template struct {
	body     []byte
	payloads []int // where each payload begins
	ends     []int // where each event ends: a shorter batch is a prefix
	healthy  []int // of the events so far, those to endpoints that stay healthy
	sizes    []int // of the payloads
	fresh    *refill
}

// refill makes payloads anew, in their sizes.
type refill struct {
	load    *Load
	turns   []int
	scratch []byte
}

// newTemplate builds the body of worker's n-th template. Its events go to the
// endpoints in turn. A batch that would grow beyond maxRequestBytes holds fewer.
func newTemplate(l *Load, worker, n int) *template {
	t := new(template)
	if l.Fresh && l.set == nil {
		t.fresh = &refill{load: l}
	}
	first := worker*l.templates() + n
	healthy := 0
	for i := range l.perRequest() {
		event := first*l.perRequest() + i
		endpoint := event % len(l.Endpoints)
		t.appendEvent(l, l.Endpoints[endpoint], event)
		if len(t.body) > maxRequestBytes && i > 0 {
			t.dropLast()
			break
		}
		if l.staysHealthy(endpoint) {
			healthy++
		}
		t.healthy = append(t.healthy, healthy)
	}
	return t
}

func (t *template) appendEvent(l *Load, endpoint string, event int) {
	turn := l.turn(event)
	if l.Mode != ModeBare {
		t.body = append(t.body, `{`+l.addressee(endpoint)+`,"event_type":`+l.typeOf(turn)+`,"data":`...)
	}
	at := len(t.body)
	t.payloads = append(t.payloads, at)
	t.body = l.appendData(t.body, turn, uint64(event))
	t.sizes = append(t.sizes, len(t.body)-at)
	if l.Mode != ModeBare {
		t.body = append(t.body, '}')
	}
	if l.Mode == ModeBatch {
		t.body = append(t.body, '\n')
	}
	t.ends = append(t.ends, len(t.body))
	if t.fresh != nil {
		t.fresh.turns = append(t.fresh.turns, turn)
	}
}

// dropLast takes the last event back.
func (t *template) dropLast() {
	n := len(t.payloads) - 1
	t.payloads, t.ends, t.sizes = t.payloads[:n], t.ends[:n], t.sizes[:n]
	t.body = t.body[:t.ends[n-1]]
}

// events is how many the body holds.
func (t *template) events() int { return len(t.payloads) }

// payloadBytes is the size of the first n payloads.
func (t *template) payloadBytes(n int) (sum int64) {
	for _, size := range t.sizes[:n] {
		sum += int64(size)
	}
	return sum
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
		if t.fresh != nil {
			t.fresh.fill(t.body[at:at+t.sizes[i]], i, seq+uint64(i))
		}
		stampPayload(t.body[at:], seq+uint64(i), sentNS)
	}
	return t.body[:t.ends[n-1]]
}

// fill writes another payload over that of the i-th event.
func (r *refill) fill(payload []byte, i int, seed uint64) {
	r.scratch = r.load.appendData(r.scratch[:0], r.turns[i], seed)
	copy(payload, r.scratch)
}
