package ingest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	return b.String()
}

// zstded compresses in one frame that says how large its content is, or, as a
// stream, in one that does not.
func zstded(t testing.TB, text string, stream bool) string {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if !stream {
		return string(w.EncodeAll([]byte(text), nil))
	}
	for part := range strings.SplitSeq(text, "\n") {
		if _, err := w.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCompressedBodies(t *testing.T) {
	padded := single(`,"pad":"` + strings.Repeat("0123456789abcdef", 20_000) + `"`)
	half := len(padded) / 2
	for name, c := range map[string]call{
		"gzip":              {encoding: "gzip", body: gzipped(t, padded)},
		"x-gzip":            {encoding: "X-GZIP", body: gzipped(t, padded)},
		"gzip, two members": {encoding: "gzip", body: gzipped(t, padded[:half]) + gzipped(t, padded[half:])},
		"zstd":              {encoding: "zstd", body: zstded(t, padded, false)},
		"zstd stream":       {encoding: "zstd", body: zstded(t, padded, true)},
		"zstd, two frames":  {encoding: "zstd", body: zstded(t, padded[:half], true) + zstded(t, padded[half:], false)},
		"identity":          {encoding: "identity", body: padded},
		"batch":             {path: "/events/batch", encoding: "zstd", body: zstded(t, "["+padded+","+padded+"]", false)},
		"fanout":            {path: "/events/fanout", encoding: "gzip", body: gzipped(t, `{"owner_id":"a","event_type":"x","data":{"n":1}}`)},
	} {
		w := &world{}
		a := do(t, w.ingest(), c)
		if a.code != 201 || string(w.mu.subs[0].Event.Data) != `{"n":1}` {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
	}
}

func TestBombs(t *testing.T) {
	const limit = 1 << 20
	zeros := strings.Repeat("0", 64<<20)
	lines := strings.Repeat(strings.Repeat("0", 1<<16)+"\n", 1<<10)
	in := new(world).ingest()
	for name, c := range map[string]call{
		"gzip":          {encoding: "gzip", body: gzipped(t, zeros)},
		"gzip, members": {encoding: "gzip", body: strings.Repeat(gzipped(t, zeros[:limit/4]), 100)},
		"zstd, sized":   {encoding: "zstd", body: zstded(t, zeros, false)},
		"zstd, stream":  {encoding: "zstd", body: zstded(t, lines, true)},
		"zstd, frames":  {encoding: "zstd", body: strings.Repeat(zstded(t, zeros[:limit/4], false), 100)},
	} {
		if a := do(t, in, c); a.code != 413 || a.Message != "request body too large: at most 1048576 bytes, decompressed" {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
		space := in.inflater.acquire()
		e := encodedGzip
		if c.encoding == "zstd" {
			e = encodedZstd
		}
		if _, no := space.inflate(e, []byte(c.body)); no == nil || len(space.out) > limit+1 || cap(space.out) > limit+limit/4 {
			t.Errorf("%s: %d bytes were inflated, into a buffer of %d", name, len(space.out), cap(space.out))
		}
		in.inflater.release(space)
	}
}

// A frame that asks for a window of 1 GiB gets none (RFC 8878, 3.1.1.1.2: the
// byte 0xa0 stands for an exponent of 20 above 1 KiB).
func TestHugeZstdWindow(t *testing.T) {
	frame := "\x28\xb5\x2f\xfd" + "\x00" + "\xa0" + "\x09\x00\x00" + "0"
	a := do(t, new(world).ingest(), call{encoding: "zstd", body: frame})
	if a.code != 400 || !strings.Contains(a.Message, "window size exceeded") {
		t.Errorf("%d %s", a.code, a.body)
	}
}

func TestInflateToTheLimitExactly(t *testing.T) {
	const limit = 100_000
	in := newInflater(1, limit)
	for _, size := range []int{0, 1, limit - 1, limit, limit + 1, 2 * limit} {
		text := strings.Repeat("x", size)
		for e, body := range map[encoding]string{encodedGzip: gzipped(t, text), encodedZstd: zstded(t, text, false)} {
			space := in.acquire()
			out, no := space.inflate(e, []byte(body))
			if (no == nil) != (size <= limit) || no == nil && string(out) != text || len(space.out) > limit+1 {
				t.Errorf("encoding %d, %d bytes: %v, %d bytes", e, size, no, len(out))
			}
			in.release(space)
		}
	}
}

func TestBrokenCompressionKeepsTheWorkspace(t *testing.T) {
	in := new(world).ingest()
	good := gzipped(t, single(""))
	for range 3 * cap(in.inflater.free) {
		for _, c := range []call{
			{encoding: "gzip", body: good[:len(good)-4]}, {encoding: "gzip", body: good + "x"}, {encoding: "zstd", body: good},
			{encoding: "gzip", body: strings.Replace(good, good[12:14], "??", 1)},
		} {
			if a := do(t, in, c); a.code != 400 {
				t.Errorf("%s: %d %s", c.encoding, a.code, a.body)
			}
		}
		if a := do(t, in, call{encoding: "gzip", body: good}); a.code != 201 {
			t.Errorf("after broken ones: %d %s", a.code, a.body)
		}
	}
}
