package inbound

import (
	"encoding/json"
	"strings"
	"testing"

	"posthaste/event"
)

func TestMedia(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, tc := range []struct {
		media, body string
		code        int
		want        string // data, or a part of the message
	}{
		{"application/json", `[1, 2]`, 200, `[1, 2]`},
		{"application/json; charset=utf-8", `"é"`, 200, `"é"`},
		{"Application/JSON", ` 1 `, 200, `1`},
		{"text/json", `{}`, 200, `{}`},
		{"application/vnd.api+json", `{}`, 200, `{}`},
		{"application/cloudevents+json;charset=utf-8", `{}`, 200, `{}`},
		{"application/json", `{"a":1,}`, 400, "invalid JSON: offset 7"},
		{"application/json", ` `, 400, "invalid JSON"},
		{"application/json", "-", 400, "the request body is empty"},
		{"-", `{"a":1}`, 200, `{"a":1}`},
		{"-", `a=1`, 415, "want Content-Type"},
		{"-", "-", 400, "the request body is empty"},
		{"text/plain; charset=UTF-8", `{"Type":"Notification"}`, 200, `{"Type":"Notification"}`},
		{"text/plain", `hello`, 415, "want Content-Type"},
		{"application/xml", `{}`, 415, "want Content-Type"},
		{"+json", `{}`, 415, "want Content-Type"},
		{form, "b=2&a=1&b=3&c&&=x", 200, `{"":"x","a":"1","b":["2","3"],"c":""}`},
		{form + "; charset=utf-8", "a=%7B%22x%22%3A1%7D+%C3%A9", 200, `{"a":"{\"x\":1} é"}`},
		{form, "a=%zz%4&b=%", 200, `{"a":"%zz%4","b":"%"}`},
		{form, "%ff=1&%fe=2&a=%00%0a", 200, `{"a":"\u0000\u000a","�":["1","2"]}`},
		{form, "-", 400, "the request body is empty"},
		{form, strings.Repeat("a&", 1001), 400, "a form of more than 1000 values"},
		{"multipart/form-data", "x", 400, "without a boundary"},
		{"multipart/form-data; boundary=", "x", 400, "without a boundary"},
		{"multipart/form-data; boundary=b", "x", 400, "invalid multipart/form-data"},
		{"multipart/form-data; boundary=b", "--b--\r\n", 200, `{}`},
		{"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--", 400, "a part has no name"},
		{"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1", 400, "invalid multipart/form-data"},
	} {
		t.Run(tc.media+" "+tc.body[:min(len(tc.body), 20)], func(t *testing.T) {
			w := newWorld(nil)
			a := do(t, w.inbound(), call{media: tc.media, body: tc.body})
			if a.code != tc.code {
				t.Fatalf("%d %s, want %d", a.code, a.body, tc.code)
			}
			if a.code != 200 {
				if !strings.Contains(a.Message, tc.want) {
					t.Errorf("message %q, want %q", a.Message, tc.want)
				}
				return
			}
			if got := string(w.mu.subs[0].Event.Data); got != tc.want || !json.Valid([]byte(got)) {
				t.Errorf("data %s, want %s", got, tc.want)
			}
			if a.Data != len(tc.body) {
				t.Errorf("%d bytes, want %d", a.Data, len(tc.body))
			}
		})
	}
}

func TestMultipart(t *testing.T) {
	body := strings.ReplaceAll(`--b
Content-Disposition: form-data; name="text"

two
lines
--b
Content-Disposition: form-data; name="tag"

1
--b
Content-Disposition: form-data; name="file"; filename="dir/a.png"
Content-Type: image/png

`+"\x00\xff\x10"+`
--b
Content-Disposition: form-data; name="tag"

2
--b
Content-Disposition: form-data; name="bare"; filename="b.bin"

x
--b--
`, "\n", "\r\n")
	e := newWorld(nil).accepted(t, call{media: `multipart/form-data; boundary="b"`, body: body})
	const want = `{"bare":{"content_type":"application/octet-stream","data":"eA==","filename":"b.bin"},` +
		`"file":{"content_type":"image/png","data":"AP8Q","filename":"a.png"},"tag":["1","2"],"text":"two\u000d\u000alines"}`
	if string(e.Data) != want {
		t.Errorf("data %s\nwant %s", e.Data, want)
	}
}

// The same form in another order is the same data.
func TestFormOrder(t *testing.T) {
	w := newWorld(nil)
	const media = "application/x-www-form-urlencoded"
	one, two := w.accepted(t, call{media: media, body: "a=1&b=2&c=3"}), w.accepted(t, call{media: media, body: "c=3&b=2&a=1"})
	if string(one.Data) != string(two.Data) {
		t.Errorf("%s and %s", one.Data, two.Data)
	}
}

func TestSizes(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	quoted := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }
	for _, tc := range []struct {
		name, media, body string
		payload, code     int
	}{
		{"at the project's limit", "", quoted(100), 100, 200},
		{"over it", "", quoted(101), 100, 413},
		{"white space counts", "", quoted(100) + " ", 100, 413},
		{"at the default", "", quoted(event.DefaultMaxPayloadBytes), 0, 200},
		{"over the default", "", quoted(event.DefaultMaxPayloadBytes + 1), 0, 413},
		{"over the request's", "", quoted(1<<20 + 1), 1 << 30, 413},
		{"a form that grows", form, "a=" + strings.Repeat("%0a", 20), 100, 413},
		{"a form", form, "a=" + strings.Repeat("x", 80), 100, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(nil)
			w.limits.MaxPayload = tc.payload
			a := do(t, w.inbound(), call{media: tc.media, body: tc.body})
			if a.code != tc.code || a.code == 413 && !strings.HasPrefix(a.Message, "request body too large") {
				t.Errorf("%d %s, want %d", a.code, a.body, tc.code)
			}
		})
	}
}
