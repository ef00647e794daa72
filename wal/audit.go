package wal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// Records of the audit log lie by scope and time. A scope is a project, or the zero id for
// the whole instance, which has every record; one about a project is there twice, so that
// both listings are one range of keys and end after what they show.
const auditKeyLen = 1 + 16 + 16

func appendAuditKey(dst []byte, scope, id event.ID) []byte {
	return append(append(append(dst, kindAudit), scope[:]...), id[:]...)
}

// Audit writes records of the audit log and gives them their ids. They are durable when it
// returns. It does not wait for a group.
func (l *Log) Audit(trail ...event.Audit) error {
	if len(trail) == 0 {
		return nil
	}
	if err := l.enter(); err != nil {
		return err
	}
	defer l.gate.RUnlock()
	b := l.db.NewBatch()
	defer b.Close()
	if err := l.addTrail(b, trail); err != nil {
		return err
	}
	return l.commitNow(b)
}

// addTrail gives records their ids and puts them into a batch.
func (l *Log) addTrail(b *pebble.Batch, trail []event.Audit) error {
	if len(trail) == 0 {
		return nil
	}
	ms, seq := l.auditIDs(len(trail))
	for i := range trail {
		a := &trail[i]
		a.ID = auditID(ms, l.node, seq+uint64(i))
		body, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("audit %s: %w", a.Action, err)
		}
		value := append(make([]byte, recordHeaderLen), body...)
		for _, scope := range []event.ID{{}, a.ProjectID} {
			key := appendAuditKey(nil, scope, a.ID)
			seal(value, key)
			_ = b.Set(key, value, nil)
			if a.ProjectID.IsZero() {
				break
			}
		}
	}
	return nil
}

// auditIDs takes numbers for n ids, which rise in the order of the calls.
func (l *Log) auditIDs(n int) (ms, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clock = max(l.clock, uint64(time.Now().UnixMilli()))
	seq = l.nextSeq(n)
	return l.clock, seq
}

// auditID is like an event's id but that the sequence comes first, which rises within a
// millisecond also where the number of the process is another one.
func auditID(ms uint64, node uint32, seq uint64) (id event.ID) {
	_ = id.SetTime(ms)
	id[6], id[7] = byte(seq>>40), byte(seq>>32)
	binary.BigEndian.PutUint32(id[8:], uint32(seq))
	binary.BigEndian.PutUint32(id[12:], node)
	return id
}

// Audits lists the audit log of a project or, for the zero id, of the whole instance.
// Records that do not pass the filter count for the range's budget.
func (l *Log) Audits(project event.ID, r event.Range, f event.AuditFilter) (rows []event.Audit, scan event.Scan, err error) {
	if r.To == (event.ID{}) {
		r.To = maxID
	}
	it, err := l.db.NewIter(&pebble.IterOptions{
		LowerBound: appendAuditKey(nil, project, r.From),
		UpperBound: append(appendAuditKey(nil, project, r.To), 0),
	})
	if err != nil {
		return nil, scan, err
	}
	first, next := it.First, it.Next
	if r.Descending {
		first, next = it.Last, it.Prev
	}
	for valid := first(); valid && len(rows) < r.Limit && err == nil; valid = next() {
		if r.Budget > 0 && scan.Looked >= r.Budget {
			copy(scan.Next[:], it.Key()[auditKeyLen-16:])
			break
		}
		var a event.Audit
		if a, err = decodeAudit(it.Key(), it.Value()); err != nil {
			break
		}
		if scan.Looked++; f.Selects(&a) {
			rows = append(rows, a)
		}
	}
	return rows, scan, errors.Join(err, it.Error(), it.Close())
}

func decodeAudit(key, value []byte) (a event.Audit, err error) {
	if err := checkKey(key, auditKeyLen); err != nil {
		return a, err
	}
	r, err := open(key, value)
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(r.b, &a); err != nil {
		return a, &CorruptError{bytesClone(key), "not a record of the audit log: " + err.Error()}
	}
	return a, nil
}

// ForgetAudits removes what the audit log has of before an hour, as one range of keys for
// each scope, and says how many ranges these were. Where there is nothing so old it costs
// one look-up: the instance's scope has every record.
func (l *Log) ForgetAudits(before time.Time) (ranges int, err error) {
	if err := l.enter(); err != nil {
		return 0, err
	}
	defer l.gate.RUnlock()
	end := event.ID{}
	_ = end.SetTime(uint64(max(0, before.Truncate(time.Hour).UnixMilli())))
	b := l.db.NewBatch()
	defer b.Close()
	if err := l.addForgetting(b, end); err != nil || b.Empty() {
		return 0, err
	}
	return int(b.Count()), l.commitNow(b)
}

// addForgetting goes from scope to scope by seeking.
func (l *Log) addForgetting(b *pebble.Batch, end event.ID) (err error) {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindAudit}, UpperBound: []byte{kindAudit + 1}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Error(), it.Close()) }()
	for valid := it.First(); valid; {
		var scope, oldest event.ID
		copy(scope[:], it.Key()[1:])
		copy(oldest[:], it.Key()[1+16:])
		switch old := oldest.Compare(end) < 0; {
		case old:
			_ = b.DeleteRange(appendAuditKey(nil, scope, event.ID{}), appendAuditKey(nil, scope, end), nil)
		case scope.IsZero():
			return nil
		}
		valid = it.SeekGE(append(appendAuditKey(nil, scope, maxID), 0))
	}
	return nil
}

func dumpAudit(key, value []byte) (any, error) {
	a, err := decodeAudit(key, value)
	var scope event.ID
	if err == nil {
		copy(scope[:], key[1:])
	}
	return map[string]any{"scope": scope, "id": a.ID, "actor": a.Actor.Kind, "action": a.Action, "object": a.Object.ID, "outcome": a.Outcome}, err
}
