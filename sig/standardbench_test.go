package sig

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkStandard is what BenchmarkSign leaves out of Standard Webhooks. One signature each:
//
//	go test -run '^$' -bench Standard -benchtime 2000x ./sig/
//
// One such run, on two shared processors (ns, no allocation):
//
//	bytes    v1 verify  v1a sign  v1a verify
//	  256          643    25,826      67,318
//	 1024        1,568    27,671      52,427
//	16384       13,608    92,153     105,815
func BenchmarkStandard(b *testing.B) {
	for _, kind := range []struct{ name, secret string }{{"v1", goldenHMAC}, {"v1a", goldenPrivate}} {
		for _, n := range []int{256, 1 << 10, 16 << 10} {
			s := mustStandard(b, kind.secret)
			body := []byte(strings.Repeat("b", n))
			buf := make([]byte, 0, 1024)
			if kind.name == "v1a" {
				b.Run(fmt.Sprintf("version=%s/bytes=%d/op=sign", kind.name, n), func(b *testing.B) {
					benchCall(b, n, func() { s.Append(buf, goldenID, goldenNow, body) })
				})
			}
			v := mustStandardVerifier(b, 0, kind.secret)
			header, stamp := string(s.Append(nil, goldenID, goldenNow, body)), fmt.Sprint(goldenUnix)
			b.Run(fmt.Sprintf("version=%s/bytes=%d/op=verify", kind.name, n), func(b *testing.B) {
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					if err := v.Verify(goldenID, stamp, header, body, goldenNow); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
