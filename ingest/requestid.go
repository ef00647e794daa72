package ingest

import (
	"crypto/rand"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// requestIDs gives answers their X-Request-Id: the request's own if it is a
// short plain word, which is what package api takes, too, or else one that is
// made. It has the form of an id: the time, 5 random bytes that tell this
// process from others, and a 5-byte count.
type requestIDs struct {
	process [5]byte
	count   atomic.Uint64
}

var headerRequestID = []byte("X-Request-Id")

const maxRequestIDBytes = 128

func newRequestIDs() *requestIDs {
	ids := new(requestIDs)
	_, _ = rand.Read(ids.process[:]) // never fails: it ends the process instead
	return ids
}

// set gives the answer its X-Request-Id.
func (ids *requestIDs) set(ctx *fasthttp.RequestCtx) {
	if asked := ctx.Request.Header.PeekBytes(headerRequestID); plainWord(asked) {
		ctx.Response.Header.SetCanonical(headerRequestID, asked)
		return
	}
	var buf [event.IDTextLen]byte
	ctx.Response.Header.SetCanonical(headerRequestID, event.AppendID(buf[:0], ids.make()))
}

func (ids *requestIDs) make() (id event.ID) {
	binary.BigEndian.PutUint64(id[8:], ids.count.Add(1))
	copy(id[6:], ids.process[:])
	_ = id.SetTime(uint64(time.Now().UnixMilli())) // fails in the year 10889
	return id
}

// requestIDOf is the id that set has given the answer.
func requestIDOf(ctx *fasthttp.RequestCtx) string {
	return string(ctx.Response.Header.PeekBytes(headerRequestID))
}

func plainWord(id []byte) bool {
	if len(id) == 0 || len(id) > maxRequestIDBytes {
		return false
	}
	for _, c := range id {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' && c != ':' {
			return false
		}
	}
	return true
}
