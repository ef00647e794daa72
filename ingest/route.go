package ingest

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

type route uint8

const (
	routeSingle    route = iota // one event to one endpoint, or to those of an application
	routeFanout                 // one event to the endpoints of an owner
	routeBroadcast              // one event to every subscription that wants it
	routeDynamic                // one event with the endpoint it is for
	routeBatch                  // many events, each like those of the first three
)

// target is what a request's target says.
type target struct {
	route   route
	project []byte
	named   bool // a project is in the path; otherwise it is the key's
}

const (
	routePrefix   = "/api/v1/"
	projectPrefix = "projects/"
)

// match recognises ingest's routes by the target as it was sent, neither
// unescaped nor cleaned: what a proxy in front saw is what is matched.
func match(ctx *fasthttp.RequestCtx) (t target, ok bool) {
	uri := ctx.Request.Header.RequestURI()
	if !ctx.IsPost() || len(uri) < len(routePrefix) || string(uri[:len(routePrefix)]) != routePrefix {
		return t, false
	}
	path, _, _ := bytes.Cut(uri[len(routePrefix):], []byte{'?'})
	if len(path) >= len(projectPrefix) && string(path[:len(projectPrefix)]) == projectPrefix {
		t.named = true
		t.project, path, _ = bytes.Cut(path[len(projectPrefix):], []byte{'/'})
	}
	t.route, ok = routeOf(path)
	return t, ok
}

func routeOf(path []byte) (route, bool) {
	switch string(path) {
	case "events":
		return routeSingle, true
	case "events/fanout":
		return routeFanout, true
	case "events/broadcast":
		return routeBroadcast, true
	case "events/dynamic":
		return routeDynamic, true
	case "events/batch":
		return routeBatch, true
	}
	return 0, false
}
