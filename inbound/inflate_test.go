package inbound

import (
	"bytes"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"posthaste/event"
)

func compressed(t testing.TB, coding, text string) string {
	t.Helper()
	var out bytes.Buffer
	if coding == "gzip" {
		w := gzip.NewWriter(&out)
		_, _ = w.Write([]byte(text))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	w, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte(text))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// What is verified is the body before it was compressed.
func TestCompressedBodies(t *testing.T) {
	w := newWorld(func(src *event.Source) { src.Verifier = hmacSource("X-Sig", "SHA256", "hex").Verifier })
	in := w.inbound()
	for i, coding := range []string{"gzip", "zstd", "gzip", "zstd"} {
		a := do(t, in, call{body: compressed(t, coding, vectorBody), headers: []string{"Content-Encoding", coding, "X-Sig", vectorSHA256}})
		if a.code != 200 || a.Data != len(vectorBody) || string(w.mu.subs[i].Event.Data) != vectorBody {
			t.Fatalf("%s: %d %s", coding, a.code, a.body)
		}
	}
	if a := do(t, in, call{body: vectorBody, headers: []string{"Content-Encoding", "identity", "X-Sig", vectorSHA256}}); a.code != 200 {
		t.Errorf("identity: %d %s", a.code, a.body)
	}
	if string(w.mu.subs[0].Event.Data) != vectorBody {
		t.Error("an event lies in the inflater's memory")
	}
}

func TestCompressedBodiesThatAreRefused(t *testing.T) {
	const limit = 50_000
	w := newWorld(nil)
	w.limits.MaxPayload = limit
	in := w.inbound()
	for _, coding := range []string{"gzip", "zstd"} {
		quoted := func(n int) string { return compressed(t, coding, `"`+strings.Repeat("x", n-2)+`"`) }
		for _, tc := range []struct {
			body string
			code int
		}{
			{quoted(limit), 200}, {quoted(limit + 1), 413}, {quoted(20 << 20), 413},
			{"no " + coding, 400}, {quoted(limit)[:20], 400}, {"-", 400},
		} {
			if a := do(t, in, call{body: tc.body, headers: []string{"Content-Encoding", coding}}); a.code != tc.code {
				t.Errorf("%s of %d bytes: %d %s, want %d", coding, len(tc.body), a.code, a.body, tc.code)
			}
		}
	}
}
