// Package transform runs a subscription's function over an event's data.
package transform
