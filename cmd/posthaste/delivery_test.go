package main

import (
	"strings"
	"testing"

	"posthaste/client"
)

func TestTimingCells(t *testing.T) {
	for _, c := range []struct {
		timing *client.Timing
		want   string
	}{
		{nil, "|||||"},
		{&client.Timing{Wait: 12.34, Read: 0.004}, "||||12ms|"},
		{&client.Timing{Token: 1, DNS: 0.01, Connect: 2.5, TLS: 40, Wait: 1500, Read: 0.12}, "1ms|10µs|2.5ms|40ms|1.5s|120µs"},
	} {
		if got := strings.Join(timingCells(c.timing), "|"); got != c.want {
			t.Errorf("%+v: %s, want %s", c.timing, got, c.want)
		}
	}
}
