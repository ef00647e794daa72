package test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// rudeReceiver reads the head of a request, answers with these bytes, over and over if
// it is told to, and hangs up.
func rudeReceiver(t *testing.T, answer string, forever bool) (addr string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	raw := []byte(answer)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
					return
				}
				for _, err := c.Write(raw); err == nil && forever; {
					_, err = c.Write(raw[len(raw)/2:])
				}
			}()
		}
	}()
	return ln.Addr().String()
}

// greeter speaks first, and then waits until the other side hangs up.
func greeter(t *testing.T, greeting string) (addr string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.WriteString(c, greeting)
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	return ln.Addr().String()
}

// TestWhatHostileReceiversLookLike: what the API says of receivers that do not behave,
// in words that the owner of the endpoint can act on.
func TestWhatHostileReceiversLookLike(t *testing.T) {
	t.Parallel()
	free := freeAddr(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	secure := newSecureInbox(t, &tls.Config{})
	large := strings.Repeat("X-A: "+strings.Repeat("b", 1000)+"\r\n", 100)
	rows := []struct {
		name, url      string
		answer         string
		forever        bool
		status, class  string
		says, httpCode string
	}{
		{name: "another protocol", answer: "SSH-2.0-OpenSSH_9.2\r\n", status: "Failure", class: "malformed", says: "does not begin with HTTP/"},
		{name: "status 000", answer: "HTTP/1.1 000 X\r\n\r\n", status: "Failure", class: "malformed", says: "status is not a number from 100 to 999"},
		{name: "a large head", answer: "HTTP/1.1 200 OK\r\n" + large + "\r\n", status: "Failure", class: "malformed", says: "head is larger than 16 KiB"},
		{name: "interim answers", answer: strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 200), status: "Failure", class: "malformed", says: "more than 100 interim answers"},
		{name: "hangs up", answer: "", status: "Failure", class: "reset", says: "closed before an answer came"},
		{name: "half a body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", status: "Failure", class: "reset", says: "in the middle of the answer"},
		{name: "a redirect", answer: "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", status: "Failure", class: "status", httpCode: "302"},
		{name: "a teapot", answer: "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n", status: "Failure", class: "status", httpCode: "418"},
		{name: "an endless body", answer: "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("a", 64<<10), forever: true, status: "Success", httpCode: "200"},
		{name: "nobody there", url: "http://" + free + "/", status: "Failure", class: "connect", says: "connection refused"},
		{name: "never answers", url: "http://" + silent.Addr().String() + "/", status: "Failure", class: "timeout", says: "no whole answer within 1s"},
		{name: "an unknown authority", url: secure.URL, status: "Failure", class: "tls", says: "certificate"},
		{name: "no TLS", url: "https://" + greeter(t, "HTTP/1.1 400 Bad Request\r\n\r\n") + "/", status: "Failure", class: "tls", says: "TLS handshake"},
	}
	p := newProject(t, linear(1, 1))
	events := make([]string, len(rows))
	for i, row := range rows {
		if row.url == "" {
			row.url = "http://" + rudeReceiver(t, row.answer, row.forever) + "/"
		}
		patient := 30
		if row.class == "timeout" {
			patient = 1
		}
		events[i] = p.send(p.add(row.url, object{"http_timeout": patient}), fmt.Sprintf(`{"row":%d}`, i))
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := p.under(t)
			all := p.attemptsOf(p.await(events[i], row.status).UID)
			if len(all) != 1 {
				t.Fatalf("%d attempts", len(all))
			}
			a := all[0]
			if a.Class != row.class || !strings.Contains(a.Error, row.says) || !strings.HasPrefix(a.HTTPStatus, row.httpCode) || a.Status != (row.status == "Success") {
				t.Errorf("class %q, error %q, status %q; want %q, %q, %q", a.Class, a.Error, a.HTTPStatus, row.class, row.says, row.httpCode)
			}
			t.Logf("%-9s %s %s", a.Class, a.HTTPStatus, a.Error)
		})
	}
	p.stop()
}
