// Package lifecycle is the contract by which everything that owns goroutines
// starts and stops, and a group that starts its stages in order and stops them
// in the reverse order.
//
// The contract is that of river's start/stop services: Start returns as soon as
// the service is up, Stop blocks until all of it is gone, and both may be called
// twice, in any order and from any goroutine. A service lives once: after Stop
// it does not start again.
package lifecycle
