package wal

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// hoursOf is a store with hours of traffic, and what has become of each delivery.
type hoursOf struct {
	t      testing.TB
	o      Options
	l      *Log
	rng    *rand.Rand
	start  uint32 // the first hour
	hours  int
	events map[event.ID]*event.Event
	state  map[event.ID]event.Delivery
	behind map[event.ID]event.ID
}

func newHours(t testing.TB, seed uint64, hours, perHour int) *hoursOf {
	t.Helper()
	return newHoursOn(t, seed, hours, perHour, vfs.NewMem())
}

func newHoursOn(t testing.TB, seed uint64, hours, perHour int, fs vfs.FS) *hoursOf {
	t.Helper()
	h := &hoursOf{
		t: t, o: testOptions(fs), rng: rand.New(rand.NewPCG(seed, 7)), hours: hours,
		events: map[event.ID]*event.Event{}, state: map[event.ID]event.Delivery{}, behind: map[event.ID]event.ID{},
	}
	h.l = openLog(t, h.o)
	recoverAll(t, h.l)
	h.start = uint32(h.l.now()/hour) + 1
	for i := range uint64(hours) {
		setClock(h.l, (uint64(h.start)+i)*hour)
		for n := range perHour {
			setClock(h.l, (uint64(h.start)+i)*hour+uint64(n)*hour/uint64(perHour))
			h.post()
		}
	}
	setClock(h.l, (uint64(h.start)+uint64(hours))*hour)
	return h
}

func (h *hoursOf) post() {
	project := uint64(1 + h.rng.IntN(3))
	var endpoints []event.ID
	for range 1 + h.rng.IntN(3) {
		endpoints = append(endpoints, idOf(10*project+uint64(h.rng.IntN(4))))
	}
	s := post(idOf(project), fmt.Sprintf("data %0300d", h.rng.Uint64()), endpoints...)
	if h.rng.IntN(4) == 0 {
		s.Event.IdempotencyKey = fmt.Sprint(h.rng.Uint64())
	}
	if h.rng.IntN(8) == 0 {
		s.Event.Owed[0].Status = event.Discarded
	}
	ev := appendOne(h.t, h.l, s)
	h.events[ev.ID] = ev
	for i := range ev.Owed {
		h.state[ev.Owed[i].ID] = ev.Owed[i]
	}
}

// finish ends every delivery of its endpoints that is owed, but those it leaves: these
// wait for a retry, or their endpoint is behind from there on.
func (h *hoursOf) finish(leave func(d *event.Delivery) event.Status) {
	h.t.Helper()
	for _, id := range sorted(slices.Collect(maps.Keys(h.state))) {
		d := h.state[id]
		if _, behind := h.behind[d.EndpointID]; behind || !d.Status.Owed() {
			continue
		}
		to := leave(&d)
		if to == event.Scheduled {
			h.behind[d.EndpointID] = event.Before(id)
			continue
		}
		s := attempted(d, to)
		must(h.t, h.l.Settle(&s))
		h.state[id] = s.Delivery
	}
	m := event.Mark{Watermark: (uint64(h.start) + uint64(h.hours)) * hour}
	for ep, after := range h.behind {
		m.Behind = append(m.Behind, event.Behind{Endpoint: ep, After: after})
	}
	must(h.t, h.l.SetMark(m))
	must(h.t, h.l.Flush())
}

// catchUp lets the endpoints that are behind go on to the end.
func (h *hoursOf) catchUp() {
	var m event.Mark
	m.CaughtUp = slices.Collect(maps.Keys(h.behind))
	must(h.t, h.l.SetMark(m))
	clear(h.behind)
}

func (h *hoursOf) at(hours float64) time.Time {
	return hourTime(h.start).Add(time.Duration(hours * float64(time.Hour)))
}

func (h *hoursOf) retain(p Policy) Retained {
	h.t.Helper()
	r, err := h.l.Retain(p)
	must(h.t, err)
	return r
}

// expired: an hour is over, and older than keep.
func (h *hoursOf) expired(id event.ID, keep time.Duration, now time.Time) bool {
	end := hourTime(bucketOf(id.Time()) + 1)
	return keep > 0 && !end.After(now.Add(-keep)) && !end.After(h.at(float64(h.hours)))
}

