package bench

import (
	"bytes"
	"math/rand/v2"
	"strconv"
)

// A load payload is a JSON object that begins with two strings of fixed width,
// written over in place for each event:
//
//	{"seq":"0000000000000123","sent":"1795278039123456789","order":"...", ...}
//	        16 digits                 19 digits, Unix nanoseconds
const (
	// stampMembers begin every payload.
	stampMembers = `{"seq":"0000000000000000","sent":"0000000000000000000"`

	seqKey     = `"seq":"`
	seqDigits  = 16
	sentDigits = 19
	sentGap    = len(`","sent":"`) // between the last digit of seq and the first of sent
	seqAt      = len(`{"seq":"`)
	sentAt     = seqAt + seqDigits + sentGap

	// MinPayloadBytes is the smallest payload that holds both numbers.
	MinPayloadBytes = 160

	// seqWithin bounds the search for the sequence number: a null pipe passes
	// the whole API request on, in which the payload comes after the ids.
	seqWithin = 512
)

var words = []string{
	"amber", "basil", "cedar", "delta", "ember", "fjord", "grove", "harbor", "iris", "juniper",
	"kelp", "lumen", "maple", "nectar", "onyx", "pepper", "quartz", "river", "saffron", "tundra",
}

// appendPayload appends a payload of exactly size bytes: an order with line
// items, as compressible as ordinary JSON is. Equal seeds make equal payloads.
func appendPayload(dst []byte, size int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	start := len(dst)
	dst = append(dst, stampMembers+`,"order":"`...)
	dst = strconv.AppendUint(dst, rng.Uint64(), 16)
	dst = append(dst, `","items":[`...)
	for n := 0; ; n++ {
		mark := len(dst)
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = appendItem(dst, rng)
		if len(dst)-start+len(`],"note":""}`) > size {
			dst = dst[:mark]
			break
		}
	}
	dst = append(dst, `],"note":"`...)
	for len(dst)-start < size-len(`"}`) {
		dst = append(dst, words[rng.IntN(len(words))]...)
		dst = append(dst, ' ')
	}
	return append(dst[:start+size-len(`"}`)], `"}`...)
}

func appendItem(dst []byte, rng *rand.Rand) []byte {
	dst = append(dst, `{"sku":"`...)
	dst = strconv.AppendUint(dst, uint64(rng.Uint32()), 36)
	dst = append(dst, `","name":"`...)
	dst = append(dst, words[rng.IntN(len(words))]...)
	dst = append(dst, ' ')
	dst = append(dst, words[rng.IntN(len(words))]...)
	dst = append(dst, `","quantity":`...)
	dst = strconv.AppendInt(dst, int64(1+rng.IntN(12)), 10)
	dst = append(dst, `,"price":`...)
	dst = strconv.AppendInt(dst, int64(1+rng.IntN(900)), 10)
	dst = append(dst, '.')
	dst = strconv.AppendInt(dst, int64(10+rng.IntN(90)), 10)
	return append(dst, '}')
}

// stampPayload writes both numbers into a payload, in place.
func stampPayload(payload []byte, seq uint64, sentNS int64) {
	putDigits(payload[seqAt:seqAt+seqDigits], seq)
	putDigits(payload[sentAt:sentAt+sentDigits], uint64(sentNS))
}

// putDigits writes n in decimal, with leading zeros, over the whole of dst.
func putDigits(dst []byte, n uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = '0' + byte(n%10)
		n /= 10
	}
}

// readStamp finds the two numbers in a received body.
func readStamp(body []byte) (seq uint64, sentNS int64, ok bool) {
	at := bytes.Index(body[:min(len(body), seqWithin)], []byte(seqKey))
	if at < 0 {
		return 0, 0, false
	}
	rest := body[at+len(seqKey):]
	if len(rest) < seqDigits+sentGap+sentDigits {
		return 0, 0, false
	}
	seq, ok = digits(rest[:seqDigits])
	sent, okSent := digits(rest[seqDigits+sentGap : seqDigits+sentGap+sentDigits])
	return seq, int64(sent), ok && okSent
}

func digits(text []byte) (n uint64, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}
