package catalog

import (
	"testing"
	"time"

	"posthaste/event"
)

func TestLiveSecrets(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *time.Time { end := now.Add(d); return &end }
	secret := func(value string, end *time.Time) event.Secret { return event.Secret{Value: value, ExpiresAt: end} }
	for name, c := range map[string]struct {
		secrets []event.Secret
		want    string
		until   time.Duration // from now; 0: never
	}{
		"one":                {[]event.Secret{secret("a", nil)}, "a", 0},
		"two":                {[]event.Secret{secret("a", at(time.Hour)), secret("b", nil)}, "a b", time.Hour},
		"the first end":      {[]event.Secret{secret("a", at(3)), secret("b", at(2)), secret("c", nil)}, "a b c", 2},
		"ended now":          {[]event.Secret{secret("a", at(0)), secret("b", nil)}, "b", 0},
		"deleted":            {[]event.Secret{{Value: "a", DeletedAt: at(-1)}, secret("b", nil)}, "b", 0},
		"all ended: newest":  {[]event.Secret{secret("a", at(-2)), secret("b", at(-1))}, "b", 0},
		"there is no secret": {nil, "", 0},
	} {
		values, until := liveSecrets(c.secrets, now)
		got := ""
		for i, v := range values {
			if i > 0 {
				got += " "
			}
			got += v
		}
		want := time.Time{}
		if c.until != 0 {
			want = now.Add(c.until)
		}
		if got != c.want || !until.Equal(want) {
			t.Errorf("%s: %q until %s, want %q until %s", name, got, until, c.want, want)
		}
	}
}
