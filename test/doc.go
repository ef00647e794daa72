// Package test drives the real binary over real sockets: end to end, and
// through kill -9 at random moments.
package test
