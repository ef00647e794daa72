// Package event holds posthaste's nouns: projects, endpoints, subscriptions,
// events, deliveries and attempts, their ids, states, limits and errors. It
// does no I/O, starts no goroutine and imports none of the other packages.
package event
