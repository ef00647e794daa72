package api

import (
	"strings"
	"testing"

	"posthaste/event"
)

// TestSystem: the instance's keys are told how the server is, others are not, and a server
// that cannot say so says that.
func TestSystem(t *testing.T) {
	w := newWorld(t)
	w.want(w.do("GET", "/api/v1/system", ""), 501, "this server does not tell of itself")

	w = newWorld(t, func(o *Options) {
		o.System = func() System {
			return System{Version: "1.2.3", StartedAt: epoch, Disk: SystemDisk{State: "soft", Reason: "full", FreeBytes: 7},
				Settings: []SystemSetting{{"data", "./data"}}}
		}
		o.Sealing = func() event.Sealing { return event.Sealing{KeyID: "k1", Running: true, Left: 3} }
	})
	a := w.do("GET", "/api/v1/system", "")
	w.want(a, 200, "System fetched successfully")
	for path, want := range map[string]any{"disk.reason": "full", "secrets.key_id": "k1", "version": "1.2.3", "disk.free_bytes": 7.0} {
		if got := a.field(strings.Split(path, ".")...); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	p := w.do("GET", "/api/v1/system", "", "Authorization", "Bearer "+w.key)
	w.want(p, 403, "this needs the instance's key; a project's key reaches its own project only")
}
