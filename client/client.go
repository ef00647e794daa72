package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The defaults and bounds of Options.
const (
	DefaultTimeout        = 30 * time.Second
	DefaultTries          = 4
	DefaultMaxWait        = time.Minute
	DefaultMaxAnswerBytes = 256 << 20

	dialTimeout = 5 * time.Second
)

// ErrOptions is wrapped by the errors of New.
var ErrOptions = errors.New("client options")

// Options says where the server is and how to behave towards it.
type Options struct {
	// BaseURL is the server's, as http://127.0.0.1:5005; a path in it is kept. It
	// holds no key.
	BaseURL string
	// Key is sent with every request; "" sends none.
	Key string
	// Timeout bounds one try of a request, its answer included. 0 is DefaultTimeout.
	Timeout time.Duration
	// Tries is how often a request that may be repeated is sent at most. 0 is
	// DefaultTries, 1 is never again.
	Tries int
	// MaxWait is the longest pause between two tries. A server that asks for a longer
	// one is not asked again. 0 is DefaultMaxWait.
	MaxWait time.Duration
	// MaxAnswerBytes bounds an answer; a larger one is an error. 0 is
	// DefaultMaxAnswerBytes.
	MaxAnswerBytes int64
	// UserAgent names the program that asks; "" is "posthaste-client".
	UserAgent string
	// Transport sends the requests; nil is one of the client's own.
	Transport http.RoundTripper
	// Wait returns after d, or with ctx's error if that comes first; nil is a timer.
	Wait func(ctx context.Context, d time.Duration) error
}

// Client sends requests to one server. Any number of goroutines may use one.
type Client struct {
	o    Options
	base string // without a slash at its end
	http *http.Client
}

// New makes a Client. It asks the server nothing yet.
func New(o Options) (*Client, error) {
	base, err := checkBase(o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if strings.ContainsFunc(o.Key, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, fmt.Errorf("%w: the key has a character that no key has, such as a space or a line's end", ErrOptions)
	}
	o.ensureDefaults()
	return &Client{o: o, base: base, http: &http.Client{Transport: o.Transport, CheckRedirect: stay}}, nil
}

func (o *Options) ensureDefaults() {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Tries <= 0 {
		o.Tries = DefaultTries
	}
	if o.MaxWait <= 0 {
		o.MaxWait = DefaultMaxWait
	}
	if o.MaxAnswerBytes <= 0 {
		o.MaxAnswerBytes = DefaultMaxAnswerBytes
	}
	if o.UserAgent == "" {
		o.UserAgent = "posthaste-client"
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
}

// Close closes connections that nobody uses.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// BaseURL is the server's, as it was given.
func (c *Client) BaseURL() string { return c.base }

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       time.Minute,
		ForceAttemptHTTP2:     true,
		ExpectContinueTimeout: time.Second,
	}
}

// stay follows no redirect: a POST would become a GET, and a key would go elsewhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func checkBase(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("the server must be a URL such as http://127.0.0.1:5005")
	case u.User != nil:
		return "", errors.New("the server's URL must hold no name or password")
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("the server's URL must end with its path")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
