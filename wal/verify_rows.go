package wal

import (
	"bytes"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// rowVerifier reads every record in key order, and looks up what each says of others.
type rowVerifier struct {
	*verifier
	look                      *pebble.Iterator
	records, refs, watermarks *check
	sizes                     map[byte]*KindSize
	read                      int64

	behind map[event.ID]event.ID // endpoint to the place behind which it reads
	marks  watermarks
	mark   uint64 // the lowest of them; ms
	clock  uint64 // of the newest id, as W says; 0 if it does not
	newest uint64 // of the newest id that was read
	gone   map[event.ID]progress
	most   progress // of all of these

	delivery event.Delivery // whose rows are being read
	rows     int            // of it that were; 0: none is
	notRead  int            // references that could not be looked up
	unread   int            // values that could not be read
	skipped  int            // values in value files that were not read after these
}

// rows checks every record.
func (r *verifier) rows() (sizes []KindSize, err error) {
	look, err := r.l.db.NewIter(nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = look.Close() }() // its errors are those of damaged tables
	v := &rowVerifier{
		verifier: r, look: look, records: r.check("records"), refs: r.check("references"), watermarks: r.check("watermark"),
		sizes: map[byte]*KindSize{}, behind: map[event.ID]event.ID{}, gone: map[event.ID]progress{},
	}
	if err := v.prepare(); err != nil {
		v.records.find(Broken, "%v", oneLine(err))
	}
	if err := v.readAll(); err != nil {
		return nil, err
	}
	v.endDelivery()
	v.conclude()
	return v.list(), nil
}

// prepare reads what records are compared with.
func (r *rowVerifier) prepare() (err error) {
	if r.marks, err = readWatermarks(r.l.db); err != nil {
		return err
	}
	r.mark = r.marks.least(r.l.partitions)
	if r.clock, err = r.l.newestTime(); err != nil {
		return err
	}
	if err = readBehind(r.l.db, func(uint16) bool { return true }, func(b event.Behind) { r.behind[b.Endpoint] = b.After }); err != nil {
		return err
	}
	return r.l.eachRow(kindGone, func(key, value []byte) error {
		project, p, err := decodeGone(key, value)
		r.gone[project] = p
		for i := range p {
			r.most[i] = max(r.most[i], p[i])
		}
		return err
	})
}

// progressRows is how many records are read from one report to the next.
const progressRows = 1 << 16

// readAll reads all records, but those of damaged tables.
func (r *rowVerifier) readAll() error {
	var from []byte
	for {
		last, err := r.readFrom(from)
		if err == nil || r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		from = r.brokenBehind(last)
		if from == nil {
			r.records.find(Broken, "those behind %s cannot be read: %v; %s", placeOf(last), oneLine(err), restore)
			return nil
		}
		r.records.find(Broken, "those behind %s cannot be read: %v; going on at %s", placeOf(last), oneLine(err), placeOf(from))
		r.rows = 0 // the delivery's other rows may be among them
	}
}

// readFrom reads records until one cannot be reached; last is the one before it.
func (r *rowVerifier) readFrom(from []byte) (last []byte, err error) {
	it, err := r.l.db.NewIter(&pebble.IterOptions{LowerBound: from})
	if err != nil {
		return from, err
	}
	last = bytes.Clone(from)
	for valid := it.First(); valid; valid = it.Next() {
		last = append(last[:0], it.Key()...)
		if r.read++; r.read%progressRows == 0 {
			r.v.Progress("records", r.read, 0)
			if r.ctx.Err() != nil {
				break
			}
		}
		r.row(it)
	}
	err = it.Error()
	if cerr := it.Close(); err == nil {
		err = cerr
	}
	return last, err
}

func (r *rowVerifier) row(it *pebble.Iterator) {
	key := it.Key()
	lazy := it.LazyValue()
	if r.unread >= maxFindings && lazy.Fetcher != nil {
		r.skipped++
		r.rows = 0 // a delivery without this row is not compared with anything
		return
	}
	value, _, err := lazy.Value(nil)
	if err != nil {
		r.unread++
		r.rows = 0
		r.records.find(Broken, "%s cannot be read: %v; %s", placeOf(key), oneLine(err), restore)
		return
	}
	if r.sizes[key[0]] == nil {
		r.sizes[key[0]] = &KindSize{Kind: "unknown"}
	}
	size := r.sizes[key[0]]
	size.Records++
	size.Bytes += int64(len(key) + len(value))
	d, known := dumpers[key[0]]
	if !known {
		r.records.find(Broken, "%v", &CorruptError{bytesClone(key), "unknown kind of record: was it written by a newer program?"})
		return
	}
	size.Kind = d.name
	if err := checkLength(key); err != nil {
		r.records.find(Broken, "%v", err)
		return
	}
	if key[0] != kindDelivery {
		r.endDelivery()
	}
	if err := r.decode(key, value); err != nil {
		r.records.find(Broken, "%s: %v; %s", placeOf(key), err, restore)
	}
}

// decode decodes a record, and looks at what it refers to.
func (r *rowVerifier) decode(key, value []byte) error {
	switch key[0] {
	case kindDelivery:
		return r.deliveryRow(key, value)
	case kindEvent:
		ev, err := decodeEvent(key, value)
		if err == nil {
			r.event(ev)
		}
		return err
	case kindTimer:
		d, err := decodeTimer(key, value)
		if err == nil {
			r.timer(&d)
		}
		return err
	case kindStatus:
		r.status(key)
		return nil
	case kindFind:
		return checkFind(key, value)
	case kindReplay:
		return nil
	}
	_, err := dumpers[key[0]].value(key, value)
	return err
}

// checkFind reads all entries of a row of the index.
func checkFind(key, value []byte) error {
	row, err := open(key, value)
	if err != nil {
		return err
	}
	first := row.id()
	var ids []event.ID
	for len(row.b) > 0 && !row.bad {
		row.take(tagRestLen)
		if ids, err = appendIDs(ids[:0], key, first, row.bytes()); err != nil {
			return err
		}
	}
	return row.done()
}

// deliveryRow takes one row of a delivery; they lie together, the first one first.
func (r *rowVerifier) deliveryRow(key, value []byte) error {
	id, row := deliveryKeyParts(key)
	if row == 0 {
		r.endDelivery()
		d, err := decodeDelivery(key, value)
		if err == nil {
			r.delivery, r.rows = d, 1
		}
		return err
	}
	if r.rows == 0 || r.delivery.ID != id {
		r.endDelivery()
		if len(r.broken) > 0 || r.values {
			return nil // its first row lies in a file that is reported
		}
		return &CorruptError{bytesClone(key), "an outcome without its delivery"}
	}
	r.rows++
	var a event.Attempt
	_, err := decodeOutcome(key, value, &r.delivery, &a)
	return err
}

// exists reports whether a key is there. Where that cannot be read, it is not called
// missing.
func (r *rowVerifier) exists(key []byte) bool {
	if r.inBroken(key) {
		r.notRead++
		return true
	}
	found := r.look.SeekGE(key) && bytes.Equal(r.look.Key(), key)
	return found || r.unreadable()
}

// unreadable reports whether a look-up ended at a damaged table.
func (r *rowVerifier) unreadable() bool {
	if r.look.Error() == nil {
		return false
	}
	r.notRead++
	return true
}

// conclude reports what is known at the end.
func (r *rowVerifier) conclude() {
	if r.skipped > 0 {
		r.records.find(Broken, "%d more have their values in value files, and were not read", r.skipped)
	}
	if r.notRead > 0 {
		r.refs.find(Warning, "%d could not be looked up: they lead to damaged files", r.notRead)
	}
	now := uint64(r.v.Now.UnixMilli())
	if r.clock != 0 && r.newest > r.clock {
		r.watermarks.find(Broken, "there are ids of %s, and the newest is noted as of %s: new ids could repeat old ones; %s", millisTime(r.newest), millisTime(r.clock), restore)
	}
	for what, ms := range map[string]uint64{"the watermark is": r.mark, "the newest id is of": r.clock} {
		if ahead := time.Duration(int64(ms)-int64(now)) * time.Millisecond; ahead > time.Hour {
			r.watermarks.find(Warning, "%s %s, which is %s from now: the machine's clock was or is wrong", what, millisTime(ms), ahead.Round(time.Minute))
		}
	}
	r.records.end("%d, all as they were written: %s", r.read, r.text())
	r.refs.end("deliveries and events, timers and states agree; %d endpoints are behind", len(r.behind))
	text := "none yet"
	if r.mark != 0 {
		text = millisTime(r.mark).Format(time.RFC3339)
	}
	r.watermarks.end("%s", text)
}

// list is what there is of each kind, in the order of the store.
func (r *rowVerifier) list() (all []KindSize) {
	for kind := range 256 {
		if s := r.sizes[byte(kind)]; s != nil {
			all = append(all, *s)
		}
	}
	return all
}

func (r *rowVerifier) text() string {
	var b bytes.Buffer
	for _, s := range r.list() {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %d", s.Kind, s.Records)
	}
	return b.String()
}
