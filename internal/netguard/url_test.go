package netguard

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// hostile are the rows of URLs that must be refused, with the code of each.
var hostile = []struct {
	url  string
	code Code
}{
	{"http://127.0.0.1/", CodeBlockedAddress},
	{"http://127.8.9.1", CodeBlockedAddress},
	{"http://10.0.0.1/", CodeBlockedAddress},
	{"http://172.16.3.4/", CodeBlockedAddress},
	{"http://192.168.0.1/", CodeBlockedAddress},
	{"http://169.254.169.254/latest/meta-data", CodeBlockedAddress},
	{"http://[fd00:ec2::254]/", CodeBlockedAddress},
	{"http://[::1]/", CodeBlockedAddress},
	{"http://[::]/", CodeBlockedAddress},
	{"http://[fe80::1%25eth0]/", CodeZone},
	{"http://[fe80::1%eth0]/", CodeZone},
	{"http://[::ffff:127.0.0.1]/", CodeBlockedAddress},
	{"http://[64:ff9b::7f00:1]/", CodeBlockedAddress},
	{"http://[64:ff9b:1::7f00:1]/", CodeBlockedAddress},
	{"http://[2002:7f00:1::]/", CodeBlockedAddress},
	{"http://[2001:0:7f00:1::]/", CodeBlockedAddress},
	{"http://[::127.0.0.1]/", CodeBlockedAddress},
	{"http://0/", CodeNumericHost},
	{"http://0.0.0.0/", CodeBlockedAddress},
	{"http://0.1.2.3/", CodeBlockedAddress},
	{"http://100.64.0.1/", CodeBlockedAddress},
	{"http://198.18.0.1/", CodeBlockedAddress},
	{"http://192.0.0.8/", CodeBlockedAddress},
	{"http://240.0.0.1/", CodeBlockedAddress},
	{"http://224.0.0.1/", CodeBlockedAddress},
	{"http://255.255.255.255/", CodeBlockedAddress},
	{"http://2130706433/", CodeNumericHost},
	{"http://0x7f000001/", CodeNumericHost},
	{"http://0X7F.0.0.1/", CodeNumericHost},
	{"http://127.0.0.0x1/", CodeNumericHost},
	{"http://0177.0.0.1/", CodeNumericHost},
	{"http://127.1/", CodeNumericHost},
	{"http://127.0.0.1./", CodeBlockedAddress},
	{"http://example.123/", CodeNumericHost},
	{"http://①②⑦.⓪.⓪.①/", CodeBlockedAddress},
	{"http://127。0。0。1/", CodeBlockedAddress},
	{"http://ℓocalhost/", CodePrivateName},
	{"http://localhost./", CodePrivateName},
	{"http://LOCALHOST/", CodePrivateName},
	{"http://a.localhost/", CodePrivateName},
	{"http://printer.local/", CodePrivateName},
	{"http://metadata.google.internal/", CodePrivateName},
	{"http://receiver/", CodePrivateName},
	{"https://user:pass@example.com/", CodeUserinfo},
	{"https://user@example.com/", CodeUserinfo},
	{"https://@example.com/", CodeUserinfo},
	{"file:///etc/passwd", CodeScheme},
	{"gopher://example.com/", CodeScheme},
	{"ftp://example.com/", CodeScheme},
	{"http+unix://%2Frun%2Fx/", CodeScheme},
	{"unix:/run/x", CodeScheme},
	{"javascript:alert(1)", CodeScheme},
	{"//example.com/x", CodeScheme},
	{"example.com/x", CodeScheme},
	{"http", CodeScheme},
	{"http:/example.com/x", CodeNoHost},
	{"http:example.com", CodeNoHost},
	{"http:///p", CodeNoHost},
	{"http://:80/", CodeNoHost},
	{"http://?q", CodeNoHost},
	{"", CodeNoHost},
	{"http://example.com:99999/", CodePort},
	{"http://example.com:65536/", CodePort},
	{"http://example.com:0/", CodePort},
	{"http://example.com:/", CodePort},
	{"http://example.com:80:80/", CodePort},
	{"http://example.com:+80/", CodePort},
	{"http://example.com:http/", CodePort},
	{"http://[2606:4700::1]:/", CodePort},
	{"http://example.com:6379/", CodeBlockedPort},
	{"http://example.com:25/", CodeBlockedPort},
	{"http://example.com:22/", CodeBlockedPort},
	{"http://8.8.8.8:22/", CodeBlockedPort},
	{"http://evil\\@example.com/", CodeUserinfo},
	{"http://evil\\.example.com/", CodeHost},
	{"http://example.com#@x", CodeFragment},
	{"http://example.com/#", CodeFragment},
	{"http://example.com/a#b", CodeFragment},
	{"http://a b/", CodeSyntax},
	{"http://127.0.0.1%00.example.com/", CodeHost},
	{"http://example%2ecom/", CodeHost},
	{"http://example.com\r\n/", CodeSyntax},
	{"http://example.com/a\nb", CodeSyntax},
	{"http://example.com/\x00", CodeSyntax},
	{"http://example.com/\x7f", CodeSyntax},
	{" http://example.com/", CodeSyntax},
	{"http://example.com/ ", CodeSyntax},
	{"http://example.com/%zz", CodeSyntax},
	{"http://example.com/?a=%4", CodeSyntax},
	{"http://a..example.com/", CodeHost},
	{"http://.example.com/", CodeHost},
	{"http://example.com../", CodeHost},
	{"http://-a.example.com/", CodeHost},
	{"http://a-.example.com/", CodeHost},
	{"http://ex_ample.com/", CodeHost},
	{"http://xn--a.example.com/", CodeHost},
	{"http://a*b.example.com/", CodeHost},
	{"http://[1.2.3.4]/", CodeSyntax},
	{"http://[::1/", CodeHost},
	{"http://[2606:4700::1]x/", CodeHost},
	{"http://[example.com]/", CodeSyntax},
	{"https://example.com/" + strings.Repeat("a", 2029), CodeTooLong},
	{"https://example.com/" + strings.Repeat("é", 700), CodeTooLong},
	{"https://" + strings.Repeat("a", 64) + ".example.com/", CodeHost},
	{"https://" + strings.Repeat("abcdefg.", 31) + "abcdef/", CodeHost},
}

