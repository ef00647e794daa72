package ingest

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

type route uint8

const (
	routeSingle route = iota // one event to one endpoint
	routeFanout              // one event to the endpoints of an owner
	routeBatch               // many of either
)

const routePrefix = "/api/v1/projects/"

// match recognises ingest's routes by the target as it was sent, neither
// unescaped nor cleaned: what a proxy in front saw is what is matched.
func match(ctx *fasthttp.RequestCtx) (rt route, project []byte, ok bool) {
	target := ctx.Request.Header.RequestURI()
	if !ctx.IsPost() || len(target) < len(routePrefix) || string(target[:len(routePrefix)]) != routePrefix {
		return 0, nil, false
	}
	path, _, _ := bytes.Cut(target[len(routePrefix):], []byte{'?'})
	project, rest, _ := bytes.Cut(path, []byte{'/'})
	switch string(rest) {
	case "events":
		return routeSingle, project, true
	case "events/fanout":
		return routeFanout, project, true
	case "events/batch":
		return routeBatch, project, true
	}
	return 0, nil, false
}

// authorize lets the request pass if its key reaches the project, and notes
// what the project asks of its events.
func (in *Ingest) authorize(ctx *fasthttp.RequestCtx, r *request, project []byte) *refusal {
	token, no := bearer(ctx)
	if no != nil {
		return no
	}
	grant, ok := in.o.Auth.Authenticate(token)
	if !ok {
		return refuseKey
	}
	id, err := event.ParseID(stringOf(project))
	if err != nil || !grant.Allows(id) {
		return refuseProject
	}
	r.project = id
	r.maxData, r.requireKey, ok = in.o.Projects.MaxPayload(id)
	if !ok {
		return refuseProject
	}
	if r.maxData <= 0 {
		r.maxData = event.DefaultMaxPayloadBytes
	}
	return nil
}

// bearer is the key in the Authorization header (RFC 6750, 2.1).
func bearer(ctx *fasthttp.RequestCtx) ([]byte, *refusal) {
	all := ctx.Request.Header.PeekAll(fasthttp.HeaderAuthorization)
	if len(all) > 1 {
		return nil, refuseTwoKeys
	}
	if len(all) == 0 || len(all[0]) == 0 {
		return nil, refuseNoKey
	}
	scheme, token, _ := bytes.Cut(all[0], []byte{' '})
	token = bytes.TrimLeft(token, " ")
	if !bytes.EqualFold(scheme, []byte("Bearer")) || len(token) == 0 {
		return nil, refuseKey
	}
	return token, nil
}
