package inbound

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

const routePrefix = "/ingest/"

// match recognises the route by the target as it was sent, neither unescaped nor
// cleaned: what a proxy in front saw is what is matched.
func match(ctx *fasthttp.RequestCtx) (mask, query []byte, ok bool) {
	target := ctx.Request.Header.RequestURI()
	if len(target) <= len(routePrefix) || string(target[:len(routePrefix)]) != routePrefix {
		return nil, nil, false
	}
	mask, query, _ = bytes.Cut(target[len(routePrefix):], []byte{'?'})
	return mask, query, len(mask) > 0 && bytes.IndexByte(mask, '/') < 0
}

// find looks the request's source up and notes what holds for its events.
func (in *Inbound) find(r *request, mask []byte) *refusal {
	src, limits, ok := in.o.Sources.SourceByMask(string(mask))
	if !ok || src == nil || src.Type != event.SourceHTTP {
		return refuseSource
	}
	if src.IsDisabled {
		return refuseDisabled
	}
	r.plan, r.requireKey = in.plans.of(src), limits.RequireKey
	r.maxData = limits.MaxPayload
	if r.maxData <= 0 {
		r.maxData = event.DefaultMaxPayloadBytes
	}
	return nil
}

// wrongMethod refuses what is neither a webhook nor a challenge.
func (p *plan) wrongMethod() *refusal {
	if p.challenges {
		return refuseMethodOfTwo
	}
	return refuseMethod
}
