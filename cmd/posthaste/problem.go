package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"syscall"

	"posthaste/client"
)

// errInterrupted: a signal ended the command.
var errInterrupted = errors.New("interrupted")

// advice is what to do about an error; "" where the error says it itself.
func advice(err error) string {
	var refused *client.Error
	var asked *url.Error
	switch {
	case errors.Is(err, errInterrupted):
		return ""
	case errors.As(err, &refused) && refused.Status == http.StatusUnauthorized:
		return "Give a key that is valid: in POSTHASTE_KEY, or with --key-file (the instance's is in data/instance.key)."
	case errors.As(err, &refused) && refused.Status/100 == 3:
		return "Give that address with --server or POSTHASTE_SERVER."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Nothing listens there. Start the server (posthaste serve), or say where it is with --server or POSTHASTE_SERVER."
	case errors.Is(err, context.DeadlineExceeded) && errors.As(err, &asked):
		return "Wait longer with --timeout, or look at the server's /healthz."
	case errors.Is(err, client.ErrAnswer):
		return "Is this posthaste's API? Say where it is with --server or POSTHASTE_SERVER."
	case errors.As(err, &asked):
		return "Say where the server is with --server or POSTHASTE_SERVER."
	}
	return ""
}
