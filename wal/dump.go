package wal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// DumpRow is one record as Dump prints it: one JSON object a line.
type DumpRow struct {
	Kind  string `json:"kind"`
	Key   string `json:"key"`
	Bytes int    `json:"bytes"`
	Value any    `json:"value,omitempty"`
}

// Dump prints what the store holds, in key order, at most limit records (0:
// all), one JSON object a line, and a last line with counts. Values of the
// catalog and the data of events are not printed: they may be secret.
func (l *Log) Dump(w io.Writer, limit int) error {
	out := json.NewEncoder(w)
	counts, err := l.walk(limit, func(row DumpRow) error { return out.Encode(row) })
	if err != nil {
		return err
	}
	return out.Encode(counts)
}

// DumpText is Dump in columns, for a person.
func (l *Log) DumpText(w io.Writer, limit int) error {
	counts, err := l.walk(limit, func(row DumpRow) error {
		value, err := json.Marshal(row.Value)
		if err == nil {
			_, err = fmt.Fprintf(w, "%-11s %7d B  %s\n", row.Kind, row.Bytes, value)
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%d records, %d bytes: %v\nformat %d, %d partitions\n", counts.Records, counts.Bytes, counts.Of, counts.Format, counts.Partitions)
	return err
}

// dumpCounts is the last line of a dump.
type dumpCounts struct {
	Records    int            `json:"records"`
	Bytes      int            `json:"bytes"`
	Of         map[string]int `json:"of"`
	Complete   bool           `json:"complete"` // the limit left nothing out
	Partitions int            `json:"partitions"`
	Format     int            `json:"format"`
}

func (l *Log) walk(limit int, fn func(DumpRow) error) (c dumpCounts, err error) {
	c = dumpCounts{Of: map[string]int{}, Partitions: l.partitions, Format: FormatVersion}
	it, err := l.db.NewIter(nil)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	valid := it.First()
	for ; valid && (limit == 0 || c.Records < limit); valid = it.Next() {
		row, err := dumpRow(it)
		if err == nil {
			err = fn(row)
		}
		if err != nil {
			return c, err
		}
		c.Records++
		c.Of[row.Kind]++
		c.Bytes += len(it.Key()) + row.Bytes
	}
	c.Complete = !valid
	return c, it.Error()
}

// Raw calls fn with every record as it is stored, in key order, and ends with its first
// error. Key and value are fn's only until it returns.
func (l *Log) Raw(fn func(key, value []byte) error) error {
	it, err := l.db.NewIter(nil)
	if err != nil {
		return err
	}
	for valid := it.First(); valid && err == nil; valid = it.Next() {
		err = fn(it.Key(), it.Value())
	}
	return errors.Join(err, it.Error(), it.Close())
}

func dumpRow(it *pebble.Iterator) (DumpRow, error) {
	key, value := it.Key(), it.Value()
	row := DumpRow{Key: fmt.Sprintf("%x", key), Bytes: len(value)}
	dump, known := dumpers[key[0]]
	if !known {
		return row, &CorruptError{bytesClone(key), "unknown kind of record"}
	}
	row.Kind = dump.name
	v, err := dump.value(key, value)
	row.Value = v
	return row, err
}

type dumper struct {
	name  string
	value func(key, value []byte) (any, error)
}

var dumpers = map[byte]dumper{
	kindHeader:     {"header", dumpHeader},
	kindCatalog:    {"catalog", dumpCatalog},
	kindEvent:      {"event", dumpEvent},
	kindDelivery:   {"delivery", dumpDelivery},
	kindTimer:      {"timer", dumpTimer},
	kindStatus:     {"status", dumpStatus},
	kindIdempotent: {"idempotency", dumpSealed},
	kindReplay:     {"replay", dumpReplay},
	kindBehind:     {"behind", dumpSealed},
	kindHealth:     {"health", dumpHealth},
	kindWatermark:  {"watermark", dumpWatermark},
	kindJob:        {"job", dumpJob},
	kindGone:       {"gone", dumpGone},
	kindLeft:       {"left", dumpLeft},
	kindSize:       {"size", dumpSize},
	kindStretch:    {"stretch", dumpStretch},
	kindFind:       {"find", dumpFind},
	kindAudit:      {"audit", dumpAudit},
	kindCounts:     {"counts", dumpCountsRow},
	kindCounted:    {"counted", dumpCounted},
}

func dumpHeader(key, value []byte) (any, error) {
	r, err := open(key, value)
	if err != nil {
		return nil, err
	}
	return json.RawMessage(bytesClone(r.b)), nil
}

func dumpCatalog(key, value []byte) (any, error) {
	r, err := open(key, value)
	if err != nil {
		return nil, err
	}
	rev := uint64(0)
	for i, b := range r.take8() {
		rev |= uint64(b) << (8 * i)
	}
	var id event.ID
	copy(id[:], key[2:])
	return map[string]any{"of": string(key[1]), "id": id, "rev": rev, "value_bytes": len(r.b)}, r.done()
}

func dumpEvent(key, value []byte) (any, error) {
	ev, err := decodeEvent(key, value)
	if err != nil {
		return nil, err
	}
	v := map[string]any{"id": ev.ID, "project": ev.ProjectID, "event_type": ev.Type, "received_at": ev.ReceivedAt,
		"headers": len(ev.Headers), "data_bytes": len(ev.Data), "deliveries": owedIDs(ev, nil)}
	if !plain(ev) {
		v["origin"], v["of"], v["source"], v["path"] = ev.Origin, ev.Of, ev.SourceID, ev.Path
	}
	return v, nil
}

func dumpDelivery(key, value []byte) (any, error) {
	id, row := deliveryKeyParts(key)
	if row == 0 {
		d, err := decodeDelivery(key, value)
		return map[string]any{"id": id, "row": 0, "status": d.Status.String(), "event": d.EventID, "project": d.ProjectID,
			"endpoint": d.EndpointID, "subscription": d.SubscriptionID, "reason": d.Reason, "at_most_once": d.AtMostOnce}, err
	}
	d, a := event.Delivery{ID: id}, event.Attempt{}
	holds, err := decodeOutcome(key, value, &d, &a)
	v := map[string]any{"id": id, "row": row, "status": d.Status.String(), "attempts": d.Attempts, "limit": d.Limit, "updated_at": d.UpdatedAt}
	if !d.Due.IsZero() {
		v["due"] = d.Due
	}
	if holds {
		v["attempt"] = map[string]any{"number": a.Number, "manual": a.Manual, "started_at": a.StartedAt, "duration_us": a.Duration.Microseconds(),
			"status_code": a.StatusCode, "class": a.Class.String(), "error": a.Error, "address": a.Address,
			"response_body_bytes": len(a.ResponseBody), "response_body_cut": a.BodyCut, "timing_us": dumpTiming(&a.Timing)}
	}
	return v, err
}

// dumpTiming is the parts of an attempt's time that took any.
func dumpTiming(t *event.Timing) map[string]int64 {
	out := make(map[string]int64)
	for i, part := range parts(t) {
		if us := part.Microseconds(); us > 0 {
			out[[...]string{"token", "lookup", "connect", "handshake", "wait"}[i]] = us
		}
	}
	return out
}

func dumpTimer(key, value []byte) (any, error) {
	d, err := decodeTimer(key, value)
	return map[string]any{"delivery": d.ID, "endpoint": d.EndpointID, "event": d.EventID, "due": d.Due.Format(time.RFC3339Nano),
		"attempts": d.Attempts, "manual": d.Manual}, err
}

func dumpStatus(key, _ []byte) (any, error) {
	var project, id event.ID
	copy(project[:], key[5:])
	copy(id[:], key[statusKeyLen-16:])
	return map[string]any{"project": project, "status": event.Status(key[21]).String(), "delivery": id}, nil
}

func dumpSealed(key, value []byte) (any, error) {
	r, err := open(key, value)
	if err != nil {
		return nil, err
	}
	id := r.id()
	return map[string]any{"id": id}, r.done()
}

func dumpWatermark(key, value []byte) (any, error) {
	ms, err := decodeWatermark(key, value)
	if err != nil {
		return nil, err
	}
	m := map[string]any{"at": millisTime(ms)}
	if p := binary.BigEndian.Uint16(key[1:]); p < newestID {
		m["partition"] = p
	}
	return m, nil
}
