package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

// fullDisk is a disk that is full: soft lets pass what gives space back.
func fullDisk(soft bool) func(*Options) {
	return func(o *Options) {
		o.Full = func(relief bool) error {
			if soft && relief {
				return nil
			}
			return &event.FullError{Reason: "no room", After: 10 * time.Second}
		}
	}
}

// TestAFullDiskRefusesChanges: every route that may change something is refused, with the
// reason, and every other is served.
func TestAFullDiskRefusesChanges(t *testing.T) {
	for _, soft := range []bool{true, false} {
		w := newWorld(t, fullDisk(soft))
		for _, rt := range routes {
			if rt.scope == ofPortal || rt.scope == ofNobody {
				continue
			}
			method, path, _ := strings.Cut(rt.pattern, " ")
			path = strings.ReplaceAll(path, "{projectID}", w.project.String())
			path = strings.NewReplacer("{", "", "}", "").Replace(path)
			a := w.do(method, path+"?groupId="+w.project.String(), "{}")
			want := storing(rt.pattern) && !(soft && slices.Contains(relieving, rt.pattern))
			if got := a.Code == http.StatusServiceUnavailable; got != want {
				t.Errorf("soft %v, %s: %d %s", soft, rt.pattern, a.Code, a.Message)
			}
			if want && (a.Message != "no room" || !strings.Contains(a.body, `"reason":"disk_full"`) || a.header.Get("Retry-After") != "10") {
				t.Errorf("%s: %s, Retry-After %q", rt.pattern, a.body, a.header.Get("Retry-After"))
			}
		}
	}
}

// TestAFullDiskTellsStrangersNothing: who may not do something hears that first.
func TestAFullDiskTellsStrangersNothing(t *testing.T) {
	w := newWorld(t, fullDisk(true))
	w.want(w.do("POST", w.in("/endpoints"), "{}", "Authorization", "Bearer nobody"), http.StatusUnauthorized, errBadKey.message)
	if a := w.do("POST", w.in("/endpoints"), "{}", "Authorization", "Bearer "+w.readerKey()); a.Code != http.StatusForbidden {
		t.Errorf("%d %s", a.Code, a.Message)
	}
}

// TestWhatStores: the routes that are named as exceptions exist, and none that changes
// something is taken for one that does not.
func TestWhatStores(t *testing.T) {
	patterns := routePatterns()
	for _, pattern := range slices.Concat(asking, relieving) {
		if !slices.Contains(patterns, pattern) {
			t.Errorf("there is no route %q", pattern)
		}
	}
	reading := 0
	for _, pattern := range patterns {
		if !storing(pattern) && !strings.HasPrefix(pattern, "GET ") {
			reading++
			if scopeFor(pattern) != event.ScopeRead && !slices.Contains(asking, pattern) {
				t.Errorf("%s needs more than the right to read, and is taken for one that stores nothing", pattern)
			}
		}
	}
	if reading < len(asking)+len(readersPosts) {
		t.Errorf("%d routes store nothing though they are no GET", reading)
	}
}
