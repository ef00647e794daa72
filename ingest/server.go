package ingest

import (
	"errors"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// ServerOptions bound what clients can make a Server hold and wait for. The
// zero value has the defaults that the fields name.
type ServerOptions struct {
	MaxRequestBytes int // of a body as it is sent; default event.DefaultMaxRequestBytes
	MaxHeaderBytes  int // of a request's head, and of each connection's read buffer; default 16 KiB
	MaxConns        int // open at a time, see Listener; one more is answered 503 and closed; default 8192
	MaxConnsPerIP   int // open at a time from one address, see Listener; one more is answered 429; 0: no bound

	ReadTimeout  time.Duration // for a whole request, from its first byte, see Listener; default 30 s
	WriteTimeout time.Duration // for a client to take a whole answer, see Listener; default 30 s
	IdleTimeout  time.Duration // between requests of a connection, see Listener; default 75 s

	linger time.Duration // for one who was refused to read why; default 1 s

	// Largest says how large the body may be of a request with this head, by the key
	// that it shows, or what it asks for. It is asked about bodies of more than 64 KiB,
	// which all may have, from any goroutine, before they are read. Nil: MaxRequestBytes.
	Largest func(h *fasthttp.RequestHeader) int
	// MaxBodyMemory bounds what all bodies of more than 64 KiB claim together, in bytes;
	// one more is answered 503. Default 256 MiB, or MaxRequestBytes twice if that is more.
	MaxBodyMemory int

	Logger fasthttp.Logger // gets what fasthttp has to say; nil: dropped
	// Rejected and Refused are as in Metrics, for requests refused before the
	// handler; each may be nil.
	Rejected func(reason string)
	Refused  func(requestID string, code int, message string)
	// Unaccepted is told why a connection could not be accepted, at most some times a
	// second; it may be nil.
	Unaccepted func(error)
}

func (o *ServerOptions) ensureDefaults() {
	defaultTo(&o.MaxRequestBytes, event.DefaultMaxRequestBytes)
	defaultTo(&o.MaxBodyMemory, max(256<<20, 2*o.MaxRequestBytes))
	defaultTo(&o.MaxHeaderBytes, 16<<10)
	defaultTo(&o.MaxConns, 8192)
	defaultTo(&o.ReadTimeout, 30*time.Second)
	defaultTo(&o.WriteTimeout, 30*time.Second)
	defaultTo(&o.IdleTimeout, 75*time.Second)
	defaultTo(&o.linger, defaultLinger)
	if o.Logger == nil {
		o.Logger = silent{}
	}
	if o.Rejected == nil {
		o.Rejected = func(string) {}
	}
	if o.Largest == nil {
		o.Largest = func(*fasthttp.RequestHeader) int { return o.MaxRequestBytes }
	}
	if o.Unaccepted == nil {
		o.Unaccepted = func(error) {}
	}
}

func defaultTo[T int | time.Duration](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}

type silent struct{}

func (silent) Printf(string, ...any) {}

// lateWorkers is room for workers whose connection is closed and counts no more,
// and who are about to end.
const lateWorkers = 256

// Server makes a server that hands to handler only requests that can be
// understood in one way, and answers all others itself, in the envelope of the
// API. It serves nothing until its Serve is called, with what Listener
// returns; who calls that also calls its Shutdown. handler must not keep its argument.
func Server(o ServerOptions, handler fasthttp.RequestHandler) *fasthttp.Server {
	o.ensureDefaults()
	d := &door{o: o, room: newBodyRoom(o.MaxBodyMemory, 2*(o.ReadTimeout+o.WriteTimeout)), ids: newRequestIDs(), handler: handler, tooLarge: tooLarge(o.MaxRequestBytes), tooLargeInChunks: tooLargeInChunks(o.MaxRequestBytes)}
	return &fasthttp.Server{
		Handler:                      d.handle,
		ErrorHandler:                 d.fail,
		HeaderReceived:               d.received,
		MaxRequestBodySize:           o.MaxRequestBytes,
		ReadBufferSize:               o.MaxHeaderBytes,
		Concurrency:                  o.MaxConns + lateWorkers,
		Logger:                       o.Logger,
		NoDefaultServerHeader:        true,
		CloseOnShutdown:              true,
		SecureErrorLogMessage:        true,
		DisablePreParseMultipartForm: true,
	}
}

// door stands between a server and its handler.
type door struct {
	o       ServerOptions
	ids     *requestIDs
	handler fasthttp.RequestHandler
	room    *bodyRoom

	tooLarge, tooLargeInChunks *refusal
}

func (d *door) handle(ctx *fasthttp.RequestCtx) {
	defer d.room.leave(&ctx.Request.Header)
	if no := inspect(ctx); no != nil {
		d.refuse(ctx, no)
		return
	}
	d.handler(ctx)
}

var (
	refuseBigHeader  = &refusal{code: fasthttp.StatusRequestHeaderFieldsTooLarge, reason: ReasonSize, message: "request headers too large"}
	refuseSlow       = &refusal{code: fasthttp.StatusRequestTimeout, reason: ReasonMalformed, message: "the request took too long to arrive"}
	refuseUnreadable = malformed("the request is not HTTP, or was cut off")
)

// fail answers a request that fasthttp could not read.
func (d *door) fail(ctx *fasthttp.RequestCtx, err error) {
	noRoom := d.room.leave(&ctx.Request.Header)
	var header *fasthttp.ErrSmallBuffer
	var slow interface{ Timeout() bool }
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		d.refuseUnread(ctx, d.refuseLarge(&ctx.Request.Header, noRoom))
	case errors.As(err, &header):
		d.refuseUnread(ctx, refuseBigHeader)
	case errors.As(err, &slow) && slow.Timeout():
		d.refuse(ctx, refuseSlow)
	default:
		d.refuseUnread(ctx, refuseUnreadable)
	}
}

// refuseUnread refuses a request of which there is more to come.
func (d *door) refuseUnread(ctx *fasthttp.RequestCtx, no *refusal) {
	if c, ok := ctx.Conn().(*conn); ok {
		c.refused.Store(true)
	}
	d.refuse(ctx, no)
}

// refuse answers and closes the connection, as what follows on it is not to be
// trusted.
func (d *door) refuse(ctx *fasthttp.RequestCtx, no *refusal) {
	d.o.Rejected(no.reason)
	ctx.Response.Reset()
	d.ids.set(ctx)
	if d.o.Refused != nil {
		d.o.Refused(requestIDOf(ctx), no.code, no.message)
	}
	answer(ctx, no.code, no, appendError(nil, no.message))
	ctx.SetConnectionClose()
}
