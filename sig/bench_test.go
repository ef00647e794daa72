package sig

import (
	"bytes"
	"fmt"
	"hash"
	"strings"
	"testing"
	"time"
)

// Signing is measured against hashing the same bytes once, without a key:
//
//	go test -run '^$' -bench '^BenchmarkSign$' -benchtime 300x ./sig/
//
// One such run, SHA256 with the processor's SHA extensions, one secret (ratio
// to the raw hash; two is the body and then its digest hashed without a key,
// simple and advanced are Append, which also encodes):
//
//	bytes     two  simple  advanced
//	  256    1.33    1.51      1.68
//	 1024    1.11    1.17      1.23
//	 2048    1.06    1.09      1.12
//	 4096    1.03    1.05      1.06
//	16384    1.01    1.01      1.02
//
// The aim of 1.1 is met from 2 KiB (simple) and 4 KiB (advanced) on, and missed
// at 1 KiB: there two plain hashes alone already cost 1.10 to 1.11. Tried and
// not worth their code: padding by hand in place of Sum, a hash on the stack in
// place of the pool, and hex four bytes at a time. All three together take 4%
// off simple at 1 KiB, which then is 1.11.

var benchSizes = []int{256, 1 << 10, 4 << 10, 64 << 10}

// scheme is a way to sign a body, and what it hashes before the body.
type scheme struct {
	name   string
	hash   string // of Version
	prefix string
	append func(dst, body []byte) []byte
}

func schemes(tb testing.TB) []scheme {
	convoy := func(name string, v Version, advanced bool, secrets ...string) scheme {
		signer := mustSigner(tb, []Version{v}, secrets, advanced)
		c := scheme{name: name, hash: v.Hash, append: func(dst, body []byte) []byte { return signer.Append(dst, goldenNow, body) }}
		if advanced {
			c.prefix = fmt.Sprint(goldenUnix, ",")
		}
		return c
	}
	standard := mustStandard(tb, goldenHMAC)
	const one, two = "old-secret-of-25-letters", "new-secret-of-25-letters"
	return []scheme{
		convoy("simple", Version{"SHA256", Hex}, false, one),
		convoy("advanced", Version{"SHA256", Hex}, true, one),
		convoy("advanced-2-secrets", Version{"SHA256", Hex}, true, one, two),
		convoy("simple", Version{"SHA512", Base64}, false, one),
		convoy("simple", Version{"SHA3_256", Hex}, false, one),
		{"standard", "SHA256", fmt.Sprint(goldenID, ".", goldenUnix, "."), func(dst, body []byte) []byte {
			return standard.Append(dst, goldenID, goldenNow, body)
		}},
	}
}

// BenchmarkSign measures each scheme by itself (op=sign) and the raw hash over the same bytes
// (op=raw). op=ratio takes turns between them, so that both see the same processor clock,
// and reports the ratio of the fastest turns: sign/raw, and two/raw for the body
// and then its digest hashed without a key, below which no HMAC can be. Give it at least 300
// turns.
func BenchmarkSign(b *testing.B) {
	for _, c := range schemes(b) {
		for _, n := range benchSizes {
			body := bytes.Repeat([]byte("b"), n)
			message := append([]byte(c.prefix), body...)
			buf := make([]byte, 0, 1024)
			raw := referenceHashes[c.hash]()
			name := fmt.Sprintf("scheme=%s/hash=%s/bytes=%d/op=", c.name, c.hash, n)
			sign := func() { c.append(buf, body) }
			hash := func() { hashOnce(raw, buf, message) }
			b.Run(name+"sign", func(b *testing.B) { benchCall(b, n, sign) })
			b.Run(name+"raw", func(b *testing.B) { benchCall(b, n, hash) })
			b.Run(name+"ratio", func(b *testing.B) {
				fastest := takeTurns(b, hash, sign, func() { hashOnce(raw, buf, hashOnce(raw, buf, message)) })
				b.ReportMetric(float64(fastest[1])/float64(fastest[0]), "sign/raw")
				b.ReportMetric(float64(fastest[2])/float64(fastest[0]), "two/raw")
			})
		}
	}
}

func benchCall(b *testing.B, n int, f func()) {
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		f()
	}
}

// takeTurns calls each function 50 times in turn and returns the time of its fastest turn.
func takeTurns(b *testing.B, turns ...func()) (fastest []time.Duration) {
	const calls = 50
	fastest = make([]time.Duration, len(turns))
	for b.Loop() {
		for i, turn := range turns {
			start := time.Now()
			for range calls {
				turn()
			}
			if d := time.Since(start); fastest[i] == 0 || d < fastest[i] {
				fastest[i] = d
			}
		}
	}
	return fastest
}

func hashOnce(h hash.Hash, buf, body []byte) []byte {
	h.Reset()
	h.Write(body)
	return h.Sum(buf)
}

// BenchmarkRestore is the reason for restoring by UnmarshalBinary.
func BenchmarkRestore(b *testing.B) {
	for _, v := range []Version{{"SHA256", Hex}, {"SHA512", Base64}, {"SHA3_256", Hex}} {
		k := newKey(find(v.Hash), "secret")
		h := find(v.Hash).get()
		b.Run("how=UnmarshalBinary/hash="+v.Hash, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.restore(k.inner)
			}
		})
		b.Run("how=Clone/hash="+v.Hash, func(b *testing.B) {
			b.ReportAllocs()
			var clone hash.Hash
			for b.Loop() {
				clone, _ = h.resumable.(hash.Cloner).Clone()
			}
			_ = clone
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	v := Version{"SHA256", Hex}
	body := []byte(strings.Repeat("b", 1024))
	header := string(mustSigner(b, []Version{v}, []string{"s"}, true).Append(nil, goldenNow, body))
	r := mustVerifier(b, v, []string{"s"}, 0)
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Verify(header, body, goldenNow); err != nil {
			b.Fatal(err)
		}
	}
}
