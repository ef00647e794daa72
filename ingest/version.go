package ingest

import (
	"time"

	"github.com/valyala/fasthttp"
)

// currentVersion is the newest version of Convoy's API that is spoken here. The
// versions do not differ in how events are posted.
var currentVersion = []byte("2025-11-24")

var headerVersion = []byte("X-Convoy-Version")

// setVersion gives the answer its X-Convoy-Version: the one that was asked for
// if it is a date, or else the newest.
func setVersion(ctx *fasthttp.RequestCtx) {
	asked := ctx.Request.Header.PeekBytes(headerVersion)
	if !isDate(asked) {
		asked = currentVersion
	}
	ctx.Response.Header.SetCanonical(headerVersion, asked)
}

func isDate(text []byte) bool {
	if len(text) != len(time.DateOnly) {
		return false
	}
	_, err := time.Parse(time.DateOnly, stringOf(text))
	return err == nil
}
