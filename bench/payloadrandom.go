package bench

import (
	"math/rand/v2"
	"unicode/utf8"
)

// PayloadKind is what generated payloads are made of.
type PayloadKind string

// The kinds.
const (
	PayloadJSON           PayloadKind = ""               // an order, as compressible as ordinary JSON is
	PayloadIncompressible PayloadKind = "incompressible" // random text
)

// Random text uses every byte that JSON and UTF-8 allow within a string about
// equally often: a general compressor looks for repeats, of which there are none,
// and for bytes that come more often than others. The first bytes of a character
// are therefore drawn evenly: 93 of one byte (printable ASCII without the quote and
// the backslash), 30 that begin two bytes, 16 that begin three and 5 that begin
// four. That is 208 of 256 byte values, 7.7 bits each, so that no compressor which
// codes bytes one by one gets text below 0.962 of its size.
const (
	asciiLeads = 93
	twoLeads   = 30
	threeLeads = 16
	fourLeads  = 5
	allLeads   = asciiLeads + twoLeads + threeLeads + fourLeads
)

const (
	surrogates   = 0xD800 // the first of those that UTF-8 cannot hold
	surrogateNum = 0x800
)

// appendRandomPayload appends a payload of exactly size bytes: the two numbers and
// random text. Equal seeds make equal payloads.
func appendRandomPayload(dst []byte, size int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	end := len(dst) + size - len(`"}`)
	dst = append(dst, stampMembers+`,"text":"`...)
	for len(dst) <= end-utf8.UTFMax {
		dst = utf8.AppendRune(dst, randomRune(rng, allLeads))
	}
	for len(dst) < end {
		dst = append(dst, byte(randomRune(rng, asciiLeads)))
	}
	return append(dst, `"}`...)
}

// randomRune draws from the characters of the first leads.
func randomRune(rng *rand.Rand, leads int) rune {
	switch n := rng.IntN(leads); {
	case n < asciiLeads:
		return asciiRune(n)
	case n < asciiLeads+twoLeads:
		return 0x80 + rng.Int32N(0x800-0x80)
	case n < asciiLeads+twoLeads+threeLeads:
		c := 0x800 + rng.Int32N(0x10000-0x800-surrogateNum)
		if c >= surrogates {
			c += surrogateNum
		}
		return c
	default:
		return 0x10000 + rng.Int32N(utf8.MaxRune+1-0x10000)
	}
}

// asciiRune is the n-th printable one but for the quote and the backslash.
func asciiRune(n int) rune {
	c := rune(' ' + n)
	if c >= '"' {
		c++
	}
	if c >= '\\' {
		c++
	}
	return c
}
