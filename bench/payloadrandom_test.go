package bench

import (
	"encoding/json"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// zstdRatio is what many payloads in a row become.
func zstdRatio(t *testing.T, kind PayloadKind, size int, level zstd.EncoderLevel) float64 {
	t.Helper()
	l := &Load{Mode: ModeBare, Kind: kind, Endpoints: placeholders(1), PayloadBytes: size}
	ratio, err := compressed(l, level)
	if err != nil {
		t.Fatal(err)
	}
	return ratio
}

// Where the numbers and the member names are a small part, zstd saves nothing. At
// 1 KiB they are 6% of the payload and repeat in each.
func TestRandomPayloadDoesNotCompress(t *testing.T) {
	for _, c := range []struct {
		size  int
		least float64
	}{{16 << 10, 0.97}, {1024, 0.92}} {
		for _, level := range []zstd.EncoderLevel{zstd.SpeedFastest, zstd.SpeedDefault, zstd.SpeedBestCompression} {
			got := zstdRatio(t, PayloadIncompressible, c.size, level)
			t.Logf("%d bytes, %s: %.4f of the size", c.size, level, got)
			if got < c.least {
				t.Errorf("%d bytes, %s: compressed to %.4f, want at least %.2f", c.size, level, got, c.least)
			}
		}
	}
	if got := zstdRatio(t, PayloadJSON, 1024, zstd.SpeedFastest); got > 0.6 || got < 0.15 {
		t.Errorf("ordinary JSON is compressed to %.2f", got)
	}
}

func TestRandomPayloadSizes(t *testing.T) {
	for size := MinPayloadBytes; size < 700; size++ {
		p := appendRandomPayload(nil, size, uint64(size))
		stampPayload(p, uint64(size), 1795278039123456789)
		var got struct{ Seq, Sent, Text string }
		err := json.Unmarshal(p, &got)
		if len(p) != size || err != nil || len(got.Text) != size-len(stampMembers)-len(`,"text":""}`) {
			t.Fatalf("size %d: %d bytes, %v: %s", size, len(p), err, p)
		}
		if seq, sent, ok := readStamp(p); !ok || seq != uint64(size) || sent != 1795278039123456789 {
			t.Fatalf("size %d: read %d, %d, %t", size, seq, sent, ok)
		}
	}
}

func BenchmarkAppendRandomPayload(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(1024)
	var dst []byte
	for seed := uint64(0); b.Loop(); seed++ {
		dst = appendRandomPayload(dst[:0], 1024, seed)
	}
}
