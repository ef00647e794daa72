package wal

import (
	"encoding/binary"
	"fmt"

	"posthaste/event"
)

// keyLens are the lengths of keys by kind; of counts it is the least.
var keyLens = map[byte]int{
	kindHeader: 1, kindCatalog: catalogKeyLen, kindEvent: eventKeyLen, kindDelivery: deliveryKeyLen, kindTimer: timerKeyLen,
	kindStatus: statusKeyLen, kindIdempotent: idemKeyLen, kindReplay: replayKeyLen, kindBehind: behindKeyLen, kindHealth: healthKeyLen,
	kindWatermark: waterKeyLen, kindJob: jobKeyLen, kindGone: goneKeyLen, kindLeft: leftKeyLen, kindSize: sizeKeyLen,
	kindStretch: stretchKeyLen, kindFind: findKeyLen, kindAudit: auditKeyLen, kindCounts: countsPrefixLen, kindCounted: countedKeyLen,
}

func checkLength(key []byte) error {
	if key[0] == kindCounts {
		_, _, _, err := decodeCountsKey(key)
		return err
	}
	return checkKey(key, keyLens[key[0]])
}

// placeOf says in words what a key belongs to, as far as it is a key or the beginning
// of one.
func placeOf(key []byte) string {
	if len(key) == 0 {
		return "the beginning"
	}
	d, known := dumpers[key[0]]
	if !known {
		return fmt.Sprintf("key %x", key)
	}
	if len(key) < keyLens[key[0]] {
		return fmt.Sprintf("%s records, key %x", d.name, key)
	}
	id := func(at int) (id event.ID) {
		copy(id[:], key[at:])
		return id
	}
	switch key[0] {
	case kindCatalog:
		return fmt.Sprintf("catalog %q %s", key[1], id(2))
	case kindEvent:
		return fmt.Sprintf("event %s of project %s, hour %s", id(21), id(5), hourText(bucketOfKey(key)))
	case kindDelivery:
		of, row := deliveryKeyParts(key)
		return fmt.Sprintf("delivery %s row %d, hour %s", of, row, hourText(bucketOfKey(key)))
	case kindTimer:
		ep, _, of := timerKeyParts(key)
		return fmt.Sprintf("timer of delivery %s of endpoint %s", of, ep)
	case kindStatus:
		return fmt.Sprintf("status of delivery %s of project %s, hour %s", id(22), id(5), hourText(bucketOfKey(key)))
	case kindBehind, kindHealth:
		return fmt.Sprintf("%s of endpoint %s", d.name, id(3))
	case kindJob:
		return fmt.Sprintf("job %s of project %s", id(17), id(1))
	case kindAudit:
		return fmt.Sprintf("audit record %s of project %s", id(17), id(1))
	case kindCounts:
		return fmt.Sprintf("counts of project %s", id(6))
	case kindGone:
		return fmt.Sprintf("gone of project %s", id(1))
	case kindLeft:
		return fmt.Sprintf("left, hour %s", hourText(bucketOfKey(key)))
	case kindIdempotent, kindReplay, kindSize, kindStretch, kindFind:
		return fmt.Sprintf("%s of project %s, hour %s", d.name, id(5), hourText(bucketOfKey(key)))
	case kindWatermark:
		return fmt.Sprintf("watermark %d", binary.BigEndian.Uint16(key[1:]))
	}
	return d.name
}
