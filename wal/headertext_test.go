package wal

import (
	"bytes"
	"strings"
	"testing"
)

const (
	sampleRequest = "Host: hooks.example.com\r\nUser-Agent: posthaste/1.4.0\r\nContent-Type: application/json\r\nContent-Length: 1024\r\n" +
		"X-Convoy-Signature: t=1795278039,v1=5f2b0c7be0e2d1a09d3a6a4bb2f6f3c4a1d0e9c8b7a695847362514039281706\r\n" +
		"X-Convoy-Event-ID: 01KAM4Z8V1V6W3J7C2Q9RZB5XN\r\nX-Convoy-EventDelivery-ID: 01KAM4Z8V1V6W3J7C2Q9RZB5XP\r\nX-Tenant: acme\r\n"
	sampleAnswer = "Server: nginx\r\nDate: Sun, 22 Nov 2026 06:03:08 GMT\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\nConnection: keep-alive\r\n"
)

// What was recorded comes back byte for byte, however strange.
func TestHeaderText(t *testing.T) {
	hexDigits := strings.Repeat("0f", 16)
	for _, text := range []string{
		"", "\r\n", "\n", "a", "Host", "Host:", "Host: ", "Host: \r\n", "Host: a\n", "host: a\r\n", "HOST: a\r\n", "Host:a\r\n", "Host:  a\r\n",
		"Content-Type: application/json\r\n", "Content-Type: Application/json\r\n", ": x\r\n", "X: y\r\nbroken\r\nHost: a\r\n",
		"Date: a\rb\r\n", "X: " + hexDigits + "\r\n", "X: " + hexDigits[:31] + "\r\n", "X: " + hexDigits + "0\r\n", "X: " + strings.ToUpper(hexDigits) + "\r\n",
		"X: a" + hexDigits + "," + hexDigits + "z\r\n", "ETag: \"" + hexDigits + "\"\r\n", strings.Repeat("N", 300) + ": v\r\n",
		sampleRequest, sampleAnswer, sampleRequest + sampleAnswer[:100], "\x00\xff: \x80\r\n",
	} {
		packed := appendHeaderText([]byte("before"), []byte(text))[len("before"):]
		r := reader{b: append(bytes.Clone(packed), "after"...)}
		if got := r.headerText(); string(got) != text || r.bad || string(r.b) != "after" {
			t.Errorf("%q became %q, left %q, bad %v", text, got, r.b, r.bad)
		}
		for cut := range packed {
			r := reader{b: packed[:cut]}
			if r.headerText(); !r.bad {
				t.Errorf("%q cut at %d of %d reads well", text, cut, len(packed))
			}
		}
	}
	if n, whole := len(appendHeaderText(nil, []byte(sampleRequest))), len(sampleRequest); n > whole*6/10 {
		t.Errorf("a request's %d bytes of headers take %d", whole, n)
	}
}

// The numbers of names and values are what stores hold: none may ever move.
func TestHeaderNames(t *testing.T) {
	seen := map[string]bool{}
	for i, h := range headerNames {
		if seen[h.name] || len(h.name) > maxNameLen || nameNumber([]byte(h.name)) != i {
			t.Errorf("name %d, %s", i, h.name)
		}
		seen[h.name] = true
	}
	if len(headerNames) >= headerTextRest-headerTextBase {
		t.Errorf("%d names", len(headerNames))
	}
	var all strings.Builder
	for _, h := range headerNames {
		all.WriteString(h.name + "\t" + strings.Join(h.values, "\t") + "\n")
	}
	const frozen = 0xb46ba067
	if crc := crcOf([]byte(all.String())); crc != frozen {
		t.Errorf("the table has changed, its sum is %#x: only additions at the end are allowed, and a new format version", crc)
	}
}

func FuzzHeaderText(f *testing.F) {
	f.Add([]byte(sampleRequest))
	f.Add([]byte(sampleAnswer))
	f.Add([]byte{headerTextName, 1, 'a', 4, 'b', 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := reader{b: appendHeaderText(nil, b)}
		if got := r.headerText(); !bytes.Equal(got, b) || r.bad || len(r.b) != 0 {
			t.Fatalf("%q became %q", b, got)
		}
		hostile := reader{b: b}
		if text := hostile.headerText(); len(text) > 64*(len(b)+1) {
			t.Fatalf("%d bytes of %d", len(text), len(b))
		}
	})
}

func BenchmarkHeaderText(b *testing.B) {
	text, buf := []byte(sampleRequest), make([]byte, 0, 1024)
	b.Run("op=pack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = appendHeaderText(buf[:0], text)
		}
	})
	b.Run("op=unpack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := reader{b: buf}
			r.headerText()
		}
	})
}
