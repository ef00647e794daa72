// Package catalog keeps what people configure: projects, endpoints, subscriptions,
// API keys and event types. Every write is validated, made durable by a
// compare-and-set on the store, with its secrets sealed, and then published as one
// immutable snapshot that any number of goroutines read without a lock, and as a
// feed of changes.
package catalog
