package bench

// Mode is what the generator posts, and to where.
type Mode string

// The modes of the generator.
const (
	ModeSingle Mode = "single" // one event a request
	ModeBatch  Mode = "batch"  // many events a request, one JSON object a line
	ModeBare   Mode = "bare"   // the payload alone, straight at the receiver
)

// Load describes what the generator posts.
type Load struct {
	Mode         Mode     `json:"mode"`
	URL          string   `json:"url"` // scheme and host; in ModeBare of the receiver
	Project      string   `json:"project"`
	Key          string   `json:"key"`       // API key
	Endpoints    []string `json:"endpoints"` // endpoint ids; in ModeBare only their number counts
	Connections  int      `json:"connections"`
	BatchSize    int      `json:"batch_size"` // events of a ModeBatch request
	PayloadBytes int      `json:"payload_bytes"`

	Sizes    []int       `json:"sizes,omitempty"`    // sizes that events take turns with, instead of PayloadBytes
	Kind     PayloadKind `json:"kind,omitempty"`     // of generated payloads
	Fresh    bool        `json:"fresh,omitempty"`    // no two events carry the same generated payload
	Payloads string      `json:"payloads,omitempty"` // file of events that are posted instead of generated ones

	set *payloadSet // what Payloads holds, see open
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

// templatesPerWorker is how many different bodies one connection takes turns with.
const templatesPerWorker = 4

// template is a request body whose payloads are stamped in place.
type template struct {
	body     []byte
	payloads []int // where each payload begins
	ends     []int // where each event ends: a shorter batch is a prefix
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
	for i := range l.perRequest() {
		event := first*l.perRequest() + i
		t.appendEvent(l, l.Endpoints[event%len(l.Endpoints)], event)
		if len(t.body) > maxRequestBytes && i > 0 {
			t.dropLast()
			break
		}
	}
	return t
}

func (t *template) appendEvent(l *Load, endpoint string, event int) {
	turn := l.turn(event)
	if l.Mode != ModeBare {
		t.body = append(t.body, `{"endpoint_id":"`+endpoint+`","event_type":`+l.typeOf(turn)+`,"data":`...)
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
