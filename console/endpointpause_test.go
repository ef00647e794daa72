package console

import (
	"encoding/json"
	"testing"
	"time"
)

// TestLastStop: from the last pause to the change that ended it, whatever was before.
func TestLastStop(t *testing.T) {
	at := func(minute int) string {
		return time.Date(2026, 3, 4, 5, minute, 0, 0, time.UTC).Format(time.RFC3339)
	}
	for _, test := range []struct{ name, status, history, from, to string }{
		{"never stopped", "active", `[]`, "", ""},
		{"paused now", "paused", `[{"to":"paused","at":"` + at(1) + `"}]`, "", ""},
		{"was paused", "active", `[{"to":"paused","at":"` + at(1) + `"},{"to":"active","at":"` + at(2) + `"}]`, at(1), at(2)},
		{"was paused twice", "active", `[{"to":"paused","at":"` + at(1) + `"},{"to":"active","at":"` + at(2) + `"},{"to":"inactive","at":"` + at(3) + `"},{"to":"pending","at":"` + at(4) + `"},{"to":"active","at":"` + at(5) + `"}]`, at(3), at(5)},
		{"the pause is forgotten", "active", `[{"to":"active","at":"` + at(2) + `"}]`, "", ""},
	} {
		e := endpoint{Status: test.status}
		if err := json.Unmarshal([]byte(test.history), &e.StatusHistory); err != nil {
			t.Fatal(err)
		}
		from, to, some := e.lastStop()
		if some != (test.from != "") || some && (from.Format(time.RFC3339) != test.from || to.Format(time.RFC3339) != test.to) {
			t.Errorf("%s: from %v to %v, %v", test.name, from, to, some)
		}
	}
}
