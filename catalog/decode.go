package catalog

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"posthaste/event"
	"posthaste/internal/seal"
)

// batchRows is how many records a decoder is given at once.
const batchRows = 512

// decoders decode the records of endpoints and subscriptions, of which there are
// millions, while others are read: the goroutine that reads has a third of the work of a
// start left. One goroutine calls add and finish. There are a few batches, which are free,
// being filled, or a decoder's: reading waits when it has run ahead.
type decoders struct {
	box     *seal.Box
	known   *knownTypes
	work    chan *batch
	free    chan *batch // has room for all batches
	filling *batch      // nil: none
	all     []*decoded  // in the order of the records
	failed  atomic.Bool // a record could not be decoded
	wg      sync.WaitGroup
}

// batch is records on their way to a decoder.
type batch struct {
	records []event.CatalogRecord
	values  []byte // of the records
	out     *decoded
}

// decoded is what became of a batch. The decoder's until it has ended.
type decoded struct {
	endpoints []*Endpoint
	subs      []*Subscription
	err       error // of the first record that could not be decoded
}

// errOther ends the reading of records when a decoder has failed.
var errOther = errors.New("another record could not be decoded")

func startDecoders(box *seal.Box) *decoders {
	n := runtime.GOMAXPROCS(0)
	d := &decoders{box: box, known: newKnownTypes(), work: make(chan *batch, n), free: make(chan *batch, 2*n+1)}
	for range cap(d.free) {
		d.free <- &batch{}
	}
	for range n {
		d.wg.Go(d.run)
	}
	return d
}

// add has a record decoded, whose value may change when it has returned.
func (d *decoders) add(rec event.CatalogRecord) error {
	if d.failed.Load() {
		return errOther
	}
	if d.filling == nil {
		d.filling = <-d.free
		d.filling.out = new(decoded)
		d.all = append(d.all, d.filling.out)
	}
	b := d.filling
	at := len(b.values)
	b.values = append(b.values, rec.Value...)
	rec.Value = b.values[at:]
	if b.records = append(b.records, rec); len(b.records) == batchRows {
		d.flush()
	}
	return nil
}

func (d *decoders) flush() {
	if d.filling != nil {
		d.work <- d.filling
		d.filling = nil
	}
}

// finish waits for the decoders to end and returns what they made, in the order of the
// records. An error is the one of the first record that has one.
func (d *decoders) finish() (endpoints []*Endpoint, subs []*Subscription, err error) {
	d.flush()
	close(d.work)
	d.wg.Wait()
	var e, s int
	for _, out := range d.all {
		if out.err != nil {
			return nil, nil, out.err
		}
		e, s = e+len(out.endpoints), s+len(out.subs)
	}
	endpoints, subs = make([]*Endpoint, 0, e), make([]*Subscription, 0, s)
	for _, out := range d.all {
		endpoints, subs = append(endpoints, out.endpoints...), append(subs, out.subs...)
	}
	return endpoints, subs, nil
}

// run is a decoder.
func (d *decoders) run() {
	r := decoder{endpoints: endpointReader{box: d.box}, known: d.known}
	for b := range d.work {
		for i := range b.records {
			if err := r.decode(&b.records[i], b.out); err != nil {
				b.out.err = atRecord(&b.records[i], err)
				d.failed.Store(true)
				break
			}
		}
		b.records, b.values = b.records[:0], b.values[:0]
		d.free <- b
	}
}

// decoder decodes records, one after the other.
type decoder struct {
	endpoints     endpointReader
	subscriptions subscriptionReader
	known         *knownTypes
}

func (r *decoder) decode(rec *event.CatalogRecord, out *decoded) error {
	if rec.Kind == KindEndpoint {
		e, err := r.endpoint(rec)
		out.endpoints = append(out.endpoints, e)
		return err
	}
	s, err := r.subscription(rec)
	out.subs = append(out.subs, s)
	return err
}

func (r *decoder) endpoint(rec *event.CatalogRecord) (*Endpoint, error) {
	e, err := r.endpoints.read(rec.ID, rec.Value)
	if err != nil {
		return nil, err
	}
	if e.ID != rec.ID {
		return nil, foreign(e.ID)
	}
	if !hasLastingSecret(e.Secrets) {
		return nil, errors.New("the endpoint has no secret that lasts")
	}
	if e.SignatureMode == event.SignStandard {
		if err := checkStandardSecrets(e.Secrets); err != nil {
			return nil, err
		}
	}
	return compileEndpoint(e, nil, rec.Rev)
}

func (r *decoder) subscription(rec *event.CatalogRecord) (*Subscription, error) {
	s, err := r.subscriptions.read(rec.Value)
	if err != nil {
		return nil, err
	}
	if s.ID != rec.ID {
		return nil, foreign(s.ID)
	}
	return compileSubscription(s, r.known, rec.Rev)
}

func foreign(id event.ID) error { return fmt.Errorf("the record holds the object %s", id) }

// atRecord says which record an error is about.
func atRecord(rec *event.CatalogRecord, err error) error {
	return fmt.Errorf("record %q %s: %w", rec.Kind, rec.ID, err)
}
