package bench

import (
	"fmt"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// What the baselines and the generator allow an HTTP exchange.
const exchangeTimeout = 30 * time.Second

// nullPipeAnswer is as long as the answer of a server that does the work.
const nullPipeAnswer = `{"status":true,"message":"Event queued successfully","data":null}`

// NullPipe posts each request's body on to the receiver and then answers 201. It
// keeps, signs and records nothing: what a server costs beyond it is the price
// of doing the job.
type NullPipe struct {
	server   *httpServer
	client   *fasthttp.HostClient
	exchange sync.Pool // of *pipeExchange
}

type pipeExchange struct {
	req  fasthttp.Request
	resp fasthttp.Response
}

// StartNullPipe listens on a free loopback port and posts to target, host:port.
func StartNullPipe(target string, maxConns int) (*NullPipe, error) {
	p := &NullPipe{client: newHostClient(target, false, maxConns)}
	p.exchange.New = func() any {
		e := new(pipeExchange)
		e.req.Header.SetMethod(fasthttp.MethodPost)
		e.req.Header.SetContentType("application/json")
		e.req.SetRequestURI("http://" + target + "/e/0")
		return e
	}
	server, err := startHTTP("127.0.0.1", p.handle)
	if err != nil {
		return nil, fmt.Errorf("null pipe: %w", err)
	}
	p.server = server
	return p, nil
}

// Addr is host:port of the listener.
func (p *NullPipe) Addr() string { return p.server.addr }

// Close stops listening, waits for requests in progress and closes connections.
func (p *NullPipe) Close() error {
	err := p.server.close()
	p.client.CloseIdleConnections()
	return err
}

func (p *NullPipe) handle(ctx *fasthttp.RequestCtx) {
	e := p.exchange.Get().(*pipeExchange)
	defer p.exchange.Put(e)
	e.req.SetBodyRaw(ctx.PostBody())
	err := p.client.Do(&e.req, &e.resp)
	e.req.SetBodyRaw(nil) // it belongs to ctx
	if err != nil || e.resp.StatusCode() != fasthttp.StatusOK {
		ctx.SetStatusCode(fasthttp.StatusBadGateway)
		return
	}
	ctx.SetStatusCode(fasthttp.StatusCreated)
	ctx.SetContentType("application/json")
	ctx.SetBodyString(nullPipeAnswer)
}

// newHostClient makes the client that generator and null pipe both use.
func newHostClient(addr string, isTLS bool, maxConns int) *fasthttp.HostClient {
	return &fasthttp.HostClient{
		Addr:                     addr,
		IsTLS:                    isTLS,
		MaxConns:                 maxConns,
		MaxConnWaitTimeout:       exchangeTimeout,
		ReadTimeout:              exchangeTimeout,
		WriteTimeout:             exchangeTimeout,
		NoDefaultUserAgentHeader: true,
		DisablePathNormalizing:   true,
		MaxResponseBodySize:      16 << 20,
	}
}
