package wal

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// A project's idempotency key is claimed by one request at a time, so that of
// many that come at once one is stored and the others find it:
//
//	claim ──► look up in the log ──► append with its event ──► durable ──► release
//
// The record of a key lives in the bucket of its event and is found by looking
// through the buckets of the window, newest first. Whether it is still within the
// window is decided by the time in the event's id, to the millisecond.

// keyHash names a key within a project: 128 bits of its text's hash.
type keyHash [16]byte

// idemTable holds the keys that requests are working on.
type idemTable struct {
	mu   sync.Mutex
	busy map[idemKey]chan struct{} // closed on release
}

type idemKey struct {
	project event.ID
	hash    keyHash
}

func (t *idemTable) init() { t.busy = make(map[idemKey]chan struct{}) }

// claims are the keys of one request.
type claims struct {
	keys   []claim
	index  map[idemKey]int // into keys
	window time.Duration   // of submissions that have none of their own
}

type claim struct {
	idemKey
	sub     int    // index of the submission that stores it
	same    []int  // later submissions of the same request with the same key
	content uint64 // hash of what the submission says
	window  uint64 // how long the key is remembered, ms
}

// claimKeys claims every key of the request and marks the submissions whose key
// is in the log already. It returns nil when no submission has a key.
func (l *Log) claimKeys(ctx context.Context, subs []event.Submission) (*claims, error) {
	c := collectKeys(subs, l.o.IdempotencyWindow)
	if c == nil {
		return nil, nil
	}
	if err := l.idem.claim(ctx, c.keys); err != nil {
		return nil, err
	}
	if err := l.lookUpAll(subs, c.keys); err != nil {
		l.idem.release(c.keys)
		return nil, err
	}
	return c, nil
}

func (l *Log) lookUpAll(subs []event.Submission, keys []claim) error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.gate.RUnlock()
	now := l.now()
	for i := range keys {
		if err := l.lookUp(subs, &keys[i], now); err != nil {
			return err
		}
	}
	return nil
}

// now is the present in ms, or the newest id's time if that is later.
func (l *Log) now() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.nowLocked()
}

func (l *Log) nowLocked() uint64 {
	return max(l.clock, uint64(l.o.Clock.Now().UnixMilli()))
}

func collectKeys(subs []event.Submission, window time.Duration) *claims {
	var c *claims
	for i := range subs {
		s := &subs[i]
		if !accepted(s) || s.Event.IdempotencyKey == "" || s.Event.Origin != event.Posted {
			continue
		}
		if c == nil {
			c = &claims{index: make(map[idemKey]int), window: window}
		}
		c.add(s, i)
	}
	return c
}

// add claims the submission's key, or joins it to the earlier submission of the
// same request that claimed it, whose fate it shares.
func (c *claims) add(s *event.Submission, i int) {
	key, content := idemKeyOf(&s.Event), contentHash(s)
	j, claimed := c.index[key]
	switch {
	case !claimed:
		c.index[key] = len(c.keys)
		window := cmp.Or(s.Window, c.window)
		c.keys = append(c.keys, claim{idemKey: key, sub: i, content: content, window: uint64(max(0, window).Milliseconds())})
	case c.keys[j].content != content:
		s.Err = errKeyReused
	default:
		s.Duplicate = true
		c.keys[j].same = append(c.keys[j].same, i)
	}
}

var errKeyReused = &keyReusedError{}

type keyReusedError struct{}

func (*keyReusedError) Error() string {
	return "idempotency_key: was used before for an event with other content; use a new key"
}

func (*keyReusedError) Is(target error) bool { return target == event.ErrConflict }

