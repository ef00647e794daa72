package wal

import (
	"bytes"
	"cmp"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"posthaste/event"
)

const maxMillis = 1<<48 - 1

func drawID(rt *rapid.T, name string) (id event.ID) {
	copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, name))
	return id
}

// drawDeliveryID draws ids of few milliseconds and sequences, so that they meet.
func drawDeliveryID(rt *rapid.T, hash uint32, name string) event.ID {
	ms := rapid.OneOf(rapid.Uint64Range(goldenClock, goldenClock+3), rapid.Uint64Max(maxMillis)).Draw(rt, name+" ms")
	seq := rapid.OneOf(rapid.Uint64Max(3), rapid.Uint64Max(event.MaxDeliverySeq)).Draw(rt, name+" seq")
	return event.DeliveryID(ms, hash, seq)
}

// TestDeliveryKeysSortByIDThenRow: one endpoint's rows are read in the order of
// its deliveries, each with its outcomes behind it.
func TestDeliveryKeysSortByIDThenRow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		hash := rapid.Uint32().Draw(rt, "hash")
		partitions := rapid.IntRange(1, allPartitions-1).Draw(rt, "partitions")
		a, b := drawDeliveryID(rt, hash, "a"), drawDeliveryID(rt, hash, "b")
		rowA, rowB := rapid.Uint16().Draw(rt, "row a"), rapid.Uint16().Draw(rt, "row b")
		keyA, keyB := appendDeliveryKey(nil, a, partitions, rowA), appendDeliveryKey(nil, b, partitions, rowB)
		want := cmp.Or(a.Compare(b), cmp.Compare(rowA, rowB))
		if got := bytes.Compare(keyA, keyB); got != want {
			rt.Fatalf("keys compare %d, ids and rows %d", got, want)
		}
	})
}

func TestDeliveryKeyParts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		id, row := drawID(rt, "id"), rapid.Uint16().Draw(rt, "row")
		key := appendDeliveryKey(nil, id, 256, row)
		gotID, gotRow := deliveryKeyParts(key)
		if gotID != id || gotRow != row || len(key) != deliveryKeyLen {
			rt.Fatalf("got %s row %d, want %s row %d", gotID, gotRow, id, row)
		}
		if bucketOfKey(key) != bucketOf(id.Time()) {
			rt.Fatalf("bucket %d, want %d", bucketOfKey(key), bucketOf(id.Time()))
		}
		prefix := appendEndpointPrefix(nil, bucketOf(id.Time()), event.DeliveryEndpointHash(id), 256)
		if !bytes.HasPrefix(key, prefix) || len(prefix) != endpointLen {
			rt.Fatalf("%x does not start with %x", key, prefix)
		}
	})
}

func TestTimerKeysSortByDueThenID(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ep, a, b := drawID(rt, "endpoint"), drawID(rt, "a"), drawID(rt, "b")
		due := rapid.Uint64Range(5, 7)
		dueA, dueB := due.Draw(rt, "due a"), due.Draw(rt, "due b")
		keyA, keyB := appendTimerKey(nil, ep, 256, dueA, a), appendTimerKey(nil, ep, 256, dueB, b)
		if got, want := bytes.Compare(keyA, keyB), cmp.Or(cmp.Compare(dueA, dueB), a.Compare(b)); got != want {
			rt.Fatalf("keys compare %d, want %d", got, want)
		}
		gotEP, gotDue, gotID := timerKeyParts(keyA)
		if gotEP != ep || gotDue != dueA || gotID != a || len(keyA) != timerKeyLen {
			rt.Fatalf("parts differ")
		}
	})
}

func TestKeyLengths(t *testing.T) {
	id := idOf(1)
	for name, c := range map[string]struct {
		key  []byte
		want int
	}{
		"catalog":     {appendCatalogKey(nil, 'p', id), catalogKeyLen},
		"event":       {appendEventKey(nil, id, id), eventKeyLen},
		"status":      {appendStatusKey(nil, id, event.Retry, id), statusKeyLen},
		"idempotency": {appendIdempotentKey(nil, 1, id, keyHash{}), idemKeyLen},
		"behind":      {appendBehindKey(nil, id, 256), behindKeyLen},
		"watermark":   {appendWatermarkKey(nil, 1), waterKeyLen},
	} {
		if len(c.key) != c.want {
			t.Errorf("%s: %d bytes, want %d", name, len(c.key), c.want)
		}
	}
}

// TestAppendBound: the bound of any id splits an endpoint's rows at that id.
func TestAppendBound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		hash := rapid.Uint32Range(1, 3)
		ours := hash.Draw(rt, "our hash")
		at := drawDeliveryID(rt, hash.Draw(rt, "hash"), "bound")
		id := drawDeliveryID(rt, ours, "delivery")
		behind := appendBound(nil, at, ours, 256, 0xFFFF)
		from := appendBound(nil, at, ours, 256, 0)
		key := appendDeliveryKey(nil, id, 256, 0)
		if got, want := bytes.Compare(key, behind) >= 0, id.Compare(at) > 0; got != want && id.Time() == at.Time() {
			rt.Fatalf("delivery %s behind %s: %v, want %v", id, at, got, want)
		}
		if got, want := bytes.Compare(key, from) >= 0, id.Compare(at) >= 0; got != want && id.Time() == at.Time() {
			rt.Fatalf("delivery %s from %s: %v, want %v", id, at, got, want)
		}
	})
}

func TestSuccessor(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		prefix := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0xFE, 0xFF}), 1, 6).Draw(rt, "prefix")
		other := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0xFE, 0xFF}), 0, 8).Draw(rt, "other")
		next := successor(bytes.Clone(prefix))
		if next == nil {
			if !bytes.Equal(prefix, bytes.Repeat([]byte{0xFF}, len(prefix))) {
				rt.Fatalf("%x has no successor", prefix)
			}
			return
		}
		within := bytes.HasPrefix(other, prefix)
		between := bytes.Compare(other, prefix) >= 0 && bytes.Compare(other, next) < 0
		if within != between {
			rt.Fatalf("prefix %x, successor %x, key %x: has the prefix %v, lies between %v", prefix, next, other, within, between)
		}
	})
}

func TestBefore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		id := drawID(rt, "id")
		if id == (event.ID{}) {
			return
		}
		b := event.Before(id)
		sum := new(big.Int).Add(new(big.Int).SetBytes(b[:]), big.NewInt(1))
		if sum.Cmp(new(big.Int).SetBytes(id[:])) != 0 {
			rt.Fatalf("got %x for %x", b, id)
		}
	})
}
