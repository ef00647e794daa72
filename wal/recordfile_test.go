package wal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// scanned reads the records of a file in memory.
func scanned(t testing.TB, data []byte, number uint32, durable bool) recordEnd {
	t.Helper()
	s := recordScan{in: bytes.NewReader(data), number: number, durable: durable, visit: func([]byte) {}}
	end, err := s.run()
	must(t, err)
	return end
}

// recordFiles are a write-ahead log of small and of large records, as a crash left it,
// and the manifest.
func recordFiles(t *testing.T) (log, manifest []byte, number uint32) {
	mem := vfs.NewCrashableMem()
	o := testOptions(mem)
	o.MemTableBytes = 4 << 20
	l := openLog(t, o)
	for i := range 120 {
		appendOne(t, l, post(idOf(1), fmt.Sprintf("%0500d", i), idOf(2)))
	}
	var large []event.Submission
	for i := range 300 {
		large = append(large, post(idOf(1), fmt.Sprintf("%0500d", i), idOf(2)))
	}
	must(t, l.Append(t.Context(), large))
	for i := range 100 {
		appendOne(t, l, post(idOf(1), fmt.Sprintf("%0100d", i), idOf(2)))
	}
	all := filesOf(t, mem.CrashClone(vfs.CrashCloneCfg{}))
	for name, data := range all {
		n, isLog := logNumber(name)
		if isLog && len(data) > len(log) {
			log, number = data, uint32(n)
		}
		if strings.HasPrefix(name, "MANIFEST-") && len(data) > len(manifest) {
			manifest = data
		}
	}
	end := scanned(t, log, number, true)
	if end.Damage != "" || end.Records < 221 || end.Stop < 5*recordBlock {
		t.Fatalf("the log: %+v", end)
	}
	return log[:end.Stop], manifest, number
}

// TestFlippedBitsOfRecordFiles: all of them are found, wherever they are; Pebble alone
// would take some for the end of the file.
func TestFlippedBitsOfRecordFiles(t *testing.T) {
	log, manifest, number := recordFiles(t)
	for _, c := range []struct {
		name   string
		data   []byte
		number uint32
		step   int
	}{{"log", log, number, 311}, {"manifest", manifest, 0, 1}} {
		if soak(t) > 0 {
			c.step = 1
		}
		flips := 0
		for at := 0; at < len(c.data); at += c.step {
			for bit := at % 3; bit < 8; bit += 3 {
				c.data[at] ^= 1 << bit
				if end := scanned(t, c.data, c.number, false); end.Damage == "" {
					t.Errorf("%s: bit %d at %d of %d: taken for %+v", c.name, bit, at, len(c.data), end)
				}
				c.data[at] ^= 1 << bit
				flips++
			}
		}
		t.Logf("%s of %d bytes: %d flips, all found", c.name, len(c.data), flips)
	}
}

// TestTornRecordFiles: what a crash leaves is not called damage, and is what was written
// up to there.
func TestTornRecordFiles(t *testing.T) {
	log, manifest, number := recordFiles(t)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		for _, c := range []struct {
			data   []byte
			number uint32
		}{{log, number}, {manifest, 0}} {
			n := rng.IntN(len(c.data))
			cut := c.data[:n]
			want := scanned(t, cut, c.number, true)
			if want.Damage != "" || want.Stop > int64(n) {
				t.Fatalf("cut off at %d of %d: %+v", n, len(c.data), want)
			}
			sector := n &^ 511
			want = scanned(t, c.data[:sector], c.number, true)
			zeroed := append(slices.Clone(c.data[:sector]), make([]byte, len(c.data)-sector)...)
			if end := scanned(t, zeroed, c.number, true); end.Damage != "" || end.Records != want.Records {
				t.Fatalf("zeros from %d of %d: %+v, want %+v", n, len(c.data), end, want)
			}
		}
	}
	renumbered := renumber(log, number-2)
	for range 300 {
		n := rng.IntN(len(log))
		reused := append(slices.Clone(log[:n]), renumbered[n:]...)
		if end := scanned(t, reused, number, true); end.Damage != "" {
			t.Fatalf("an older log's records from %d of %d on: %+v", n, len(log), end)
		}
	}
}

// TestACutHeaderIsNoDamage: a full disk leaves the first bytes of a header, and be it of
// the end of a log in which nothing stands.
func TestACutHeaderIsNoDamage(t *testing.T) {
	log, manifest, number := recordFiles(t)
	end := make([]byte, numberedChunk)
	end[6] = 5
	binary.LittleEndian.PutUint32(end[7:], number+1)
	for _, c := range []struct {
		name   string
		data   []byte
		number uint32
	}{{"log", log, number}, {"the end of an empty log", end, number}, {"manifest", manifest, 0}} {
		for n := range min(len(c.data), syncedChunk) {
			if end := scanned(t, c.data[:n], c.number, true); end.Damage != "" || end.Records > 0 {
				t.Errorf("%s, cut off at %d: %+v", c.name, n, end)
			}
		}
	}
}

// TestATornSectorIsNoFlippedBit: of what a crash cut off at a sector's edge there was but
// one bit.
func TestATornSectorIsNoFlippedBit(t *testing.T) {
	chunk := func(tail byte) []byte {
		b := make([]byte, 2*sector)
		size := sector + 1 - plainChunk
		binary.LittleEndian.PutUint16(b[4:], uint16(size))
		b[6] = 1 // whole, of a manifest
		b[100], b[sector] = 7, tail
		binary.LittleEndian.PutUint32(b, maskedCRC(b[6:plainChunk+size]))
		return b
	}
	torn := chunk(2)
	torn[sector] = 0
	if end := scanned(t, torn, 0, true); end.Damage != "" || end.Records != 0 {
		t.Errorf("torn: %+v", end)
	}
	flipped := chunk(2)
	flipped[100] ^= 1
	if end := scanned(t, flipped, 0, true); end.Damage == "" {
		t.Errorf("flipped: %+v", end)
	}
}

// renumber is a log as it would be under another number.
func renumber(log []byte, number uint32) []byte {
	log = slices.Clone(log)
	for block := 0; block < len(log); block += recordBlock {
		b := log[block:min(len(log), block+recordBlock)]
		for at := 0; at+syncedChunk <= len(b) && b[at+6] != 0; {
			size := int(b[at+4]) | int(b[at+5])<<8
			copy(b[at+7:], []byte{byte(number), byte(number >> 8), byte(number >> 16), byte(number >> 24)})
			crc := maskedCRC(b[at+6 : at+syncedChunk+size])
			copy(b[at:], []byte{byte(crc), byte(crc >> 8), byte(crc >> 16), byte(crc >> 24)})
			at += syncedChunk + size
		}
	}
	return log
}

// TestLostSectors: a sector of zeros is found where more records follow than can be on
// their way to the disk.
func TestLostSectors(t *testing.T) {
	log, _, number := recordFiles(t)
	for at := 0; at+512 < len(log)-unsyncedRecords*1024; at += 4096 {
		damaged := slices.Clone(log)
		clear(damaged[at : at+512])
		if end := scanned(t, damaged, number, true); end.Damage == "" {
			t.Errorf("zeros at %d of %d: %+v", at, len(log), end)
		}
	}
}