// claim waits until none of the keys is busy and takes them all at once, so that
// requests with the same keys in another order do not wait for each other.
func (t *idemTable) claim(ctx context.Context, keys []claim) error {
	for {
		held := t.tryClaim(keys)
		if held == nil {
			return nil
		}
		select {
		case <-held:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tryClaim takes all keys and returns nil, or takes none and returns the channel
// of one that is busy.
func (t *idemTable) tryClaim(keys []claim) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range keys {
		if held, busy := t.busy[keys[i].idemKey]; busy {
			return held
		}
	}
	for i := range keys {
		t.busy[keys[i].idemKey] = make(chan struct{})
	}
	return nil
}

func (t *idemTable) release(keys []claim) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range keys {
		close(t.busy[keys[i].idemKey])
		delete(t.busy, keys[i].idemKey)
	}
}

// lookUp marks the submission, and those that join it, if its key is in the log.
func (l *Log) lookUp(subs []event.Submission, k *claim, now uint64) error {
	s := &subs[k.sub]
	id, content, err := l.findKey(k.idemKey, now, k.window)
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		return nil
	case err != nil:
		return err
	case content != k.content:
		s.Err = errKeyReused
		for _, j := range k.same {
			subs[j].Duplicate, subs[j].Err = false, errKeyReused
		}
	default:
		s.Duplicate = true
		k.tell(subs, id)
	}
	return nil
}

// tell gives the submission and those that join it the event's id.
func (k *claim) tell(subs []event.Submission, id event.ID) {
	subs[k.sub].Event.ID = id
	for _, j := range k.same {
		subs[j].Event.ID = id
	}
}

// findKey finds the event that the key was used for less than window milliseconds
// ago. Its id says when that was.
func (l *Log) findKey(k idemKey, now, window uint64) (event.ID, uint64, error) {
	newest := bucketOf(now) // whoever had the key before us got an older id
	oldest := bucketOf(now - min(now, window))
	key := make([]byte, 0, idemKeyLen)
	for b := newest; b >= oldest && b > 0; b-- {
		key = appendIdempotentKey(key[:0], b, k.project, k.hash)
		value, closer, err := l.db.Get(key)
		if errors.Is(err, pebble.ErrNotFound) {
			continue
		}
		if err != nil {
			return event.ID{}, 0, err
		}
		defer closer.Close()
		r, err := open(key, value)
		if err != nil {
			return event.ID{}, 0, err
		}
		id, content := r.id(), r.take(8)
		if err := r.done(); err != nil {
			return event.ID{}, 0, err
		}
		if id.Time()+window <= now {
			break // those in earlier buckets are older still
		}
		return id, binary.LittleEndian.Uint64(content), nil
	}
	return event.ID{}, 0, pebble.ErrNotFound
}

// addKeys writes the records of the keys whose events join the group, and gives
// the request's own duplicates their ids: once the group is taken the
// submissions are the Sink's too. The caller holds mu.
func (l *Log) addKeys(g *group, c *claims, subs []event.Submission) {
	for i := range c.keys {
		k := &c.keys[i]
		s := &subs[k.sub]
		if !accepted(s) {
			continue
		}
		k.tell(subs, s.Event.ID)
		key := appendIdempotentKey(nil, bucketOf(s.Event.ID.Time()), k.project, k.hash)
		value := append(make([]byte, recordHeaderLen), s.Event.ID[:]...)
		value = binary.LittleEndian.AppendUint64(value, k.content)
		seal(value, key)
		_ = g.batch.Set(key, value, nil)
	}
}

func idemKeyOf(ev *event.Event) idemKey {
	return idemKey{project: ev.ProjectID, hash: hash128(ev.IdempotencyKey)}
}

// hash128 joins two 64-bit hashes of the text under different prefixes.
func hash128(text string) (h keyHash) {
	binary.LittleEndian.PutUint64(h[:], xxhash.Sum64String(text))
	var d xxhash.Digest
	d.ResetWithSeed(0x706f737468617374)
	_, _ = d.WriteString(text)
	binary.LittleEndian.PutUint64(h[8:], d.Sum64())
	return h
}

// contentHash covers what makes two events with the same key the same event.
func contentHash(s *event.Submission) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.WriteString(s.Event.Type)
	_, _ = d.Write([]byte{0})
	_, _ = d.WriteString(s.Event.OwnerID)
	_, _ = d.Write([]byte{0})
	_, _ = d.Write(s.EndpointID[:])
	_, _ = d.Write(s.Event.Data)
	return d.Sum64()
}
