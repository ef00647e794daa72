package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/valyala/fasthttp"
)

// ErrRefused means the server refused a request in a way that asking again does
// not change.
var ErrRefused = errors.New("request refused")

// How long a poster waits before it repeats a request, and how often and how long
// it tries before it gives up. The tries make half a minute where the answers
// come at once; patience is for a server that lets them time out.
const (
	firstPause = 5 * time.Millisecond
	maxPause   = 500 * time.Millisecond
	maxTries   = 66
	patience   = time.Minute
)

// poster posts bodies, one at a time, until each is accepted. One goroutine uses
// it.
type poster struct {
	client *fasthttp.HostClient
	req    fasthttp.Request
	resp   fasthttp.Response
	postCounts
}

// postCounts counts requests.
type postCounts struct {
	accepted int64 // answered 2xx
	refused  int64 // answered otherwise, and asked again
	failed   int64 // not answered, and asked again
}

// prepare sets what all requests have in common. An empty key sends none.
func (p *poster) prepare(client *fasthttp.HostClient, key string) {
	p.client = client
	p.req.Header.SetMethod(fasthttp.MethodPost)
	if key != "" {
		p.req.Header.Set("Authorization", "Bearer "+key)
	}
}

// address sets where the next requests go.
func (p *poster) address(url, contentType string) {
	p.req.SetRequestURI(url)
	p.req.Header.SetContentType(contentType)
}

// post sends body until it is accepted. It keeps no reference to it.
func (p *poster) post(ctx context.Context, body []byte) error {
	p.req.SetBodyRaw(body)
	err := p.client.Do(&p.req, &p.resp)
	if err != nil || p.resp.StatusCode()/100 != 2 {
		err = p.postAgain(ctx, err)
	}
	p.req.SetBodyRaw(nil)
	if err == nil {
		p.accepted++
	}
	return err
}

// postAgain is the slow path of post: the first try ended with err or a status
// other than 2xx.
func (p *poster) postAgain(ctx context.Context, err error) error {
	pause := firstPause
	begun := time.Now()
	for try := 1; ; try++ {
		isLast := try == maxTries || time.Since(begun) > patience
		switch status := p.resp.StatusCode(); {
		case err != nil: // the status then means nothing
			p.failed++
		case status/100 == 2:
			return nil
		case isLast || !mayAskAgain(status):
			return p.refusal()
		default:
			p.refused++
		}
		if err != nil && isLast {
			return fmt.Errorf("post %s: %d tries: %w", p.req.URI().FullURI(), try, err)
		}
		if cancelled := sleep(ctx, pause); cancelled != nil {
			return cancelled
		}
		pause = min(2*pause, maxPause)
		err = p.client.Do(&p.req, &p.resp)
	}
}

func (p *poster) refusal() error {
	body := p.resp.Body()
	return fmt.Errorf("%w: post %s: status %d: %s", ErrRefused, p.req.URI().FullURI(),
		p.resp.StatusCode(), body[:min(len(body), 300)])
}

// mayAskAgain tells a server that is busy from one that does not want the request.
func mayAskAgain(status int) bool {
	return status == fasthttp.StatusTooManyRequests || status >= 500
}

// sleep waits for d or until ctx is done, and then says so.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
