package ingest

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

var (
	refuseMethod  = &refusal{code: fasthttp.StatusMethodNotAllowed, reason: ReasonMalformed, message: "method not allowed"}
	refuseVersion = &refusal{code: fasthttp.StatusHTTPVersionNotSupported, reason: ReasonMalformed, message: "want HTTP/1.1 or HTTP/1.0"}
	refuseTarget  = malformed("want a path as the request target")
	refuseLineEnd = malformed("a header line ends in a line feed without a carriage return")
	refuseFold    = malformed("a header runs over more than one line")
	refuseFraming = malformed("Transfer-Encoding together with Content-Length")
	refuseCoding  = malformed("want no Transfer-Encoding but chunked")
	refuseTwice   = malformed("Content-Type, Content-Encoding or Authorization is there twice")
)

// inspect refuses what fasthttp lets through although two readers could
// understand it in two ways, which is how requests are smuggled past a proxy.
// The connection of such a request must be closed.
func inspect(ctx *fasthttp.RequestCtx) *refusal {
	h := &ctx.Request.Header
	if !knownMethod(h.Method()) {
		return refuseMethod
	}
	if v := h.Protocol(); string(v) != "HTTP/1.1" && string(v) != "HTTP/1.0" {
		return refuseVersion
	}
	if target := h.RequestURI(); len(target) == 0 || target[0] != '/' {
		return refuseTarget
	}
	return inspectHeaders(h.RawHeaders())
}

func knownMethod(m []byte) bool {
	switch string(m) {
	case "POST", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS":
		return true
	}
	return false
}

// inspectHeaders goes over the header lines as they were sent; fasthttp keeps
// only the last Content-Type, and forgets a Content-Length beside a
// Transfer-Encoding.
func inspectHeaders(raw []byte) *refusal {
	var length, coding, media, compression, key int
	var line []byte
	for len(raw) > 0 {
		line, raw, _ = bytes.Cut(raw, []byte{'\n'})
		if len(line) == 0 || line[len(line)-1] != '\r' {
			return refuseLineEnd
		}
		if line[0] == ' ' || line[0] == '\t' {
			return refuseFold
		}
		switch line[0] | 0x20 {
		case 'c':
			length += is(line, "content-length:")
			media += is(line, "content-type:")
			compression += is(line, "content-encoding:")
		case 't':
			if is(line, "transfer-encoding:") == 1 {
				coding++
				if !bytes.EqualFold(bytes.TrimSpace(line[len("transfer-encoding:"):]), []byte("chunked")) {
					return refuseCoding
				}
			}
		case 'a':
			key += is(line, "authorization:")
		}
	}
	if coding > 0 && length > 0 {
		return refuseFraming
	}
	if media > 1 || compression > 1 || key > 1 {
		return refuseTwice
	}
	return nil
}

// is returns 1 if the line starts with the name, whatever its case.
func is(line []byte, name string) int {
	if len(line) >= len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
		return 1
	}
	return 0
}
