package jsonscan

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

var samples = []string{"event_1k.json", "event_8k.json", "event_indented.json"}

func TestNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Log("the race detector allocates: walking without counting")
	}
	for _, name := range samples {
		doc := sample(t, name)
		var s Scanner
		allocs := testing.AllocsPerRun(100, func() {
			s.Object(doc)
			for s.Next() {
				if len(s.Key()) == 0 || len(s.Value()) == 0 {
					t.Fatal("empty")
				}
			}
			if s.Err() != nil || Validate(doc) != nil {
				t.Fatal(s.Err())
			}
		})
		if allocs != 0 && !raceEnabled {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func BenchmarkValid(b *testing.B) {
	run := func(name string, doc []byte, valid func([]byte) bool) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if !valid(doc) {
					b.Fatal("not valid")
				}
			}
		})
	}
	for _, name := range samples {
		doc := sample(b, name)
		var s Scanner
		run("doc="+name+"/by=Scanner", doc, func(doc []byte) bool {
			s.Object(doc)
			for s.Next() {
			}
			return s.Err() == nil
		})
		run("doc="+name+"/by=Validate", doc, func(doc []byte) bool { return Validate(doc) == nil })
		run("doc="+name+"/by=gjson", doc, gjson.ValidBytes)
		run("doc="+name+"/by=encoding-json", doc, json.Valid)
	}
}

// plainEndTable is the other way to write plainEnd.
func plainEndTable(src []byte, i int) int {
	for i < len(src) && isPlain[src[i]] {
		i++
	}
	return i
}

var isPlain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return t
}()

func BenchmarkString(b *testing.B) {
	for _, n := range []int{2, 6, 12, 24, 64, 512} {
		src := []byte(strings.Repeat("x", n) + `","next":"` + strings.Repeat("y", 16))
		for _, way := range []struct {
			name string
			end  func([]byte, int) int
		}{{"words", plainEnd}, {"table", plainEndTable}} {
			b.Run("len="+strconv.Itoa(n)+"/by="+way.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if way.end(src, 0) != n {
						b.Fatal("wrong end")
					}
				}
			})
		}
	}
}

func TestPlainEnd(t *testing.T) {
	for c := range 256 {
		for at := range 20 {
			src := []byte(strings.Repeat("z", 20))
			src[at] = byte(c)
			if got, want := plainEnd(src, 0), plainEndTable(src, 0); got != want {
				t.Fatalf("byte %#x at %d: %d, want %d", c, at, got, want)
			}
		}
	}
}
