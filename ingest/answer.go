package ingest

import (
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
	"posthaste/internal/jsonscan"
)

const (
	messageQueued    = "Event queued successfully"
	messageFanout    = "Endpoint fanout event queued successfully"
	messageBroadcast = "Broadcast event created successfully"
	messageDynamic   = "Dynamic event created successfully"
	messageDuplicate = "Duplicate event received, but will not be sent"
)

var (
	headerRetryAfter     = []byte("Retry-After")
	headerAuthenticate   = []byte("Www-Authenticate")
	headerAcceptEncoding = []byte("Accept-Encoding")
	headerAllow          = []byte("Allow")
)

// answer sends body, a whole envelope. no is nil for success.
func answer(ctx *fasthttp.RequestCtx, code int, no *refusal, body []byte) {
	ctx.SetStatusCode(code)
	ctx.SetContentType("application/json")
	ctx.Response.SetBody(body)
	if no == nil {
		return
	}
	h := &ctx.Response.Header
	if no.after > 0 {
		h.SetCanonical(headerRetryAfter, appendUint(nil, wholeSeconds(no.after)))
	}
	switch {
	case code == fasthttp.StatusUnauthorized:
		h.SetCanonical(headerAuthenticate, []byte("Bearer"))
	case no == refuseEncoding:
		h.SetCanonical(headerAcceptEncoding, []byte("gzip, zstd"))
	case code == fasthttp.StatusMethodNotAllowed:
		h.SetCanonical(headerAllow, []byte("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"))
	}
}

func wholeSeconds(d time.Duration) uint64 { return uint64((d + time.Second - 1) / time.Second) }

func appendUint(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 10) }

// appendError appends the envelope of an error.
func appendError(dst []byte, message string) []byte {
	dst = append(dst, `{"status":false,"message":`...)
	dst = jsonscan.Quote(dst, message)
	return append(dst, '}')
}

// appendAccepted appends the answer to a request that was accepted.
func (r *request) appendAccepted(dst []byte) []byte {
	if r.route == routeBatch {
		accepted := r.accepted()
		dst = append(dst, `{"status":true,"message":`...)
		dst = jsonscan.Quote(dst, batchMessage(accepted, len(r.items)-accepted))
		dst = append(dst, `,"data":`...)
		dst = r.appendResults(dst)
		return append(dst, '}')
	}
	sub := r.items[0].sub
	dst = append(dst, `{"status":true,"message":"`...)
	dst = append(dst, acceptance(sub)...)
	dst = append(dst, `","data":{"uid":"`...)
	dst = event.AppendID(dst, sub.Event.ID)
	return append(dst, `"}}`...)
}

// appendRefused appends the answer to a request that was refused as a whole.
func (r *request) appendRefused(dst []byte, no *refusal) []byte {
	dst = appendError(dst, no.message)
	if no.machine != "" {
		dst = append(dst[:len(dst)-1], `,"reason":`...)
		dst = append(jsonscan.Quote(dst, no.machine), '}')
	}
	if !r.results {
		return dst
	}
	dst = append(dst[:len(dst)-1], `,"data":`...)
	dst = r.appendResults(dst)
	return append(dst, '}')
}

// appendResults appends the array of what became of each item.
func (r *request) appendResults(dst []byte) []byte {
	dst = append(dst, '[')
	for i := range r.items {
		if i > 0 {
			dst = append(dst, ',')
		}
		it := &r.items[i]
		if it.no != nil {
			dst = appendError(dst, it.no.message)
			continue
		}
		dst = append(dst, `{"status":true,"uid":"`...)
		dst = event.AppendID(dst, it.sub.Event.ID)
		dst = append(dst, `","message":"`...)
		dst = append(dst, acceptance(it.sub)...)
		dst = append(dst, `"}`...)
	}
	return append(dst, ']')
}

// acceptance is the message for an accepted event. It needs no quoting.
func acceptance(sub *event.Submission) string {
	switch {
	case sub.Duplicate:
		return messageDuplicate
	case sub.To == event.ToOwner:
		return messageFanout
	case sub.To == event.ToSubscribers:
		return messageBroadcast
	case sub.To == event.ToDynamic:
		return messageDynamic
	}
	return messageQueued
}

func (r *request) accepted() int {
	n := 0
	for i := range r.items {
		if r.items[i].no == nil {
			n++
		}
	}
	return n
}

// batchRefusal refuses a batch of which nothing was accepted.
func (r *request) batchRefusal() *refusal {
	if r.accepted() > 0 {
		return nil
	}
	r.results = true
	return malformed("%s", batchMessage(0, len(r.items)))
}

func batchMessage(accepted, refused int) string {
	return strconv.Itoa(accepted) + " accepted, " + strconv.Itoa(refused) + " refused"
}
