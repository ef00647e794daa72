package inbound

import (
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/internal/jsonscan"
)

const (
	messageReceived  = "Event received"
	messageDuplicate = "Duplicate event received, but will not be sent"
)

const mediaTypeJSON = "application/json"

// accept answers a request that was served: a challenge with its response, a webhook,
// be it a duplicate, with the source's own response or else the envelope, whose data is
// how many bytes came in.
func (r *request) accept(ctx *fasthttp.RequestCtx) {
	ctx.SetStatusCode(fasthttp.StatusOK)
	if r.response != nil {
		ctx.SetContentType(mediaTypeJSON)
		ctx.Response.SetBody(r.response)
		return
	}
	if custom := r.plan.response; custom != nil {
		ctx.SetContentType(custom.ContentType)
		ctx.Response.Header.Set(fasthttp.HeaderXContentTypeOptions, "nosniff")
		ctx.Response.SetBodyString(custom.Body)
		return
	}
	message := messageReceived
	if r.duplicate {
		message = messageDuplicate
	}
	var buf [128]byte
	body := append(buf[:0], `{"status":true,"message":"`...)
	body = append(body, message...)
	body = append(body, `","data":`...)
	body = strconv.AppendInt(body, int64(r.received), 10)
	ctx.SetContentType(mediaTypeJSON)
	ctx.Response.SetBody(append(body, '}'))
}

// answer sends the refusal.
func (no *refusal) answer(ctx *fasthttp.RequestCtx) {
	body := append([]byte(nil), `{"status":false,"message":`...)
	body = jsonscan.Quote(body, no.message)
	if no.machine != "" {
		body = jsonscan.Quote(append(body, `,"reason":`...), no.machine)
	}
	body = append(body, '}')
	ctx.SetStatusCode(no.code)
	ctx.SetContentType(mediaTypeJSON)
	ctx.Response.SetBody(body)
	h := &ctx.Response.Header
	if no.after > 0 {
		h.Set(fasthttp.HeaderRetryAfter, strconv.FormatInt(int64((no.after+time.Second-1)/time.Second), 10))
	}
	if no.allow != "" {
		h.Set(fasthttp.HeaderAllow, no.allow)
	}
	if no == refuseEncoding {
		h.Set(fasthttp.HeaderAcceptEncoding, "gzip, zstd")
	}
}
