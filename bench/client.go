package bench

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Client calls the management API of a Convoy-compatible server. Any goroutine
// may use it.
type Client struct {
	base string
	key  string
	http *http.Client

	headers          []Header // of every request
	endpointSettings object   // further members of every endpoint that is made
}

// StatusError is an answer other than 2xx.
type StatusError struct {
	Op      string // method and path
	Code    int
	Message string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: status %d: %s", e.Op, e.Code, e.Message)
}

// NewClient makes a client for the server at base (scheme and host) that
// authorizes with key.
func NewClient(base, key string) *Client {
	return &Client{
		base: strings.TrimSuffix(base, "/") + "/api/v1",
		key:  key,
		http: &http.Client{Transport: new(http.Transport), Timeout: 30 * time.Second},
	}
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// object is a JSON object of a request.
type object map[string]any

// retryStrategy is short, so that what failed is tried again within seconds.
var retryStrategy = object{"type": "exponential", "duration": 1, "retry_count": 10}

// CreateProject makes an outgoing project that signs with HMAC-SHA256 in hex and
// returns its id and its API key.
func (c *Client) CreateProject(ctx context.Context, name string) (id, key string, err error) {
	return c.createProject(ctx, name, retryStrategy)
}

// createProject is CreateProject with a retry strategy.
func (c *Client) createProject(ctx context.Context, name string, strategy object) (id, key string, err error) {
	in := object{"name": name, "type": "outgoing", "config": object{
		"strategy":  strategy,
		"signature": object{"header": SignatureHeader, "versions": []object{{"hash": "SHA256", "encoding": "hex"}}},
	}}
	var out struct {
		Project struct{ UID string }
		APIKey  struct{ Key string } `json:"api_key"`
	}
	if err := c.do(ctx, http.MethodPost, "/projects", in, &out); err != nil {
		return "", "", err
	}
	if out.Project.UID == "" || out.APIKey.Key == "" {
		return "", "", fmt.Errorf("POST /projects: the answer lacks data.project.uid or data.api_key.key")
	}
	return out.Project.UID, out.APIKey.Key, nil
}

// NewEndpoint says what endpoint to make.
type NewEndpoint struct {
	Name, URL, Secret string
	OwnerID           string // optional
	RateLimit         int    // deliveries in RateLimitSeconds; 0: no limit
	RateLimitSeconds  int
}

// MadeEndpoint is an endpoint and its subscription, by their ids. One that is
// empty was not made, or the server did not tell it.
type MadeEndpoint struct{ ID, SubscriptionID string }

// CreateEndpoint makes an endpoint without a rate limit and a subscription of it
// to every event type, and returns the endpoint's id.
func (c *Client) CreateEndpoint(ctx context.Context, project, name, url, secret string) (string, error) {
	made, err := c.MakeEndpoint(ctx, project, NewEndpoint{Name: name, URL: url, Secret: secret})
	return made.ID, err
}

// MakeEndpoint is CreateEndpoint that can do more. With an error it returns what
// it has made until then.
func (c *Client) MakeEndpoint(ctx context.Context, project string, e NewEndpoint) (made MadeEndpoint, err error) {
	root := "/projects/" + project
	in := endpointObject(e)
	if e.OwnerID != "" {
		in["owner_id"] = e.OwnerID
	}
	maps.Copy(in, c.endpointSettings)
	var out struct{ UID string }
	if err := c.do(ctx, http.MethodPost, root+"/endpoints", in, &out); err != nil {
		return made, err
	}
	if out.UID == "" {
		return made, fmt.Errorf("POST %s/endpoints: the answer lacks data.uid", root)
	}
	made.ID = out.UID
	in = object{"name": e.Name, "endpoint_id": made.ID, "filter_config": object{"event_types": []string{"*"}}}
	out.UID = ""
	err = c.do(ctx, http.MethodPost, root+"/subscriptions", in, &out)
	made.SubscriptionID = out.UID
	return made, err
}

// moveEndpoint gives an endpoint another URL. name and secret are what they were.
func (c *Client) moveEndpoint(ctx context.Context, project, id, name, url, secret string) error {
	return c.do(ctx, http.MethodPut, "/projects/"+project+"/endpoints/"+id, endpointObject(NewEndpoint{Name: name, URL: url, Secret: secret}), nil)
}

func endpointObject(e NewEndpoint) object {
	return object{"name": e.Name, "url": e.URL, "secret": e.Secret, "advanced_signatures": true,
		"rate_limit": e.RateLimit, "rate_limit_duration": cmp.Or(e.RateLimitSeconds, 60)}
}

// RemoveEndpoint deletes what MakeEndpoint has made. What is gone already is no
// error.
func (c *Client) RemoveEndpoint(ctx context.Context, project string, made MadeEndpoint) error {
	root := "/projects/" + project
	var errs []error
	if made.SubscriptionID != "" {
		errs = append(errs, c.delete(ctx, root+"/subscriptions/"+made.SubscriptionID))
	}
	if made.ID != "" {
		errs = append(errs, c.delete(ctx, root+"/endpoints/"+made.ID))
	}
	return errors.Join(errs...)
}

func (c *Client) delete(ctx context.Context, path string) error {
	err := c.do(ctx, http.MethodDelete, path, nil, nil)
	if status := (*StatusError)(nil); errors.As(err, &status) && status.Code == http.StatusNotFound {
		return nil
	}
	return err
}

// HasBatch reports whether the server knows the batch route, by sending it an
// empty batch.
func (c *Client) HasBatch(ctx context.Context, project string) (bool, error) {
	return c.hasRoute(ctx, "/projects/"+project+"/events/batch", "application/x-ndjson", "")
}

// HasFanout reports whether the server knows the fan-out route, by sending it an
// event that lacks everything.
func (c *Client) HasFanout(ctx context.Context, project string) (bool, error) {
	return c.hasRoute(ctx, "/projects/"+project+"/events/fanout", "application/json", "{}")
}

func (c *Client) hasRoute(ctx context.Context, path, contentType, body string) (bool, error) {
	resp, err := c.send(ctx, http.MethodPost, path, contentType, []byte(body))
	if err != nil {
		return false, err
	}
	known := resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed
	return known, resp.Body.Close()
}

// do sends in as JSON and reads the answer's data into out; nil means none.
func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	resp, err := c.send(ctx, method, path, "application/json", body)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	_ = resp.Body.Close()
	if err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return readEnvelope(method+" "+path, resp.StatusCode, text, out)
}

func (c *Client) send(ctx context.Context, method, path, contentType string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Content-Type", contentType)
	for _, h := range c.headers {
		req.Header.Set(h.Name, h.Value)
	}
	return c.http.Do(req)
}

// readEnvelope takes Convoy's {"status","message","data"} apart. Where out is nil
// a body of any form will do, and an empty one leaves out as it is.
func readEnvelope(op string, code int, text []byte, out any) error {
	var envelope struct {
		Message string
		Data    json.RawMessage
	}
	err := json.Unmarshal(text, &envelope)
	if code/100 != 2 {
		if envelope.Message == "" {
			envelope.Message = string(text[:min(len(text), 300)])
		}
		return &StatusError{Op: op, Code: code, Message: envelope.Message}
	}
	if out == nil || len(text) == 0 {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(envelope.Data, out)
	}
	if err != nil {
		return fmt.Errorf("%s: the answer is not what Convoy's is: %w", op, err)
	}
	return nil
}
