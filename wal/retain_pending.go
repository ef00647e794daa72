package wal

import (
	"bytes"
	"errors"
	"fmt"

	"posthaste/event"
)

// maxPending is how many deliveries of an hour may be owed when the rest of it is
// removed around them.
const maxPending = 10_000

// pending finds what is owed of the hour, and what belongs to it: deliveries in Retry
// with their events, and all from the place on of each endpoint that is behind, with
// its project's events. There is nothing else: the watermark has passed. It reports
// whether there is too much to remove anything.
func (v *hourVisit) pending() (tooMany bool, err error) {
	retries, err := v.retries()
	if err != nil {
		return false, err
	}
	if len(retries) > maxPending {
		v.reasons = append(v.reasons, fmt.Sprintf("more than %d of its deliveries wait for a retry", maxPending))
		return true, nil
	}
	for _, id := range retries {
		if err := v.keepDelivery(id); err != nil {
			return false, err
		}
	}
	if len(retries) > 0 {
		v.reasons = append(v.reasons, fmt.Sprintf("%d of its deliveries wait for a retry", len(retries)))
	}
	return v.keepBehind()
}

// retries lists the hour's deliveries that wait for a retry, and keeps their entries
// in the status index.
func (v *hourVisit) retries() (ids []event.ID, err error) {
	err = prefixes(v.it, kindStatus, v.bucket, 16, func(project []byte) error {
		s := prefixSpan(append(bytes.Clone(project), byte(event.Retry)))
		found := false
		for valid := v.it.SeekGE(s.start); valid && bytes.Compare(v.it.Key(), s.end) < 0 && len(ids) <= maxPending; valid = v.it.Next() {
			if err := checkKey(v.it.Key(), statusKeyLen); err != nil {
				return err
			}
			var id event.ID
			copy(id[:], v.it.Key()[statusKeyLen-16:])
			ids, found = append(ids, id), true
		}
		if found {
			v.keep = append(v.keep, s)
		}
		return nil
	})
	return ids, err
}

// keepDelivery keeps a delivery and its event.
func (v *hourVisit) keepDelivery(id event.ID) error {
	d, err := v.r.l.seekDelivery(v.it, id)
	if errors.Is(err, event.ErrNotFound) && v.it.Error() == nil {
		return nil // nothing of it is left to keep
	}
	if err != nil {
		return err
	}
	v.keep = append(v.keep,
		deliverySpan(id, v.r.l.partitions),
		prefixSpan(appendEventKey(nil, d.ProjectID, d.EventID)))
	return nil
}

// keepBehind keeps what endpoints have yet to read.
func (v *hourVisit) keepBehind() (tooMany bool, err error) {
	endpoints := 0
	for _, b := range v.r.behind {
		from := bucketOf(b.After.Time())
		if from > v.bucket {
			continue
		}
		unread := v.unread(b, from == v.bucket)
		if !v.it.SeekGE(unread.start) || bytes.Compare(v.it.Key(), unread.end) >= 0 {
			continue
		}
		project, whose, err := v.projectOf(b.Endpoint, unread)
		switch {
		case err != nil:
			return false, err
		case whose == nobodys:
			continue
		case whose == unclear || endpoints == maxPending:
			v.reasons = append(v.reasons, "it cannot be told in reasonable time what its endpoints that are behind have to read yet")
			return true, nil
		}
		endpoints++
		v.keep = append(v.keep, unread,
			prefixSpan(appendInBucket(nil, kindEvent, v.bucket, project)),
			prefixSpan(appendInBucket(nil, kindStatus, v.bucket, project)))
	}
	if endpoints > 0 {
		v.reasons = append(v.reasons, fmt.Sprintf("%d endpoints have yet to read deliveries of it", endpoints))
	}
	return false, v.it.Error()
}

// unread covers the rows of an endpoint's hash that come after its place.
func (v *hourVisit) unread(b event.Behind, within bool) span {
	hash := event.EndpointHash(b.Endpoint)
	s := prefixSpan(appendEndpointPrefix(nil, v.bucket, hash, v.r.l.partitions))
	if within {
		s.start = appendBound(nil, b.After, hash, v.r.l.partitions, 0xFFFF)
	}
	return s
}

// What projectOf found.
const (
	nobodys = iota // the endpoint has no row there
	theirs
	unclear
)

// projectOf finds out whose an endpoint is, from the first of its rows in a span.
// The first row there is nearly always its own; another endpoint may share its hash.
func (v *hourVisit) projectOf(endpoint event.ID, s span) (project event.ID, whose int, err error) {
	valid := v.it.SeekGE(s.start)
	for range maxPending {
		if !valid || bytes.Compare(v.it.Key(), s.end) >= 0 {
			return project, nobodys, v.it.Error()
		}
		if _, row := deliveryKeyParts(v.it.Key()); row == 0 {
			d, err := decodeDelivery(v.it.Key(), v.it.Value())
			if err != nil || d.EndpointID == endpoint {
				return d.ProjectID, theirs, err
			}
		}
		valid = v.it.Next()
	}
	return project, unclear, v.it.Error()
}
