package ingest

import (
	"fmt"
	"time"

	"github.com/valyala/fasthttp"
)

// strangerBytes is how large a body may be that comes without anything the server
// knows. fasthttp takes the memory that a head claims for its body before a handler
// can ask whose it is; so whoever may claim much is asked for a key first, and has to
// find room.
const strangerBytes = 64 << 10

// guessedBytes is what a body in chunks is taken to claim: it does not say.
const guessedBytes = 1 << 20

var (
	refuseStranger = &refusal{code: fasthttp.StatusUnauthorized, reason: ReasonAuth,
		message: fmt.Sprintf("Authentication required: without a valid key, or a source's address, a request may have %d bytes", strangerBytes)}
	refuseNoRoom = &refusal{code: fasthttp.StatusServiceUnavailable, reason: ReasonLoad,
		message: "too many large requests at once: try again later, or send smaller ones", after: time.Second}
)

// received bounds a request's body once its head is there. The server calls it for
// every request, and ordinary ones must cost nothing.
func (d *door) received(h *fasthttp.RequestHeader) (c fasthttp.RequestConfig) {
	n := claims(h)
	if n <= strangerBytes {
		return c
	}
	c.MaxRequestBodySize = d.largest(h)
	if n <= c.MaxRequestBodySize && !d.room.take(h, n, time.Now()) {
		c.MaxRequestBodySize = min(strangerBytes, d.o.MaxRequestBytes)
	}
	return c
}

// claims is how large the head says that the body is.
func claims(h *fasthttp.RequestHeader) int {
	const chunked = -1
	if n := h.ContentLength(); n != chunked {
		return n
	}
	return guessedBytes
}

// largest is how large the body of a request with this head may be.
func (d *door) largest(h *fasthttp.RequestHeader) int {
	return min(max(d.o.Largest(h), strangerBytes), d.o.MaxRequestBytes)
}

// refuseLarge is the answer to a body that is larger than it may be. Of one in chunks
// fasthttp has forgotten the head by then, and so whose it was.
func (d *door) refuseLarge(h *fasthttp.RequestHeader, noRoom bool) *refusal {
	if noRoom {
		return refuseNoRoom
	}
	n := claims(h)
	if n == 0 {
		return d.tooLargeInChunks
	}
	largest := d.largest(h)
	switch {
	case n > d.o.MaxRequestBytes:
		return d.tooLarge
	case largest == strangerBytes:
		return refuseStranger
	}
	return tooLarge(largest)
}

func tooLargeInChunks(limit int) *refusal {
	return &refusal{code: fasthttp.StatusRequestEntityTooLarge, reason: ReasonSize,
		message: fmt.Sprintf("request body too large: at most %d bytes, decompressed, and %d without a valid key", limit, strangerBytes)}
}
