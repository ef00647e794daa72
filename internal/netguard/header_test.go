package netguard

import (
	"errors"
	"testing"
)

func TestCheckHeader(t *testing.T) {
	cases := []struct {
		name, value string
		want        bool
	}{
		{"X-A", "ok", true}, {"X-A", "", true}, {"X-A", "a\tb", true}, {"X-A", "é", true},
		{"Authorization", "Bearer x", true}, {"User-Agent", "mine", true}, {"Hostname", "x", true},
		{"X-A", "a\r\nb", false}, {"X-A", "a\nb", false}, {"X-A", "a\x00b", false}, {"X-A", "a\x7f", false},
		{"", "x", false}, {"X A", "x", false}, {"X:A", "x", false}, {"X\r\n", "x", false}, {"é", "x", false},
		{"Host", "x", false}, {"hOST", "x", false}, {"Content-Length", "1", false},
		{"Transfer-Encoding", "chunked", false}, {"Connection", "close", false}, {"Keep-Alive", "x", false},
		{"Expect", "100-continue", false}, {"TE", "trailers", false}, {"Trailer", "x", false},
		{"Upgrade", "h2c", false}, {"HTTP2-Settings", "x", false}, {"Cookie", "a=b", false},
		{"webhook-id", "x", false}, {"Webhook-Signature", "x", false}, {"Proxy-Authorization", "x", false},
	}
	for _, c := range cases {
		err := CheckHeader(c.name, c.value)
		if (err == nil) != c.want {
			t.Errorf("%q: %q: %v, want allowed = %v", c.name, c.value, err, c.want)
		}
		var refused *HeaderError
		if err != nil && (!errors.As(err, &refused) || refused.Name != c.name) {
			t.Errorf("%q: %v is not a HeaderError of that name", c.name, err)
		}
	}
}
