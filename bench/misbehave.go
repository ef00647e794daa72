package bench

import (
	"net"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// busyRetryAfter is what a busy endpoint asks for, in seconds.
const busyRetryAfter = "1"

// trickleGap is the time between two bytes of an answer that trickles. The whole
// of it would take longer than holdLimit.
const trickleGap = 400 * time.Millisecond

// trickleAnswer is an ordinary answer with a long header.
var trickleAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Request-Id: " +
	strings.Repeat("0", int(holdLimit/trickleGap)) + "\r\n\r\n"

// misbehave answers a request in a way that is not well, or does not answer it.
// Such a request is no receipt.
func (r *Receiver) misbehave(ctx *fasthttp.RequestCtx, endpoint uint64, b *Behaviour) {
	if n := r.misbehaved[*b]; n != nil {
		n.Add(1)
	}
	switch *b {
	case BehaveHang:
		r.withhold(ctx, endpoint, b, "", r.holdLimit)
	case BehaveTrickle:
		r.withhold(ctx, endpoint, b, trickleAnswer, trickleGap)
	case BehaveReset:
		if tcp, ok := ctx.Conn().(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // close then resets
		}
		_ = ctx.Conn().Close()
	case BehaveBusy:
		ctx.Response.Header.Set("Retry-After", busyRetryAfter)
		ctx.SetStatusCode(fasthttp.StatusTooManyRequests)
	default:
		ctx.SetStatusCode(fasthttp.StatusInternalServerError)
	}
}

// withhold sends answer, a byte each gap, and closes the connection when the
// sender does, when the endpoint is told to behave in another way, at the hold
// limit or when the receiver closes, whichever is first.
func (r *Receiver) withhold(ctx *fasthttp.RequestCtx, endpoint uint64, b *Behaviour, answer string, gap time.Duration) {
	conn := ctx.Conn()
	defer conn.Close()
	ctx.SetConnectionClose()
	ctx.Request.ResetBody() // the wait may be long
	if !r.held.add(conn, endpoint) {
		return
	}
	defer r.held.remove(conn)
	limit := time.Now().Add(r.holdLimit)
	changed := func() bool { return r.behaviours[endpoint].Load() != b }
	if conn.SetWriteDeadline(limit) != nil {
		return
	}
	for sent := 0; time.Now().Before(limit); sent++ {
		if sent < len(answer) {
			if _, err := conn.Write([]byte{answer[sent]}); err != nil {
				return
			}
		}
		if !outlast(conn, time.Now().Add(gap), changed) {
			return
		}
	}
}
