package app

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"posthaste/catalog"
	"posthaste/catalog/catalogtest"
	"posthaste/engine"
	"posthaste/event"
	"posthaste/wal"
	"posthaste/wal/waltest"
)

const (
	rigSlots    = 4 // attempts at once to an endpoint that says nothing of its own
	rigAttempts = 4 // of a delivery
	rigOwner    = "everyone"
)

// rig is the log, the catalog and the engine of a server, put together as App does, on
// a disk in memory and with endpoints that follow scripts. It runs under virtual time.
type rig struct {
	app     *App // its sink, and the engine behind it
	log     *wal.Log
	catalog *catalog.Catalog
	ledger  *ledger
	sender  *scripted
	found   map[event.ID]event.Delivery // deliveries that were there at the start
	beat    chan struct{}               // closed to end what notes durable settlements
	beats   sync.WaitGroup
}

// openRig starts a server on a disk, after it has checked what is on it.
func openRig(disk *waltest.Disk, l *ledger, relaxed bool) (_ *rig, err error) {
	r := &rig{app: &App{}, ledger: l, sender: &scripted{ledger: l, ended: make(chan struct{})}, beat: make(chan struct{})}
	r.log, err = wal.Open(wal.Options{
		Dir: "log", FS: disk.FS(), Relaxed: relaxed, CacheBytes: 64 << 10, MemTableBytes: 24 << 10, CreatedBy: "test", Sink: &sink{r.app},
		OnFatal: func(err error) { panic("not expected in this test: " + err.Error()) },
	})
	if err != nil {
		return nil, err
	}
	if err = r.start(); err != nil {
		return nil, errors.Join(err, r.log.Close())
	}
	r.beats.Go(r.heartbeat)
	return r, nil
}

