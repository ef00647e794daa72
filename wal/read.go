package wal

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// get is Pebble's Get. Where the value lies in a blob file that cannot be read, Pebble
// returns none, and the error only when the value is given back.
func (l *Log) get(key []byte) ([]byte, io.Closer, error) {
	value, closer, err := l.db.Get(key)
	if err != nil || len(value) > 0 {
		return value, closer, err
	}
	err = closer.Close()
	if err != nil && pebble.IsCorruptionError(err) {
		err = &CorruptError{bytesClone(key), fmt.Sprintf("its value cannot be read (%v); see what is affected with posthaste doctor", err)}
	}
	if err != nil {
		return nil, nil, err
	}
	return value, io.NopCloser(nil), nil
}

// Event reads an event back; event.ErrNotFound if the project has none of that id.
// A duplicate comes with the first event's data, and with none if that is gone.
func (l *Log) Event(project, id event.ID) (*event.Event, error) {
	ev, err := l.stored(project, id)
	if err == nil {
		err = l.fill(&ev.Event)
	}
	if err != nil {
		return nil, err
	}
	return &ev.Event, nil
}

// stored reads an event's record; event.ErrNotFound if the project has none of
// that id.
func (l *Log) stored(project, id event.ID) (*storedEvent, error) {
	key := appendEventKey(make([]byte, 0, eventKeyLen), project, id)
	value, closer, err := l.get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, fmt.Errorf("event %s: %w", id, event.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", id, err)
	}
	defer closer.Close()
	return decodeStored(key, value)
}

// Delivery reads a delivery with the state it is in; event.ErrNotFound if the
// project has none of that id.
func (l *Log) Delivery(project, id event.ID) (event.Delivery, error) {
	var d event.Delivery
	err := l.withIter(func(it *pebble.Iterator) (err error) {
		d, err = l.readDelivery(it, id)
		return err
	})
	if err != nil {
		return d, err
	}
	if d.ProjectID != project {
		return event.Delivery{}, fmt.Errorf("delivery %s: %w", id, event.ErrNotFound)
	}
	return d, nil
}

// Attempts reads the recorded attempts of a delivery, oldest first;
// event.ErrNotFound if the project has no delivery of that id.
func (l *Log) Attempts(project, delivery event.ID) ([]event.Attempt, error) {
	attempts := []event.Attempt{}
	err := l.withIter(func(it *pebble.Iterator) error {
		d, err := l.seekDelivery(it, delivery)
		if err != nil {
			return err
		}
		if d.ProjectID != project {
			return fmt.Errorf("delivery %s: %w", delivery, event.ErrNotFound)
		}
		for it.Next() && isRowOf(it.Key(), delivery) {
			var a event.Attempt
			holds, err := decodeOutcome(it.Key(), it.Value(), &d, &a)
			if err != nil {
				return err
			}
			if holds {
				attempts = append(attempts, a)
			}
		}
		return nil
	})
	return attempts, err
}

func (l *Log) withIter(fn func(*pebble.Iterator) error) error {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindDelivery}, UpperBound: []byte{kindDelivery + 1}})
	if err != nil {
		return err
	}
	return errors.Join(fn(it), it.Error(), it.Close())
}

// seekDelivery reads a delivery as it was created, and leaves the iterator on
// that row.
func (l *Log) seekDelivery(it *pebble.Iterator, id event.ID) (event.Delivery, error) {
	key := appendDeliveryKey(make([]byte, 0, deliveryKeyLen), id, l.partitions, 0)
	if !it.SeekGE(key) || !bytes.Equal(it.Key(), key) {
		err := it.Error() // a row that cannot be read is none that is not there
		if err == nil {
			err = event.ErrNotFound
		}
		return event.Delivery{}, fmt.Errorf("delivery %s: %w", id, err)
	}
	return decodeDelivery(it.Key(), it.Value())
}

// readDelivery reads a delivery with the state of its last row.
func (l *Log) readDelivery(it *pebble.Iterator, id event.ID) (event.Delivery, error) {
	d, err := l.seekDelivery(it, id)
	if err != nil {
		return d, err
	}
	for it.Next() && isRowOf(it.Key(), id) {
		if _, err := decodeOutcome(it.Key(), it.Value(), &d, nil); err != nil {
			return d, err
		}
	}
	return d, it.Error()
}

func isRowOf(key []byte, id event.ID) bool {
	of, row := deliveryKeyPartsIf(key)
	return row != 0 && of == id
}
