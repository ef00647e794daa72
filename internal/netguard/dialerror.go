package netguard

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
)

// DialError is a connection that was allowed and did not come about. It names
// the host that was asked for and never a resolved address. errors.Is finds the
// cause in it: syscall.ECONNREFUSED, context.DeadlineExceeded, net.ErrClosed.
type DialError struct {
	Addr string // host:port as it was asked for
	Err  error
}

func (e *DialError) Error() string { return "dial " + e.Addr + ": " + e.Err.Error() }

// Unwrap is the cause.
func (e *DialError) Unwrap() error { return e.Err }

// Timeout reports whether no answer came in time.
func (e *DialError) Timeout() bool {
	return errors.Is(e.Err, context.DeadlineExceeded) || errors.Is(e.Err, os.ErrDeadlineExceeded) ||
		errors.Is(e.Err, syscall.ETIMEDOUT)
}

// IsLocal reports whether err is this machine's fault and not the destination's:
// it ran out of file descriptors, ports, buffers or memory, or its proxy failed.
func IsLocal(err error) bool {
	var proxy *ProxyError
	if errors.As(err, &proxy) {
		return true
	}
	for _, fault := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM,
	} {
		if errors.Is(err, fault) {
			return true
		}
	}
	return false
}

// withoutAddress is the cause inside an error of package net, which would tell
// the address.
func withoutAddress(err error) error {
	var blocked *BlockError
	if errors.As(err, &blocked) {
		return blocked
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// dnsError rewrites an error of the resolver so that it tells neither the name
// server nor how it was reached; the original can still be unwrapped.
func dnsError(host string, err error) *net.DNSError {
	out := &net.DNSError{Name: host, UnwrapErr: err, Err: "the name server failed"}
	var dns *net.DNSError
	found := errors.As(err, &dns)
	switch {
	case errors.Is(err, context.DeadlineExceeded) || found && dns.IsTimeout:
		out.Err, out.IsTimeout = "no answer in time", true
	case found && dns.IsNotFound:
		out.Err, out.IsNotFound = "no such host", true
	}
	out.IsTemporary = !out.IsNotFound
	return out
}
