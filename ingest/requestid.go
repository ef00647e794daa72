package ingest

import (
	"crypto/rand"
	"encoding/hex"
	"sync/atomic"

	"github.com/valyala/fasthttp"
)

// requestIDs numbers answers: 12 random hexadecimal digits that tell this
// process from others, a dash, and a count.
type requestIDs struct {
	prefix []byte
	count  atomic.Uint64
}

var headerRequestID = []byte("X-Request-Id")

func newRequestIDs() *requestIDs {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails: it ends the process instead
	return &requestIDs{prefix: append(hex.AppendEncode(nil, random[:]), '-')}
}

// set gives the answer its X-Request-Id.
func (ids *requestIDs) set(ctx *fasthttp.RequestCtx) {
	var buf [32]byte
	id := append(buf[:0], ids.prefix...)
	id = appendUint(id, ids.count.Add(1))
	ctx.Response.Header.SetCanonical(headerRequestID, id)
}
