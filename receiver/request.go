package receiver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// VerifyRequest reads the body, at most Options.MaxBodyBytes of it, verifies the
// request, and returns the body. Afterwards r.Body is at its start again, for a
// handler that reads it there.
//
// An error is one of Verify's, ErrTooLarge, or that of reading, wrapped; see
// Status. The body is nil then.
func (v *Verifier) VerifyRequest(r *http.Request) (body []byte, err error) {
	if r.Body == nil {
		r.Body = http.NoBody // as a request that a client makes has it
	}
	if r.ContentLength > v.maxBodyBytes {
		return nil, v.tooLarge()
	}
	body, err = io.ReadAll(http.MaxBytesReader(nil, r.Body, v.maxBodyBytes))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, v.tooLarge()
	}
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if err := v.Verify(r.Header, body); err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

func (v *Verifier) tooLarge() error {
	return fmt.Errorf("%w: the bound is %d bytes", ErrTooLarge, v.maxBodyBytes)
}

// Middleware passes on to next what VerifyRequest accepts. Other requests are
// answered with their Status and one line of text, and next does not see them.
func (v *Verifier) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := v.VerifyRequest(r); err != nil {
			status := Status(err)
			http.Error(w, http.StatusText(status)+": "+reason(err), status)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Status is the HTTP status to answer a refused request with: 413 for ErrTooLarge,
// 401 for what is not signed, wrongly signed or not in time, and 400 for what is
// malformed or could not be read. After each of them posthaste tries again, unless
// its project says otherwise: a receiver whose options were wrong gets its events
// once they are right.
func Status(err error) int {
	switch {
	case errors.Is(err, ErrTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrUnsigned), errors.Is(err, ErrSignature), errors.Is(err, ErrTimestamp):
		return http.StatusUnauthorized
	}
	return http.StatusBadRequest
}

// reason is what the sender may know: of an error in reading, nothing.
func reason(err error) string {
	for _, known := range []error{ErrUnsigned, ErrHeader, ErrSignature, ErrTimestamp, ErrTooLarge} {
		if errors.Is(err, known) {
			return err.Error()
		}
	}
	return "the body could not be read"
}