func keepOf(p Policy, project event.ID) Keep {
	if k, excepted := p.Except[project]; excepted {
		return k
	}
	return p.Default
}

// want says which events and deliveries have to be there under a policy.
func (h *hoursOf) want(p Policy) (events, deliveries map[event.ID]bool) {
	events, deliveries = map[event.ID]bool{}, map[event.ID]bool{}
	unread := map[string]bool{} // hours of projects
	for id, d := range h.state {
		hash := event.EndpointHash(d.EndpointID)
		stays := d.Status == event.Retry || !h.expired(id, keepOf(p, d.ProjectID).History, p.Now)
		if p.Longest != nil {
			longest, living := p.Longest(hash)
			stays = stays || living && !h.expired(id, longest, p.Now)
		}
		for ep, after := range h.behind {
			if event.EndpointHash(ep) == hash && id.Compare(after) > 0 {
				stays = true
				unread[fmt.Sprint(bucketOf(id.Time()), d.ProjectID)] = true
			}
		}
		if stays {
			deliveries[id] = true
		}
		if d.Status == event.Retry {
			events[d.EventID] = true
		}
	}
	for id, ev := range h.events {
		if !h.expired(id, keepOf(p, ev.ProjectID).Payload, p.Now) || unread[fmt.Sprint(bucketOf(id.Time()), ev.ProjectID)] {
			events[id] = true
		}
	}
	return events, deliveries
}

// check compares the store with what has to be there, through every listing.
func (h *hoursOf) check(p Policy) error {
	events, deliveries := h.want(p)
	for id, ev := range h.events {
		got, err := h.l.Event(ev.ProjectID, id)
		if events[id] {
			if err != nil {
				return fmt.Errorf("event of hour %d: %w", bucketOf(id.Time())-h.start, err)
			}
			if err := sameEvent(got, ev); err != nil {
				return err
			}
		} else if !errors.Is(err, event.ErrNotFound) {
			return fmt.Errorf("event of hour %d is still there (%w)", bucketOf(id.Time())-h.start, err)
		}
		if err := h.checkListing(event.DeliveryFilter{EventID: id}, ev.ProjectID, deliveries, func(d event.Delivery) bool { return d.EventID == id }); err != nil {
			return err
		}
	}
	for project := uint64(1); project <= 3; project++ {
		if err := h.checkListing(event.DeliveryFilter{}, idOf(project), deliveries, func(event.Delivery) bool { return true }); err != nil {
			return err
		}
		ep := idOf(10 * project)
		if err := h.checkListing(event.DeliveryFilter{Endpoints: []event.ID{ep}}, idOf(project), deliveries, func(d event.Delivery) bool { return d.EndpointID == ep }); err != nil {
			return err
		}
		if err := h.checkListing(event.DeliveryFilter{Statuses: []event.Status{event.Retry}}, idOf(project), deliveries, func(d event.Delivery) bool { return d.Status == event.Retry }); err != nil {
			return err
		}
	}
	_, err := tryRecover(h.l)
	return err
}

func (h *hoursOf) checkListing(f event.DeliveryFilter, project event.ID, there map[event.ID]bool, passes func(event.Delivery) bool) error {
	var want []event.ID
	for id, d := range h.state {
		if there[id] && d.ProjectID == project && passes(d) {
			want = append(want, id)
		}
	}
	want = sorted(want)
	got, _, err := h.l.Deliveries(project, event.Range{Limit: 1 << 20}, f)
	if err != nil {
		return err
	}
	if !slices.Equal(idsOf(got), want) {
		return fmt.Errorf("listing %+v of project %s: %d deliveries, want %d", f, project, len(got), len(want))
	}
	slices.Reverse(want)
	var down []event.ID
	r := event.Range{Limit: 7, Descending: true}
	for {
		page, _, err := h.l.Deliveries(project, r, f)
		if err != nil {
			return err
		}
		down = append(down, idsOf(page)...)
		if len(page) < r.Limit {
			break
		}
		r.To = event.Before(page[len(page)-1].ID)
	}
	if !slices.Equal(down, want) {
		return fmt.Errorf("listing %+v of project %s, newest first in pages: %d deliveries, want %d", f, project, len(down), len(want))
	}
	return nil
}