func TestHostileURLsAreRefused(t *testing.T) {
	p := &Policy{AllowHTTP: true}
	for _, c := range hostile {
		got, err := p.CanonicalURL(c.url)
		var refused *URLError
		if !errors.As(err, &refused) {
			t.Errorf("%q: %q, %v: want code %s", c.url, got, err, c.code)
			continue
		}
		if refused.Code != c.code {
			t.Errorf("%q: code %s (%s), want %s", c.url, refused.Code, refused.Reason, c.code)
		}
		blocked := c.code == CodeBlockedAddress || c.code == CodeBlockedPort || c.code == CodePrivateName
		if errors.Is(err, ErrBlocked) != blocked {
			t.Errorf("%q: errors.Is ErrBlocked = %v", c.url, !blocked)
		}
	}
}

func TestCanonicalURL(t *testing.T) {
	cases := []struct{ in, want string }{
		{"https://example.com", "https://example.com/"},
		{"HTTPS://EXAMPLE.com/Path?Q=V", "https://example.com/Path?Q=V"},
		{"https://example.com./", "https://example.com/"},
		{"https://example.com?a=1", "https://example.com/?a=1"},
		{"https://example.com/?", "https://example.com/"},
		{"https://example.com:443/", "https://example.com/"},
		{"https://example.com:0443/", "https://example.com/"},
		{"https://example.com:80/", "https://example.com:80/"},
		{"http://example.com:80/", "http://example.com/"},
		{"https://example.com:8443/x", "https://example.com:8443/x"},
		{"https://bücher.example/ü?ü=1", "https://xn--bcher-kva.example/%C3%BC?%C3%BC=1"},
		{"https://faß.example/", "https://xn--fa-hia.example/"},
		{"https://qa--site.example.com/", "https://qa--site.example.com/"},
		{"https://example.com/..%2f..%2fadmin", "https://example.com/..%2f..%2fadmin"},
		{"https://example.com//a//b", "https://example.com//a//b"},
		{"https://example.com/a/../b/./c", "https://example.com/a/../b/./c"},
		{"https://example.com/a%2Fb/ü", "https://example.com/a%2Fb/%C3%BC"},
		{"https://example.com/a b|c\"<>^`{}\\", "https://example.com/a%20b%7Cc%22%3C%3E%5E%60%7B%7D%5C"},
		{"https://example.com/a;b=1,2@x:y!$&'()*+~", "https://example.com/a;b=1,2@x:y!$&'()*+~"},
		{"https://example.com/?a[]=1&b=?/&c=x+y", "https://example.com/?a[]=1&b=?/&c=x+y"},
		{"https://example.com/\xff", "https://example.com/%FF"},
		{"https://8.8.8.8/", "https://8.8.8.8/"},
		{"https://[2606:4700:4700:0:0::1111]:8443/", "https://[2606:4700:4700::1111]:8443/"},
		{"https://" + strings.Repeat("abcdefg.", 31) + "abcde/", "https://" + strings.Repeat("abcdefg.", 31) + "abcde/"},
		{"https://example.com/" + strings.Repeat("a", 2028), "https://example.com/" + strings.Repeat("a", 2028)},
	}
	p := &Policy{AllowHTTP: true}
	for _, c := range cases {
		got, err := p.CanonicalURL(c.in)
		if err != nil || got != c.want {
			t.Errorf("%q: %q, %v, want %q", c.in, got, err, c.want)
		}
	}
}

