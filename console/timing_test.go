package console

import (
	"fmt"
	"strings"
	"testing"
)

func TestSpans(t *testing.T) {
	for _, c := range []struct {
		name   string
		timing *timing
		want   string
	}{
		{"not known", nil, ""},
		{"nothing to speak of", &timing{Wait: 0.02}, ""},
		{"over a connection that was open", &timing{Wait: 9, Read: 1}, "wait 9 at 0 to 900, read 1 at 900 to 1000"},
		{"less than is told of", &timing{DNS: 0.01, Connect: 1, Wait: 8.98, Read: 0.01}, "connect 1 at 1 to 101, wait 8.98 at 101 to 999"},
		{"all", &timing{1, 2, 3, 4, 5, 5}, "token 1 at 0 to 50, dns 2 at 50 to 150, connect 3 at 150 to 300, tls 4 at 300 to 500, wait 5 at 500 to 750, read 5 at 750 to 1000"},
	} {
		var got []string
		for _, s := range (attempt{Timing: c.timing}).Spans() {
			got = append(got, fmt.Sprintf("%s %v at %.0f to %.0f", s.Class, s.MS, s.X, s.X+s.W))
		}
		if got := strings.Join(got, ", "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestReused(t *testing.T) {
	for name, c := range map[string]struct {
		a    attempt
		want bool
	}{
		"not known":   {attempt{IPAddress: "192.0.2.1"}, false},
		"a new one":   {attempt{IPAddress: "192.0.2.1", Timing: &timing{Connect: 1, Wait: 1}}, false},
		"an open one": {attempt{IPAddress: "192.0.2.1", Timing: &timing{Wait: 1}}, true},
		"none at all": {attempt{Timing: &timing{DNS: 1}}, false},
	} {
		if got := c.a.Reused(); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