func (r *rig) start() (err error) {
	if r.catalog, err = catalog.Open(r.log, catalogtest.Options()); err != nil {
		return err
	}
	if err = r.checkCatalog(); err != nil {
		return err
	}
	if r.found, err = r.ledger.checkFound(r.log); err != nil {
		return err
	}
	r.catalog.Watch(r.ledger.watch)
	r.app.engine, err = engine.New(engine.Options{
		Store: told{r.log, r.ledger}, Catalog: r.catalog, Sender: r.sender, NewPool: newPool,
		Shards: 2, MaxInFlight: 24, EndpointCap: rigSlots, Window: 4, QueueBytes: 16 << 10, MarkEvery: 100 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	return r.app.engine.Start(context.Background())
}

// told notes what the log is told of outcomes.
type told struct {
	*wal.Log
	ledger *ledger
}

// Settle settles, and notes that the log was told, and that it has taken it.
func (n told) Settle(s *event.Settlement) error {
	n.ledger.tell(s.Delivery)
	err := n.Log.Settle(s)
	if err == nil {
		n.ledger.settle(s.Delivery)
	}
	return err
}

// heartbeat notes every now and then what is durable.
func (r *rig) heartbeat() {
	t := time.NewTicker(30 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-r.beat:
			return
		case <-t.C:
		}
		n := 0
		r.ledger.note(func() { n = len(r.ledger.settled) })
		if r.log.Flush() == nil {
			r.ledger.note(func() { r.ledger.durable = n })
		}
	}
}

// checkCatalog: what was made in the catalog is there.
func (r *rig) checkCatalog() error {
	l, snap := r.ledger, r.catalog.Snapshot()
	if l.project != (event.ID{}) && snap.Project(l.project) == nil {
		return errors.New("I1: the project that was made is not there")
	}
	for i, id := range l.endpoints {
		if ep := snap.Endpoint(id); ep == nil || ep.Name != rigEndpoints[i].name || len(ep.Subscriptions()) != 1 {
			return fmt.Errorf("I1: endpoint %s that was made is not there with its subscription", rigEndpoints[i].name)
		}
	}
	for _, id := range l.disabled {
		if snap.Endpoint(id).Status != event.EndpointInactive {
			return fmt.Errorf("I6: endpoint %s was disabled and is %s", id, snap.Endpoint(id).Status)
		}
	}
	return nil
}

// set makes the project and its endpoints, as far as that was not done before.
func (r *rig) set() error {
	config := event.DefaultProjectConfig()
	config.Strategy = event.Strategy{Type: event.StrategyLinear, Duration: 1, RetryCount: rigAttempts}
	config.MultipleEndpointSubscriptions = true
	p, _, _, err := r.catalog.CreateProject(event.Project{Name: "shop", Config: config})
	if err != nil {
		return err
	}
	r.ledger.note(func() { r.ledger.project = p.ID })
	for _, e := range rigEndpoints {
		ep, err := r.catalog.CreateEndpoint(event.Endpoint{
			ProjectID: p.ID, Name: e.name, URL: "https://example.com/" + e.name, OwnerID: rigOwner,
			MaxConcurrency: e.slots, RateLimit: e.rate, RateLimitDuration: min(e.rate, 1),
		})
		if err != nil {
			return err
		}
		_, err = r.catalog.CreateSubscription(event.Subscription{Name: "all", ProjectID: p.ID, EndpointID: ep.ID, DeliveryMode: e.mode})
		if err != nil {
			return err
		}
		r.ledger.note(func() { r.ledger.endpoints = append(r.ledger.endpoints, ep.ID) })
	}
	return nil
}

// submission is the event n, to all endpoints. Every fifth has an idempotency key.
func (r *rig) submission(n int) event.Submission {
	s := event.Submission{To: event.ToOwner, Event: event.Event{
		ProjectID: r.ledger.project, Type: "paid", OwnerID: rigOwner, ReceivedAt: time.Now(),
		Data: fmt.Appendf(nil, `{"n":%d,"pad":%q}`, n, strings.Repeat("x", 300+n*37%900)),
	}}
	if n%5 == 0 {
		s.Event.IdempotencyKey = fmt.Sprint("key ", n)
	}
	return s
}

// post submits events of one request, and notes that they were acknowledged.
func (r *rig) post(subs ...event.Submission) error {
	if err := r.app.engine.Submit(context.Background(), subs); err != nil {
		return err
	}
	for i := range subs {
		if subs[i].Err != nil {
			return subs[i].Err
		}
	}
	r.ledger.ack(subs)
	return nil
}

// produce posts so many requests of two events, by two producers at once.
func (r *rig) produce(requests int) error {
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for p := range errs {
		wg.Go(func() {
			for i := p; i < requests && errs[p] == nil; i += len(errs) {
				errs[p] = r.post(r.submission(2*i), r.submission(2*i+1))
				time.Sleep(time.Duration(20+i*7%40) * time.Millisecond)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// repeat posts again what was acknowledged with an idempotency key: it is known.
func (r *rig) repeat() error {
	for i := range r.ledger.acked {
		first := &r.ledger.acked[i]
		if first.IdempotencyKey == "" {
			continue
		}
		again := []event.Submission{{To: event.ToOwner, Event: event.Event{
			ProjectID: first.ProjectID, Type: first.Type, OwnerID: first.OwnerID, ReceivedAt: time.Now(), Data: first.Data, IdempotencyKey: first.IdempotencyKey,
		}}}
		if err := r.app.engine.Submit(context.Background(), again); err != nil {
			return err
		}
		if again[0].Err != nil || !again[0].Duplicate || again[0].Event.ID != first.ID {
			return fmt.Errorf("I1: a repeat of event %s became %+v", first.ID, again[0])
		}
	}
	return nil
}

// await waits until nothing is owed, stops the engine, and checks the ledger.
func (r *rig) await() error {
	for end := time.Now().Add(time.Hour); r.ledger.owing() > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("I1: after an hour %d deliveries are owed; the engine holds %+v", r.ledger.owing(), r.app.engine.Stats())
		}
	}
	if err := r.app.engine.Stop(context.Background()); err != nil {
		return err
	}
	return r.ledger.checkEnd(r.log, r.found)
}

// close ends the server, whatever it is doing.
func (r *rig) close() error {
	close(r.beat)
	r.beats.Wait()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	return errors.Join(r.app.engine.Stop(now), r.log.Close())
}

// rigEndpoint is an endpoint and its script: what it does with the n-th attempt of a
// delivery. chance is the same for all attempts of one.
type rigEndpoint struct {
	name   string
	slots  int // attempts at once; 0: rigSlots
	rate   int // attempts a second; 0: no limit
	mode   string
	script func(n int, chance uint32) reaction
}

// reaction is what an endpoint does, after a while: it answers with a code, or the
// attempt ends otherwise.
type reaction struct {
	after      time.Duration
	code       int
	class      event.ErrorClass
	retryAfter time.Duration
}

func either(first bool, a, b reaction) reaction {
	if first {
		return a
	}
	return b
}

const ms = time.Millisecond

var rigEndpoints = []rigEndpoint{
	{name: "well", script: func(int, uint32) reaction { return reaction{after: 5 * ms, code: 200} }},
	{name: "flaky", script: func(n int, chance uint32) reaction {
		return either(n <= int(chance%3), reaction{after: 3 * ms, code: 500}, reaction{after: 3 * ms, code: 204})
	}},
	{name: "down", script: func(int, uint32) reaction { return reaction{after: 2 * ms, code: 500} }},
	{name: "late", script: func(n int, chance uint32) reaction {
		return either(n == 1 && chance%3 == 0, reaction{after: 700 * ms, class: event.ClassTimeout}, reaction{after: 20 * ms, code: 200})
	}},
	{name: "gone", script: func(_ int, chance uint32) reaction {
		return either(chance%16 == 0, reaction{after: 9 * ms, code: 410}, reaction{after: 9 * ms, code: 200})
	}},
	{name: "once", mode: event.AtMostOnce, script: func(_ int, chance uint32) reaction {
		return either(chance%4 == 0, reaction{after: 30 * ms, code: 500}, reaction{after: 30 * ms, code: 200})
	}},
	{name: "rated", rate: 20, slots: 2, script: func(int, uint32) reaction { return reaction{after: 80 * ms, code: 200} }},
	{name: "shy", script: func(n int, chance uint32) reaction {
		return either(n == 1 && chance%8 == 0, reaction{after: ms, code: 429, retryAfter: 2 * time.Second}, reaction{after: ms, code: 200})
	}},
}

// scripted is a sender to endpoints that follow their scripts.
type scripted struct {
	ledger *ledger
	once   sync.Once
	ended  chan struct{}
}

// Attempt does what the endpoint's script says.
func (s *scripted) Attempt(_ *catalog.Project, ep *catalog.Endpoint, d *event.Delivery, ev *event.Event, a *event.Attempt) {
	select {
	case <-s.ended:
		a.Class = event.ClassCancelled
		return
	default:
	}
	s.ledger.begin(ep, d, ev, a)
	defer s.ledger.end(ep, d, a)
	h := fnv.New32a()
	_, _ = h.Write(d.ID[:])
	do := scriptOf(ep.Name)(a.Number, h.Sum32())
	t := time.NewTimer(do.after)
	defer t.Stop()
	select {
	case <-s.ended:
		a.Class = event.ClassCancelled
		return
	case <-t.C:
	}
	a.StatusCode, a.Class, a.RetryAfter = do.code, do.class, do.retryAfter
	if do.class == event.ClassNone && do.code/100 != 2 {
		a.Class = event.ClassStatus
	}
}

// Cancel ends the attempts in flight.
func (s *scripted) Cancel() { s.once.Do(func() { close(s.ended) }) }

// CancelTo does nothing: no partition is given up here.
func (s *scripted) CancelTo(func(event.ID) bool) {}

func scriptOf(name string) func(int, uint32) reaction {
	for i := range rigEndpoints {
		if rigEndpoints[i].name == name {
			return rigEndpoints[i].script
		}
	}
	panic("BUG: no endpoint is called " + name)
}
