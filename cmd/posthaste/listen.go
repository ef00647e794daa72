package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"posthaste/receiver"
)

// listenCmd is a receiver on this machine that shows what arrives.
type listenCmd struct {
	Listen string `default:"127.0.0.1:0" placeholder:"HOST:PORT" help:"Where to listen; port 0 is any that is free (${default})."`

	Secret          []string `group:"verify" placeholder:"TEXT" help:"The endpoint's secret, or its public key (whpk_...); may be repeated. With --create: the new endpoint's."`
	SignatureHeader string   `group:"verify" placeholder:"NAME" help:"The project's signature header, if it is not X-Convoy-Signature."`
	SignedWith      []string `group:"verify" placeholder:"HASH:ENCODING" help:"How the project signs, if it is not SHA256:hex; may be repeated."`

	Status  []int         `group:"answer" default:"200" sep:"," placeholder:"N,..." help:"What to answer; of several one after the other, and then from the first again (${default})."`
	Delay   time.Duration `group:"answer" placeholder:"TIME" help:"Wait before answering."`
	Forward string        `group:"answer" placeholder:"URL" help:"Pass each webhook on to this URL and answer what it answers."`
	Count   int           `group:"answer" placeholder:"N" help:"End after so many webhooks."`

	Body    bool `help:"Print bodies."`
	Headers bool `help:"Print headers."`

	Create    bool     `group:"create" help:"Make an endpoint for this receiver, with a subscription, and delete both at the end."`
	Keep      bool     `group:"create" help:"With --create: leave them there."`
	Type      []string `group:"create" default:"*" sep:"," placeholder:"TYPE" help:"With --create: the event types (${default})."`
	Owner     string   `group:"create" placeholder:"ID" help:"With --create: whose endpoint it is."`
	Signature string   `group:"create" enum:",convoy,standard-webhooks" default:"" placeholder:"MODE" help:"With --create: convoy or standard-webhooks."`
	URL       string   `name:"url" group:"create" placeholder:"URL" help:"With --create: where the server reaches this receiver, if it is not the address that it listens on."`

	remote
}

// shutdownTimeout is how long webhooks that are being answered are waited for.
const shutdownTimeout = 5 * time.Second

// Validate checks what belongs together. The parser calls it.
func (c *listenCmd) Validate() error {
	for _, code := range c.Status {
		if code < 200 || code > 599 {
			return errors.New("--status must be 200 to 599")
		}
	}
	switch {
	case len(c.Status) == 0:
		return errors.New("--status must be 200 to 599")
	case c.Count < 0 || c.Delay < 0:
		return errors.New("--count and --delay must not be negative")
	case !c.Create && (c.Keep || c.Owner != "" || c.URL != "" || c.Signature != ""):
		return errors.New("--keep, --owner, --url and --signature go with --create")
	}
	if u, err := url.Parse(c.Forward); c.Forward != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("--forward must be a URL such as http://127.0.0.1:3000/hook")
	}
	return nil
}

// Run receives until a signal comes or --count is reached.
func (c *listenCmd) Run(s *session) error {
	versions, err := signatureVersions(c.SignedWith)
	if err != nil {
		return usageError{err}
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	defer l.Close()
	trust := trusted{secrets: c.Secret, header: c.SignatureHeader, versions: versions}
	if c.Create {
		r, err := c.register(s, l.Addr().(*net.TCPAddr))
		if err != nil {
			return err
		}
		defer r.end(s, c.Keep)
		trust = r.trusted(trust)
	}
	v, err := trust.verifier()
	if err != nil {
		return usageError{fmt.Errorf("--secret: %w", err)}
	}
	if err := s.say("Listening on http://%s/. Ctrl-C ends it.", l.Addr()); err != nil {
		return err
	}
	h := &hookHandler{session: s, cmd: c, verifier: v, full: make(chan struct{})}
	if err := h.serve(s.ctx, l); err != nil {
		return err
	}
	return h.verdict()
}

// serve answers requests until ctx is done or --count is reached, and returns when the
// last answer is out.
func (h *hookHandler) serve(ctx context.Context, l net.Listener) error {
	forward := &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: forwardTimeout}
	defer forward.CloseIdleConnections()
	h.forward = &http.Client{Transport: forward, Timeout: forwardTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case <-ctx.Done():
	case <-h.full:
	case err := <-failed:
		return err
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if server.Shutdown(limit) != nil {
		server.Close()
	}
	<-failed
	return nil
}

// trusted is what a webhook may be signed with.
type trusted struct {
	secrets  []string
	header   string
	versions []receiver.Version
}

// verifier accepts every format that the secrets allow; nil if there are no secrets.
func (t trusted) verifier() (*receiver.Verifier, error) {
	var o receiver.Options
	for _, secret := range t.secrets {
		if !strings.HasPrefix(secret, "whpk_") {
			if o.Convoy == nil {
				o.Convoy = &receiver.Convoy{Header: t.header, Versions: t.versions, Simple: true}
			}
			o.Convoy.Secrets = append(o.Convoy.Secrets, secret)
		}
		if strings.HasPrefix(secret, "whsec_") || strings.HasPrefix(secret, "whpk_") {
			if o.Standard == nil {
				o.Standard = &receiver.Standard{}
			}
			o.Standard.Secrets = append(o.Standard.Secrets, secret)
		}
	}
	if o.Convoy == nil && o.Standard == nil {
		return nil, nil
	}
	v, err := receiver.New(o)
	if err != nil && o.Convoy != nil && o.Standard != nil {
		o.Standard = nil // it looks like one of Standard Webhooks, and is another text
		return receiver.New(o)
	}
	return v, err
}

// signatureVersions reads HASH:ENCODING.
func signatureVersions(texts []string) ([]receiver.Version, error) {
	var versions []receiver.Version
	for _, text := range texts {
		hash, encoding, _ := strings.Cut(text, ":")
		if hash == "" || encoding != "hex" && encoding != "base64" {
			return nil, fmt.Errorf("--signed-with: want such as SHA256:hex or SHA512:base64, not %q", text)
		}
		versions = append(versions, receiver.Version{Hash: hash, Encoding: encoding})
	}
	return versions, nil
}
