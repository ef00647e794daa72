package ingest

import (
	"fmt"
	"strings"
	"testing"
)

func TestCustomHeaders(t *testing.T) {
	many := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"X-%d":"v"`, i))
		}
		return "{" + strings.Join(all, ",") + "}"
	}
	for _, tc := range []struct{ name, headers, message string }{
		{"none", `{}`, ""},
		{"null", `null`, ""},
		{"empty string", `""`, ""},
		{"null value", `{"X-A":null}`, ""},
		{"ordinary", `{"Authorization":"Bearer zz","User-Agent":"x","X-Æ":1}`, `custom_headers:"X-Æ" is not a header name`},
		{"escaped name", `{"X-\u0041":"\u0042"}`, ""},
		{"empty value", `{"X-A":""}`, ""},
		{"array", `[]`, "custom_headers:must be an object of strings"},
		{"string", `"X-A: 1"`, "custom_headers:must be an object of strings"},
		{"number", `{"X-A":1}`, `custom_headers:the value of "X-A" must be a string`},
		{"list of values", `{"X-A":["1"]}`, `custom_headers:the value of "X-A" must be a string`},
		{"line break in a value", `{"X-A":"1\r\nHost: evil"}`, `custom_headers:the value of "X-A" has a character that a header cannot carry`},
		{"NUL in a value", `{"X-A":"1\u0000"}`, `custom_headers:the value of "X-A" has a character that a header cannot carry`},
		{"DEL in a value", `{"X-A":"1\u007f"}`, `custom_headers:the value of "X-A" has a character that a header cannot carry`},
		{"empty name", `{"":"1"}`, `custom_headers:"" is not a header name`},
		{"space in a name", `{"X A":"1"}`, `custom_headers:"X A" is not a header name`},
		{"colon in a name", `{"X:A":"1"}`, `custom_headers:"X:A" is not a header name`},
		{"line break in a name", `{"X\r\nA":"1"}`, `custom_headers:"X\r\nA" is not a header name`},
		{"long bad name", `{"` + strings.Repeat("é", 1000) + `":"1"}`, `custom_headers:"` + strings.Repeat("é", 64) + `" is not a header name`},
		{"twice", `{"X-A":"1","x-a":"2"}`, `custom_headers:"x-a" is there twice`},
		{"one hundred", many(100), ""},
		{"one more", many(101), "custom_headers:at most 100 headers"},
		{"16 KiB", `{"X-A":"` + strings.Repeat("x", 16<<10-3) + `"}`, ""},
		{"a byte more", `{"X-A":"` + strings.Repeat("x", 16<<10-2) + `"}`, "custom_headers:at most 16384 bytes, names and values together"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := &world{}
			a := do(t, w.ingest(), call{body: single(`,"custom_headers":` + tc.headers)})
			if tc.message == "" && a.code != 201 || tc.message != "" && (a.code != 400 || a.Message != tc.message) {
				t.Errorf("got %d %s", a.code, a.body)
			}
		})
	}
}

func TestReservedHeaders(t *testing.T) {
	in := new(world).ingest()
	for _, name := range []string{
		"Host", "host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Expect", "TE", "Trailer", "Upgrade", "Cookie",
		"webhook-id", "webhook-timestamp", "webhook-signature", "Webhook-Signature", "WEBHOOK-", "Posthaste-Replay",
		"Proxy-Authorization", "proxy-connection", "X-Convoy-Signature", "Convoy-Timestamp",
	} {
		a := do(t, in, call{body: single(`,"custom_headers":{"X-Fine":"1","` + name + `":"1"}`)})
		if a.code != 400 || a.Message != `custom_headers:"`+name+`" is reserved, posthaste or the connection sets it` {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
	}
	for _, name := range []string{"Hosts", "X-Host", "Webhooks", "Posthaste", "Proxy", "T", "Authorization", "Content-Type", "User-Agent"} {
		if a := do(t, in, call{body: single(`,"custom_headers":{"` + name + `":"1"}`)}); a.code != 201 {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
	}
}
