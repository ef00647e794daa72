package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// ErrAnswer is wrapped by errors about an answer that is none of this API.
var ErrAnswer = errors.New("the answer is not one of posthaste's API")

// Request is one call of the API.
type Request struct {
	Method string
	Path   string // behind the base, each part of it escaped, as by Scope.Path
	Query  url.Values
	// Body is nil for none, []byte or json.RawMessage to be sent as it is, or else what
	// is written as JSON.
	Body any
	// ContentType is the body's; "" is application/json.
	ContentType string
	// Again says that the request may be repeated after a 429 or 503: it does the same
	// the second time, or carries an idempotency key.
	Again bool
}

// Answer is a successful answer.
type Answer struct {
	Status    int
	Message   string
	Data      json.RawMessage // nil if the answer is no envelope
	Location  string          // of what came of the request, as a path; "" for none
	RequestID string
	Body      []byte // the whole answer
}

// Into decodes the answer's data.
func (a *Answer) Into(v any) error {
	if err := json.Unmarshal(a.Data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return nil
}

// Do sends a request. It repeats one that may be, see Request.Again, as often as
// Options.Tries and as patiently as the answer's Retry-After says. An answer other than
// success is an *Error.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	body, err := encode(r.Body)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		a, err := c.once(ctx, r, body)
		pause, again := c.again(r, err, try)
		if !again {
			return a, err
		}
		if stopped := c.o.Wait(ctx, pause); stopped != nil {
			return nil, fmt.Errorf("%w, while waiting after: %w", stopped, err)
		}
	}
}

func encode(body any) ([]byte, error) {
	switch b := body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return b, nil
	case json.RawMessage:
		return b, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// once sends the request a single time.
func (c *Client) once(ctx context.Context, r Request, body []byte) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	req, err := c.build(ctx, r, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, c.o.MaxAnswerBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s %s: read the answer: %w", r.Method, req.URL, err)
	}
	if int64(len(text)) > c.o.MaxAnswerBytes {
		return nil, fmt.Errorf("%s %s: the answer is larger than %d bytes; ask for less at a time", r.Method, req.URL, c.o.MaxAnswerBytes)
	}
	return read(resp, text)
}

func (c *Client) build(ctx context.Context, r Request, body []byte) (*http.Request, error) {
	target := c.base + r.Path
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.o.UserAgent)
	req.Header.Set("Accept", "application/json")
	if c.o.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.o.Key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.ContentType != "" {
		req.Header.Set("Content-Type", r.ContentType)
	}
	return req, nil
}

// envelope is what answers are wrapped in.
type envelope struct {
	Message *string         `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// read makes an Answer or an Error of a response.
func read(resp *http.Response, text []byte) (*Answer, error) {
	var e envelope
	wrapped := json.Unmarshal(text, &e) == nil && e.Message != nil
	if resp.StatusCode/100 != 2 {
		return nil, newError(resp, text, e)
	}
	a := &Answer{Status: resp.StatusCode, Location: resp.Header.Get("Location"), RequestID: resp.Header.Get(requestIDHeader), Body: text}
	if wrapped {
		a.Message, a.Data = *e.Message, e.Data
	}
	return a, nil
}
