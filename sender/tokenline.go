package sender

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"posthaste/internal/netguard"
	"posthaste/oauth"
)

// maxTokenLineBytes bounds all that is read of one answer of a token endpoint.
const maxTokenLineBytes = maxHeadBytes + 2*oauth.MaxAnswerBytes

var errTokenAnswer = errors.New("its answer is too large")

// tokenLine carries the requests for access tokens. It is an http.RoundTripper that
// keeps to the same policy as all requests to endpoints, uses each connection once,
// has no goroutines and follows no redirect.
type tokenLine struct {
	guard  *netguard.Policy
	dialer dialer
	live   liveConns
}

func newTokenLine(o *Options, base *tls.Config) *tokenLine {
	l := &tokenLine{guard: o.Guard}
	l.live.init()
	l.dialer = dialer{tcp: o.Guard.Dialer(o.Dial), tls: base, live: &l.live}
	return l
}

// close ends the requests that are under way, and later ones at once.
func (l *tokenLine) close() {
	_ = l.dialer.tcp.Close()
	l.live.abort()
}

// RoundTrip implements http.RoundTripper. It bounds the answer.
func (l *tokenLine) RoundTrip(req *http.Request) (*http.Response, error) {
	_, u, err := checkedURL(req.URL.String(), l.guard)
	if err != nil {
		return nil, err
	}
	ctx := req.Context()
	deadline, bounded := ctx.Deadline()
	if !bounded {
		deadline = time.Now().Add(oauth.DefaultTimeout)
	}
	c, err := l.dial(u, time.Until(deadline))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, c.abort)()
	if err = c.SetDeadline(deadline); err != nil {
		return nil, err
	}
	resp, err := exchangeToken(c, u, req)
	if err != nil {
		c.broken = true
		return nil, tokenFault(err)
	}
	return resp, nil
}

// tokenFault is err without the addresses that net wraps it in, and short: a peer may
// have written part of it.
func tokenFault(err error) error {
	switch err = cause(err); {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return errHalfAnswer
	case len(err.Error()) > maxErrorBytes:
		return errors.New(text(err))
	}
	return err
}

func (l *tokenLine) dial(u *url.URL, timeout time.Duration) (*conn, error) {
	var config *tls.Config
	if u.Scheme == "https" {
		config = l.dialer.tls.Clone()
		config.ServerName = u.Hostname()
	}
	c, err := l.dialer.dial(nil, addressOf(u), timeout, config)
	if err != nil {
		return nil, err
	}
	return c.(*conn), nil
}

// exchangeToken sends the request and reads the whole answer.
func exchangeToken(c *conn, u *url.URL, req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.URL, out.Host, out.Close = u, u.Host, true
	if err := out.Write(c); err != nil {
		return nil, err
	}
	limited := &io.LimitedReader{R: c, N: maxTokenLineBytes}
	resp, err := readTokenAnswer(bufio.NewReader(limited), out)
	if err != nil && limited.N == 0 {
		return nil, errTokenAnswer
	}
	return resp, err
}

func readTokenAnswer(in *bufio.Reader, req *http.Request) (*http.Response, error) {
	for range maxInterimAnswers {
		resp, err := http.ReadResponse(in, req)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode < 200 {
			continue
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, oauth.MaxAnswerBytes+1))
		if err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return resp, nil
	}
	return nil, errInterim
}
