package retry

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// FuzzAfter: whatever a receiver asks for, the wait is within its bounds, and digits
// alone are seconds.
func FuzzAfter(f *testing.F) {
	for _, s := range []string{"30", " 0 ", "-5", "1e9", "", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "٣"} {
		f.Add(s)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		wait, ok := After(value, now)
		if wait < 0 || wait > maxAfter || !ok && wait != 0 {
			t.Fatalf("%q: %s, %v", value, wait, ok)
		}
		n, err := strconv.ParseUint(strings.Trim(value, " \t"), 10, 31)
		if err == nil && (!ok || wait != min(time.Duration(n)*time.Second, maxAfter)) {
			t.Fatalf("%q: %s, %v", value, wait, ok)
		}
	})
}
