package bench

import (
	"fmt"
	"strconv"
	"strings"
)

// maxTemplateBytes bounds the request bodies that a generator keeps, of all
// connections together. Each has at least one.
const maxTemplateBytes = 256 << 20

// maxRequestBytes is where a batch request ends early, well below what servers
// take.
const maxRequestBytes = 8 << 20

// sizes are those that generated payloads take turns with.
func (l *Load) sizes() []int {
	if len(l.Sizes) > 0 {
		return l.Sizes
	}
	return []int{l.PayloadBytes}
}

// open reads the file of payloads, if there is one, before templates are made.
func (l *Load) open() (err error) {
	if l.Payloads != "" {
		l.set, err = openPayloads(l.Payloads)
	}
	return err
}

// different is how many payloads or sizes events take turns with.
func (l *Load) different() int {
	if l.set != nil {
		return len(l.set.events)
	}
	return len(l.sizes())
}

// meanBytes is the mean size of a payload.
func (l *Load) meanBytes() int {
	if l.set != nil {
		return int(l.set.bytes) / len(l.set.events)
	}
	sum := 0
	for _, size := range l.sizes() {
		sum += size
	}
	return sum / len(l.sizes())
}

// templates is how many bodies one connection takes turns with: enough for each
// endpoint and each payload to be in one of some connection, as far as memory goes.
func (l *Load) templates() int {
	n := templatesPerWorker
	if l.Mode == ModeBatch {
		n = 1 // its events already differ
	}
	events := max(l.Connections, 1) * l.perRequest() // in flight
	n = max(n, (max(l.different(), len(l.Endpoints))+events-1)/events)
	return max(min(n, maxTemplateBytes/max(events*l.meanBytes(), 1)), 1)
}

// turn is which of different payloads or sizes an event has. Events that go to one
// endpoint, every len(Endpoints)th, have all of them in turn.
func (l *Load) turn(event int) int {
	e, n := len(l.Endpoints), l.different()
	return (event + event/(e/gcd(e, n)*n)) % n
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// appendData appends the payload of an event that has turn n.
func (l *Load) appendData(dst []byte, n int, seed uint64) []byte {
	switch {
	case l.set != nil:
		return append(dst, l.set.events[n].data...)
	case l.Kind == PayloadIncompressible:
		return appendRandomPayload(dst, l.sizes()[n], seed)
	default:
		return appendPayload(dst, l.sizes()[n], seed)
	}
}

// typeOf is the event type, a JSON string, of an event that has turn n.
func (l *Load) typeOf(n int) string {
	if l.set != nil {
		return string(l.set.events[n].eventType)
	}
	return `"` + eventType + `"`
}

// validatePayloads names what is wrong with the sizes or the file.
func (o *Options) validatePayloads() error {
	if o.Payloads != "" && len(o.Sizes) > 0 {
		return fmt.Errorf("size is %s, which is of generated payloads, and payloads is %s: give one of them", joinInts(o.Sizes), o.Payloads)
	}
	if len(o.Sizes) > maxSizes {
		return fmt.Errorf("size has %d values, must have at most %d", len(o.Sizes), maxSizes)
	}
	for _, size := range o.Sizes {
		if size < MinPayloadBytes || size > maxPayloadBytes {
			return fmt.Errorf("size is %d, must be %d to %d", size, MinPayloadBytes, maxPayloadBytes)
		}
	}
	if o.Payloads == "" {
		return nil
	}
	_, err := openPayloads(o.Payloads)
	return err
}

// maxSizes bounds a list of sizes.
const maxSizes = 100

// payloadText says in a row's title what the payloads are.
func (o *Options) payloadText() string {
	switch {
	case o.Payloads != "":
		return "payloads of " + o.Payloads
	case len(o.Sizes) > 0:
		return joinInts(o.Sizes) + " bytes in turn"
	default:
		return strconv.Itoa(o.PayloadBytes) + " bytes"
	}
}

func joinInts(numbers []int) string {
	var texts []string
	for _, n := range numbers {
		texts = append(texts, strconv.Itoa(n))
	}
	return strings.Join(texts, ", ")
}
