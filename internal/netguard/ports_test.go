package netguard

import "testing"

func TestPortRange(t *testing.T) {
	for text, want := range map[string]PortRange{"443": {443, 443}, "1-65535": {1, 65535}, "8000-8999": {8000, 8999}} {
		var got PortRange
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want || got.String() != text {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "-", "443-", "-443", "9-8", "65536", "http", "1-2-3", "+1", " 1"} {
		var got PortRange
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken as %v", text, got)
		}
	}
}
