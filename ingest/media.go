package ingest

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

type media uint8

const (
	mediaJSON media = iota
	mediaNDJSON
)

// accepts is the kind of body that the request has, if the route takes it.
// Parameters such as charset are ignored: JSON is UTF-8 (RFC 8259, 8.1).
func (rt route) accepts(ctx *fasthttp.RequestCtx) (media, *refusal) {
	kind, _, _ := bytes.Cut(ctx.Request.Header.ContentType(), []byte{';'})
	kind = bytes.TrimSpace(kind)
	if bytes.EqualFold(kind, []byte("application/json")) {
		return mediaJSON, nil
	}
	if rt != routeBatch {
		return 0, refuseMedia
	}
	if bytes.EqualFold(kind, []byte("application/x-ndjson")) {
		return mediaNDJSON, nil
	}
	return 0, refuseBatchMedia
}

type encoding uint8

const (
	identity encoding = iota
	encodedGzip
	encodedZstd
)

// contentEncoding is how the body is compressed. Only one encoding is taken:
// two of them, in one header or in two, are refused like an unknown one.
func contentEncoding(ctx *fasthttp.RequestCtx) (encoding, *refusal) {
	all := ctx.Request.Header.PeekAll(fasthttp.HeaderContentEncoding)
	if len(all) == 0 {
		return identity, nil
	}
	switch name := all[0]; {
	case len(all) > 1:
	case len(name) == 0, bytes.EqualFold(name, []byte("identity")):
		return identity, nil
	case bytes.EqualFold(name, []byte("gzip")), bytes.EqualFold(name, []byte("x-gzip")):
		return encodedGzip, nil
	case bytes.EqualFold(name, []byte("zstd")):
		return encodedZstd, nil
	}
	return 0, refuseEncoding
}
