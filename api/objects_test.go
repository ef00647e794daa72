package api

import (
	"posthaste/event"
)

// readerKey is a key of the world's project that may only read.
func (w *world) readerKey() string {
	w.t.Helper()
	_, text, err := w.catalog.CreateKey(event.APIKey{Name: "reader", ProjectID: w.project, Scopes: event.ScopeRead})
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}
