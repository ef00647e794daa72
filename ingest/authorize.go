package ingest

import (
	"bytes"
	"net/netip"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// authorize lets the request pass if its key may post events to the project, and
// notes what the project asks of them. Whether a project exists is told only to
// those who reach it.
func (in *Ingest) authorize(ctx *fasthttp.RequestCtx, r *request, t target) *refusal {
	token, no := bearer(ctx)
	if no != nil {
		return no
	}
	grant, ok := in.o.Auth.Authenticate(token)
	if !ok {
		return refuseKey
	}
	if grant.AllowFrom != nil {
		if addr := peer(ctx); !grant.From(addr) {
			return refuseFrom(addr)
		}
	}
	if r.project, no = t.projectOf(&grant); no != nil {
		return no
	}
	if grant.Portal || !grant.Scopes.Has(event.ScopeIngest) {
		return refuseScope
	}
	if t.route == routeDynamic && !grant.Scopes.Has(event.ScopeManage) {
		return refuseDynamicScope // it makes endpoints, and changes their secrets
	}
	r.maxData, r.requireKey, ok = in.o.Projects.MaxPayload(r.project)
	if !ok {
		return refuseProject
	}
	if r.maxData <= 0 {
		r.maxData = event.DefaultMaxPayloadBytes
	}
	return nil
}

// projectOf is the project that the request is about, if the grant reaches it.
func (t target) projectOf(g *event.Grant) (event.ID, *refusal) {
	switch {
	case t.named:
		id, err := event.ParseID(stringOf(t.project))
		if err != nil || !g.Allows(id) {
			return event.ID{}, refuseProject
		}
		return id, nil
	case g.Instance:
		return event.ID{}, refuseUnnamed
	}
	return g.ProjectID, nil
}

// peer is the address at the other end of the connection. What headers say of
// it is not looked at: anybody can write them.
func peer(ctx *fasthttp.RequestCtx) netip.Addr { return addressOf(ctx.RemoteAddr()) }

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
