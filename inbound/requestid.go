package inbound

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"sync/atomic"

	"github.com/valyala/fasthttp"
)

const headerRequestID = "X-Request-Id"

// maxRequestIDBytes is how long an id may be that a request brings with it.
const maxRequestIDBytes = 128

// requestIDs names answers: with the id that came with the request or, without one
// that is fit for a log, 12 random hexadecimal digits that tell this process from
// others, a dash, and a count.
type requestIDs struct {
	prefix []byte
	count  atomic.Uint64
}

func newRequestIDs() *requestIDs {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails: it ends the process instead
	return &requestIDs{prefix: append(hex.AppendEncode(nil, random[:]), '-')}
}

// set gives the answer its X-Request-Id.
func (ids *requestIDs) set(ctx *fasthttp.RequestCtx) {
	id := ctx.Request.Header.Peek(headerRequestID)
	if !fitsLog(id) {
		var buf [64]byte
		id = append(buf[:0], ids.prefix...)
		id = strconv.AppendUint(id, ids.count.Add(1), 10)
	}
	ctx.Response.Header.SetCanonical([]byte(headerRequestID), id)
}

func fitsLog(id []byte) bool {
	for _, c := range id {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return 0 < len(id) && len(id) <= maxRequestIDBytes
}
