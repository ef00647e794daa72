package oauth

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// ask gets a token, within Options.Timeout. A token endpoint that does not know the
// client by a secret in the body is asked with one in the header, or the other way
// about.
func (t *Tokens) ask(ctx context.Context, s *source) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, t.options.Timeout)
	defer cancel()
	token, err := t.askOnce(ctx, s, s.basic)
	var r *refusal
	if s.signer != nil || !errors.As(err, &r) || !r.client() {
		return token, err
	}
	other, otherErr := t.askOnce(ctx, s, !s.basic)
	if otherErr != nil {
		return token, err
	}
	s.basic = !s.basic
	return other, nil
}

// askOnce makes one request.
func (t *Tokens) askOnce(ctx context.Context, s *source, basic bool) (Token, error) {
	asked := time.Now()
	form, err := s.form(basic, asked)
	if err != nil {
		return Token{}, err
	}
	status, body, err := t.post(ctx, s, form, basic)
	switch {
	case err != nil && ctx.Err() != nil:
		return Token{}, errNotInTime
	case err != nil:
		return Token{}, fmt.Errorf("ask the token endpoint: %w", err)
	case status < 200 || status > 299:
		return Token{}, parseRefusal(status, body, s.hide(form))
	}
	return parseToken(body, s.cfg, asked)
}

// form is what the token endpoint is asked.
func (s *source) form(basic bool, now time.Time) (url.Values, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if s.cfg.Scope != "" {
		form.Set("scope", s.cfg.Scope)
	}
	if s.signer != nil {
		text, err := assertion(s.cfg, s.signer, now)
		form.Set("client_id", s.cfg.ClientID)
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", text)
		return form, err
	}
	if s.cfg.Audience != "" {
		form.Set("audience", s.cfg.Audience)
	}
	if !basic {
		form.Set("client_id", s.cfg.ClientID)
		form.Set("client_secret", s.cfg.ClientSecret)
	}
	return form, nil
}

// post sends a form and reads the answer, which is bounded.
func (t *Tokens) post(ctx context.Context, s *source, form url.Values, basic bool) (status int, body []byte, err error) {
	text := []byte(form.Encode())
	req := (&http.Request{
		Method: http.MethodPost, URL: s.url, Host: s.url.Host, Header: make(http.Header),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(text)), ContentLength: int64(len(text)),
	}).WithContext(ctx)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if t.options.UserAgent != "" {
		req.Header.Set("User-Agent", t.options.UserAgent)
	}
	if basic {
		req.Header.Set("Authorization", s.basicHeader())
	}
	resp, err := t.options.Transport.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, MaxAnswerBytes+1))
	if err == nil && len(body) > MaxAnswerBytes {
		err = errors.New("its answer is larger than 64 KiB")
	}
	return resp.StatusCode, body, err
}

// basicHeader is HTTP Basic as RFC 6749 section 2.3.1 wants it: both parts encoded
// like members of a form.
func (s *source) basicHeader() string {
	pair := url.QueryEscape(s.cfg.ClientID) + ":" + url.QueryEscape(s.cfg.ClientSecret)
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

// hide takes what proves the client's identity out of words that a peer may have
// made of its request.
func (s *source) hide(form url.Values) *strings.Replacer {
	const masked = "********"
	var pairs []string
	for _, secret := range []string{s.cfg.ClientSecret, url.QueryEscape(s.cfg.ClientSecret), form.Get("client_assertion")} {
		if secret != "" {
			pairs = append(pairs, secret, masked)
		}
	}
	if s.cfg.ClientSecret != "" {
		pairs = append(pairs, strings.TrimPrefix(s.basicHeader(), "Basic "), masked)
	}
	return strings.NewReplacer(pairs...)
}
