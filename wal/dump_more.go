package wal

import (
	"time"

	"posthaste/event"
	"posthaste/stats"
)

func dumpReplay(key, _ []byte) (any, error) {
	if err := checkKey(key, replayKeyLen); err != nil {
		return nil, err
	}
	var project, of, id event.ID
	copy(project[:], key[5:])
	copy(of[:], key[21:])
	copy(id[:], key[37:])
	return map[string]any{"project": project, "of": of, "id": id}, nil
}

func dumpHealth(key, value []byte) (any, error) {
	h, err := decodeHealth(key, value)
	return map[string]any{"endpoint": h.Endpoint, "failures": h.Failures, "since": millisTime(h.Since), "trips": h.Trips, "until": millisTime(h.Until)}, err
}

func dumpJob(key, value []byte) (any, error) {
	job, err := decodeJob(key, value)
	return job, err
}

func dumpGone(key, value []byte) (any, error) {
	project, p, err := decodeGone(key, value)
	return map[string]any{"project": project, "payload_before": hourText(p[payload]), "keys_before": hourText(p[keys]),
		"history_before": hourText(p[history]), "gone_before": hourText(p[gone])}, err
}

func dumpLeft(key, value []byte) (any, error) {
	bucket, err := decodeLeft(key, value)
	return map[string]any{"hour": hourText(bucket)}, err
}

func dumpSize(key, value []byte) (any, error) {
	bucket, project, n, err := decodeSize(key, value)
	return map[string]any{"hour": hourText(bucket), "project": project, "size_bytes": n}, err
}

func hourText(bucket uint32) string { return hourTime(bucket).Format(time.RFC3339) }

func dumpStretch(key, value []byte) (any, error) {
	first, last, events, err := decodeStretch(key, value)
	return map[string]any{"first": first, "last": last, "events": events}, err
}

func dumpFind(key, value []byte) (any, error) {
	if err := checkKey(key, findKeyLen); err != nil {
		return nil, err
	}
	_, err := open(key, value)
	var last event.ID
	copy(last[:], key[findKeyLen-16:])
	return map[string]any{"last": last, "shard": key[21]}, err
}

func dumpCountsRow(key, value []byte) (any, error) {
	level, stretch, series, err := decodeCountsKey(key)
	if err != nil {
		return nil, err
	}
	row, err := readCounts(key, value)
	v := map[string]any{"project": series.Project, "from": millisTime(level.Start(stretch, 0)), "slot_seconds": int(level.Slot.Seconds()), "slots": len(row)}
	switch series.Dim {
	case stats.OfEndpoint:
		v["endpoint"] = series.Endpoint
	case stats.OfType:
		v["event_type"] = series.Type
	}
	return v, err
}

func dumpCounted(key, value []byte) (any, error) {
	var book stats.Book
	seq, err := decodeCounted(key, value, &book)
	return map[string]any{"record": seq, "pages": book.Len()}, err
}
