package sender

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"posthaste/oauth"
)

// FuzzForm: what is sent as a form is read back as what the producer wrote.
func FuzzForm(f *testing.F) {
	for _, s := range []string{`{"a":"x & é","b":1.50,"n":null,"o":{"k":[1]}}`, `{"":""}`, `{"a":"\ud800"}`, `{"a":1,"a":2}`, `[]`, `null`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		body, err := formBody(data)
		var members map[string]json.RawMessage
		if json.Unmarshal(data, &members) != nil || members == nil {
			if err != errNotForm {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		read, readErr := url.ParseQuery(string(body))
		if err != nil || readErr != nil || len(read) != len(members) {
			t.Fatalf("%q: %q, %v, %v", data, body, err, readErr)
		}
		for name, raw := range members {
			want := string(raw)
			switch raw[0] {
			case 'n':
				want = ""
			case '"':
				_ = json.Unmarshal(raw, &want)
			}
			if len(read[name]) != 1 || read[name][0] != want {
				t.Fatalf("%q: %s is %q, want %q", data, name, read[name], want)
			}
		}
	})
}

// FuzzTokenAnswer: whatever a token endpoint answers, reading ends, within its bounds.
func FuzzTokenAnswer(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 100 X\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"HTTP/1.1 302 X\r\nLocation: /\r\n\r\n", "", "SSH-2.0\r\n",
	} {
		f.Add(s)
	}
	req, err := http.NewRequest("POST", "https://token.example/", nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		resp, err := readTokenAnswer(bufio.NewReader(strings.NewReader(answer)), req)
		if err != nil {
			return
		}
		body := make([]byte, oauth.MaxAnswerBytes+2)
		n, _ := resp.Body.Read(body)
		if n > oauth.MaxAnswerBytes+1 || resp.StatusCode < 200 {
			t.Fatalf("%d bytes, status %d", n, resp.StatusCode)
		}
	})
}