func TestURLsThatTheOperatorAllows(t *testing.T) {
	loopback := Policy{AllowHTTP: true, Allow: blocks("127.0.0.0/8")}
	cases := []struct {
		name   string
		policy Policy
		in     string
		want   string // "" for refused
	}{
		{"http is off by default", Policy{}, "http://example.com/", ""},
		{"loopback address", loopback, "http://127.0.0.1:9000/x", "http://127.0.0.1:9000/x"},
		{"localhost", loopback, "http://localhost:9000/", "http://localhost:9000/"},
		{"LOCALHOST.", loopback, "http://LOCALHOST.:9000/", "http://localhost:9000/"},
		{"localhost by IPv6", Policy{Allow: blocks("::1/128")}, "https://localhost/", "https://localhost/"},
		{"the other family", loopback, "http://[::1]/", ""},
		{"localhost on a denied port", loopback, "http://localhost:6379/", ""},
		{"localhost with loopback denied", Policy{Allow: blocks("127.0.0.0/8"), Deny: blocks("127.0.0.1/32")}, "https://localhost/", ""},
		{"another private block", loopback, "http://10.0.0.1/", ""},
		{"bare name", loopback, "http://receiver/", ""},
		{"allowed bare name", Policy{AllowNames: []string{"Receiver"}}, "https://receiver/", "https://receiver/"},
		{"allowed suffix", Policy{AllowNames: []string{".svc.cluster.local"}}, "https://a.b.svc.cluster.local/", "https://a.b.svc.cluster.local/"},
		{"suffix is not a substring", Policy{AllowNames: []string{".svc.cluster.local"}}, "https://svc.cluster.local/", ""},
		{"allowed name on a denied port", Policy{AllowNames: []string{"receiver"}}, "https://receiver:22/", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.policy.CanonicalURL(c.in)
			if got != c.want || (err == nil) != (c.want != "") {
				t.Fatalf("%q: %q, %v, want %q", c.in, got, err, c.want)
			}
		})
	}
}

func FuzzCanonicalURL(f *testing.F) {
	for _, c := range hostile {
		f.Add(c.url)
	}
	for _, s := range []string{
		"https://example.com/a%2Fb?c=d", "https://bücher.example/ü", "https://8.8.8.8:8443", "http://[2606:4700::1]/?",
		"https://xn--bcher-kva.example/", "https://例え.テスト/", "https://a\u00adb.example/", "https://İ.example/",
	} {
		f.Add(s)
	}
	p := &Policy{AllowHTTP: true}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := p.CanonicalURL(raw)
		if err != nil {
			var refused *URLError
			if !errors.As(err, &refused) || refused.Code == "" || refused.Reason == "" || got != "" {
				t.Fatalf("%q: %q, %#v", raw, got, err)
			}
			return
		}
		again, err := p.CanonicalURL(got)
		if err != nil || again != got {
			t.Fatalf("%q: %q, again %q, %v", raw, got, again, err)
		}
		u, err := url.Parse(got)
		if err != nil || u.User != nil || u.Fragment != "" || u.Host == "" {
			t.Fatalf("%q: %q is not plain: %v", raw, got, err)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("%q: %q cannot be sent", raw, got)
		}
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !isPublic(a.Unmap()) {
			t.Fatalf("%q: %q leads to a private address", raw, got)
		}
	})
}
