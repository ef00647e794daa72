package wal

import (
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// watermarks are how far recovery need not look, as one mark left them: every delivery
// created before its partition's watermark has had its first attempt settled, or waits
// in the timer index, or belongs to an endpoint that is recorded as behind.
type watermarks struct {
	all uint64            // ms, of the partitions that have none of their own; 0 if there is none
	own map[uint16]uint64 // ms, of those that have
}

func readWatermarks(from pebble.Reader) (w watermarks, err error) {
	it, err := from.NewIter(&pebble.IterOptions{LowerBound: []byte{kindWatermark}, UpperBound: []byte{kindWatermark + 1}})
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	w.own = make(map[uint16]uint64)
	for valid := it.First(); valid; valid = it.Next() {
		ms, err := decodeWatermark(it.Key(), it.Value())
		if err != nil {
			return w, err
		}
		switch p := binary.BigEndian.Uint16(it.Key()[1:]); p {
		case allPartitions:
			w.all = ms
		case newestID:
		default:
			w.own[p] = ms
		}
	}
	return w, it.Error()
}

// of is a partition's watermark.
func (w *watermarks) of(partition uint16) uint64 {
	if ms, own := w.own[partition]; own {
		return ms
	}
	return w.all
}

// least is the lowest watermark of so many partitions: every one of them has got as far.
func (w *watermarks) least(partitions int) uint64 {
	least := uint64(1<<64 - 1)
	for _, ms := range w.own {
		least = min(least, ms)
	}
	if len(w.own) < partitions {
		least = min(least, w.all)
	}
	return least
}

func decodeWatermark(key, value []byte) (uint64, error) {
	if err := checkKey(key, waterKeyLen); err != nil {
		return 0, err
	}
	r, err := open(key, value)
	if err != nil {
		return 0, err
	}
	ms := millis(r.take6())
	return ms, r.done()
}

// newestTime reads the time of the newest id; 0 when the store does not say.
func (l *Log) newestTime() (uint64, error) {
	key := appendWatermarkKey(nil, newestID)
	value, closer, err := l.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer closer.Close()
	return decodeWatermark(key, value)
}

// setWatermark writes a watermark of some partitions, or of all, which have none of
// their own then. The caller holds mu.
func (l *Log) setWatermark(g *group, ms uint64, partitions []uint16) {
	if partitions != nil {
		for _, p := range partitions {
			key := appendWatermarkKey(nil, p)
			_ = g.batch.Set(key, sealedMillis(key, ms), nil)
			l.marked[p] = struct{}{}
		}
		return
	}
	key := appendWatermarkKey(nil, allPartitions)
	_ = g.batch.Set(key, sealedMillis(key, ms), nil)
	for p := range l.marked {
		_ = g.batch.Delete(appendWatermarkKey(nil, p), nil)
	}
	clear(l.marked)
}
