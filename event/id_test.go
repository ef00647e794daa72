package event

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseIDReadsWhatAppendIDWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var id ID
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		text := AppendID([]byte("x"), id)
		got, err := ParseID(string(text[1:]))
		if err != nil || got != id || len(text) != 1+IDTextLen || id.String() != string(text[1:]) {
			t.Fatalf("%x became %q became %x, %v", id, text, got, err)
		}
	})
}

func TestParseIDRefuses(t *testing.T) {
	for _, text := range []string{"", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAVX", "01ARZ3NDEKTSV4RRFFQ69G5FAU/", "81ARZ3NDEKTSV4RRFFQ69G5FAV"} {
		if id, err := ParseID(text); !errors.Is(err, ErrBadID) {
			t.Errorf("%q: %v, %v", text, id, err)
		}
	}
}

func TestDeliveryIDsSortByTimeThenSequence(t *testing.T) {
	hash := EndpointHash(NewID())
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Uint64Range(0, 1<<48-1)
		seq := rapid.Uint64Range(0, MaxDeliverySeq)
		ms1, ms2, seq1, seq2 := ms.Draw(t, "ms1"), ms.Draw(t, "ms2"), seq.Draw(t, "seq1"), seq.Draw(t, "seq2")
		a, b := DeliveryID(ms1, hash, seq1), DeliveryID(ms2, hash, seq2)
		want := slices.Compare([]uint64{ms1, seq1}, []uint64{ms2, seq2})
		if got := bytes.Compare(a[:], b[:]); got != want {
			t.Fatalf("(%d,%d) against (%d,%d): %d, want %d", ms1, seq1, ms2, seq2, got, want)
		}
		if DeliveryEndpointHash(a) != hash || a.Time() != ms1 {
			t.Fatalf("hash %x, time %d", DeliveryEndpointHash(a), a.Time())
		}
	})
}

func TestPartitionsOfEndpointsAreEven(t *testing.T) {
	const count, endpoints = 256, 256 * 200
	var n [count]int
	for range endpoints {
		n[Partition(EndpointHash(NewID()), count)]++
	}
	if most, least := slices.Max(n[:]), slices.Min(n[:]); most > 300 || least < 110 { // 7 standard deviations
		t.Errorf("between %d and %d endpoints in a partition, want about 200", least, most)
	}
}

func TestStatusTexts(t *testing.T) {
	for s := Scheduled; s <= Discarded; s++ {
		if got, ok := ParseStatus(s.String()); !ok || got != s {
			t.Errorf("%s reads back as %v, %v", s, got, ok)
		}
		if s.Owed() == (s == Success || s == Failure || s == Discarded) {
			t.Errorf("%s: owed is %v", s, s.Owed())
		}
	}
	if _, ok := ParseStatus("success"); ok {
		t.Error("a status is read whatever its case")
	}
}

func TestErrorsNameTheirField(t *testing.T) {
	if got := Invalid("url", "is %d bytes long", 3).Error(); got != "url: is 3 bytes long" {
		t.Error(got)
	}
	if err := error(&OverloadError{What: "full", After: time.Second}); !errors.Is(err, ErrOverloaded) {
		t.Error("an overload is not ErrOverloaded")
	}
}
