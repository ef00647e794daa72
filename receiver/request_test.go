package receiver

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

func request(t testing.TB, content io.Reader) *http.Request {
	t.Helper()
	r := httptest.NewRequest("POST", "/hook", content)
	r.Header = convoyHeaders(t, true, []Version{sha256Hex}, secret)
	return r
}

func TestVerifyRequest(t *testing.T) {
	v := at(t, sentAt, Options{Convoy: &Convoy{Secrets: []string{secret}}})
	r := request(t, strings.NewReader(body))
	got, err := v.VerifyRequest(r)
	if err != nil || string(got) != body {
		t.Fatalf("got %q, %v", got, err)
	}
	if again, err := io.ReadAll(r.Body); err != nil || string(again) != body {
		t.Errorf("the body read again is %q, %v", again, err)
	}
	if got, err := v.VerifyRequest(request(t, strings.NewReader("{}"))); got != nil || !errors.Is(err, ErrSignature) {
		t.Errorf("another body: got %q, %v", got, err)
	}
	r = request(t, nil)
	r.Body = nil
	if _, err := v.VerifyRequest(r); !errors.Is(err, ErrSignature) {
		t.Errorf("no body: got %v", err)
	}
}

func TestVerifyRequestBound(t *testing.T) {
	f := func(bound int64, announced bool, want error) {
		t.Helper()
		v := at(t, sentAt, Options{Convoy: &Convoy{Secrets: []string{secret}}, MaxBodyBytes: bound})
		r := request(t, io.MultiReader(strings.NewReader(body))) // of a length that httptest does not know
		if announced {
			r = request(t, strings.NewReader(body))
		}
		if _, err := v.VerifyRequest(r); !errors.Is(err, want) {
			t.Errorf("bound %d, announced %v: got %v, want %v", bound, announced, err, want)
		}
	}
	for _, announced := range []bool{true, false} {
		f(int64(len(body)), announced, nil)
		f(int64(len(body))-1, announced, ErrTooLarge)
	}
	v := at(t, sentAt, Options{Convoy: &Convoy{Secrets: []string{secret}}})
	count := &counter{Reader: strings.NewReader(strings.Repeat("x", DefaultMaxBodyBytes+1000))}
	if _, err := v.VerifyRequest(request(t, count)); !errors.Is(err, ErrTooLarge) || count.n > DefaultMaxBodyBytes+1 {
		t.Errorf("default bound: got %v after %d bytes", err, count.n)
	}
}

type counter struct {
	io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func TestMiddleware(t *testing.T) {
	v := at(t, sentAt, Options{Convoy: &Convoy{Secrets: []string{secret}}, MaxBodyBytes: 100})
	served := ""
	h := v.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		served = string(b)
		w.WriteHeader(http.StatusNoContent)
	}))
	f := func(name string, r *http.Request, status int, text string) {
		t.Helper()
		served = ""
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status || !strings.Contains(w.Body.String(), text) || (served == body) != (status == http.StatusNoContent) {
			t.Errorf("%s: %d %q, the handler got %q", name, w.Code, w.Body, served)
		}
	}
	f("good", request(t, strings.NewReader(body)), 204, "")
	f("changed", request(t, strings.NewReader("{}")), 401, "does not match")
	f("large", request(t, strings.NewReader(strings.Repeat("x", 101))), 413, "100 bytes")
	f("unsigned", httptest.NewRequest("POST", "/", strings.NewReader(body)), 401, "no signature header X-Convoy-Signature")
	f("broken", request(t, iotest.ErrReader(errors.New("of the inside"))), 400, "could not be read\n")
	r := request(t, strings.NewReader(body))
	r.Header.Set("X-Convoy-Signature", "t=x,v1=y")
	f("malformed", r, 400, "malformed")
}

func TestMiddlewareTooOld(t *testing.T) {
	v := at(t, sentAt.AddDate(0, 0, 1), Options{Convoy: &Convoy{Secrets: []string{secret}}})
	w := httptest.NewRecorder()
	v.Middleware(http.NotFoundHandler()).ServeHTTP(w, request(t, strings.NewReader(body)))
	if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "outside the tolerance") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
