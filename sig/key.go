package sig

import (
	"encoding/base64"
	"encoding/hex"
)

// Bytes that HMAC combines with the key (RFC 2104 section 2).
const (
	innerPad = 0x36
	outerPad = 0x5c
)

// key is one secret made ready for one hash: the states after hashing the
// blocks K xor ipad and K xor opad. It is immutable.
type key struct {
	alg          *algorithm
	inner, outer []byte
}

func newKey(alg *algorithm, secret string) key {
	h := alg.get()
	defer alg.put(h)
	k := []byte(secret)
	if len(k) > alg.block {
		h.Reset()
		h.Write(k)
		k = h.Sum(nil)
	}
	block := make([]byte, alg.block)
	copy(block, k)
	return key{alg, h.stateAfter(block, innerPad), h.stateAfter(block, outerPad)}
}

// stateAfter returns the state after hashing block xor pad.
func (h *hasher) stateAfter(block []byte, pad byte) []byte {
	padded := make([]byte, len(block))
	for i, b := range block {
		padded[i] = b ^ pad
	}
	h.Reset()
	h.Write(padded)
	state, err := h.MarshalBinary()
	if err != nil {
		panic("BUG: hash state not saved: " + err.Error())
	}
	return state
}

// mac returns the HMAC of stamp and body; stamp may be empty. The result lies
// in h and is good until h is used again.
func (k *key) mac(h *hasher, stamp, body []byte) []byte {
	h.restore(k.inner)
	h.Write(stamp)
	h.Write(body)
	digest := h.Sum(h.sum[:0])
	h.restore(k.outer)
	h.Write(digest)
	return h.Sum(h.sum[:0])
}

// stamped returns the bytes that an advanced signature puts before the body: the
// timestamp as it stands in the header, and a comma. They are copied into h,
// because what a hash is given to write would make its owner allocate.
func (h *hasher) stamped(stamp []byte) []byte {
	return append(append(h.stamp[:0], stamp...), ',')
}

// appendText appends sum in the given encoding.
func appendText(dst, sum []byte, encoding string) []byte {
	if encoding == Base64 {
		return base64.StdEncoding.AppendEncode(dst, sum)
	}
	return hex.AppendEncode(dst, sum)
}
