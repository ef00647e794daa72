package sender

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"posthaste/event"
)

const emptyBody = "Content-Length: 0\r\n\r\n"

// hostileRows are receivers that answer in every way that has been seen to break a
// sender. Receivers have state, so the rows are made anew for each use.
func hostileRows(t *testing.T) (rows []hostileRow) {
	rows = append(rows, statusRows()...)
	rows = append(rows, malformedRows()...)
	rows = append(rows, bodyRows()...)
	rows = append(rows, connectionRows()...)
	rows = append(rows, handshakeRows(t)...)
	rows = append(rows, slowRows(t.Context())...)
	return rows
}

// once is a receiver that answers with these bytes and hangs up.
func once(name string, want hostileEnd, answer string) hostileRow {
	raw := []byte(answer)
	return hostileRow{name: name, want: []hostileEnd{want}, serve: func(c net.Conn, _ request, _ int) bool {
		_, _ = c.Write(raw)
		return false
	}}
}

// statusRows: well-formed answers, whatever they say.
func statusRows() (rows []hostileRow) {
	for _, code := range []int{200, 201, 202, 204, 299, 300, 304, 400, 401, 403, 404, 408, 409, 410, 413, 422, 425, 500, 501, 502, 504, 600, 999} {
		rows = append(rows, once(fmt.Sprint("status ", code), ended(code), fmt.Sprintf("HTTP/1.1 %d X\r\n%s", code, emptyBody)))
	}
	rows = append(rows, once("101 switching protocols", ended(101), "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"))
	for _, code := range []int{301, 302, 303, 307, 308} {
		rows = append(rows, redirectRow(code))
	}
	for _, c := range []struct {
		name, header string
		want         time.Duration
	}{
		{"30", "Retry-After: 30\r\n", 30 * time.Second},
		{"year 9999", "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n", event.MaxRetrySeconds * time.Second},
		{"-5", "Retry-After: -5\r\n", 0},
		{"1e9", "Retry-After: 1e9\r\n", 0},
		{"a hundred digits", "Retry-After: " + strings.Repeat("9", 100) + "\r\n", event.MaxRetrySeconds * time.Second},
		{"abc", "Retry-After: abc\r\n", 0},
		{"0", "Retry-After: 0\r\n", 0},
		{"twice", "Retry-After: 7\r\nRetry-After: 9\r\n", 7 * time.Second},
	} {
		for _, code := range []int{429, 503} {
			row := once(fmt.Sprintf("%d, Retry-After %s", code, c.name), ended(code), fmt.Sprintf("HTTP/1.1 %d X\r\n%s%s", code, c.header, emptyBody))
			row.check = func(t *testing.T, all []*event.Attempt) {
				if got := all[0].RetryAfter; got != c.want {
					t.Errorf("to be left alone for %s, want %s", got, c.want)
				}
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// redirectRow redirects to a place of its own, where nobody may come.
func redirectRow(code int) hostileRow {
	var visits atomic.Int32
	row := hostileRow{name: fmt.Sprint("redirect ", code), want: []hostileEnd{ended(code)}, conns: 1}
	row.serve = func(c net.Conn, q request, n int) bool {
		if visits.Add(1) > 1 || !strings.HasPrefix(q.head, "POST /hook ") {
			return say(answerOK)(c, q, n)
		}
		return say(fmt.Sprintf("HTTP/1.1 %d X\r\nLocation: /elsewhere\r\n%s", code, emptyBody))(c, q, n)
	}
	row.check = func(t *testing.T, _ []*event.Attempt) {
		if n := visits.Load(); n != 1 {
			t.Errorf("%d requests came, want the first only", n)
		}
	}
	return row
}

// malformedRows: what is not an answer.
func malformedRows() (rows []hostileRow) {
	for _, status := range []string{"000", "99", "1000", "-20", "OK", "20", "2000000000000000000000", "2OO", ""} {
		rows = append(rows, once(fmt.Sprintf("status %q", status), failed(event.ClassMalformed), "HTTP/1.1 "+status+" X\r\n"+emptyBody))
	}
	headers := strings.Repeat("X-A: "+strings.Repeat("b", 1000)+"\r\n", 1000)
	for _, c := range []struct{ name, answer string }{
		{"an empty line first", "\r\n" + answerOK},
		{"HTTP/0.9", "hello world\r\n\r\n"},
		{"SSH banner", "SSH-2.0-OpenSSH_9.2\r\n"},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
		{"HTTP/2 frames", "\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"},
		{"TLS alert", "\x15\x03\x01\x00\x02\x02\x16"},
		{"zeros", strings.Repeat("\x00", 1<<20)},
		{"one line of 1 MB", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 1<<20)},
		{"1 MB of headers", "HTTP/1.1 200 OK\r\n" + headers + emptyBody},
		{"5000 headers", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 5000) + emptyBody},
		{"1 MB of trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + headers + "\r\n"},
		{"1000 times 100 Continue", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1000) + answerOK},
		{"line feeds alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"},
		{"NUL in a header", "HTTP/1.1 200 OK\r\nX: a\x00b\r\n" + emptyBody},
		{"length negative", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"},
		{"length overflows", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n"},
		{"length twice", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"},
		{"chunk size FFFF", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("F", 17) + "\r\n"},
		{"chunk size negative", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"},
		{"100 KB of chunk extension", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;" + strings.Repeat("x", 100_000) + "\r\nok\r\n0\r\n\r\n"},
	} {
		rows = append(rows, once(c.name, failed(event.ClassMalformed), c.answer))
	}
	for _, c := range []struct{ name, answer string }{
		{"closes at once", ""},
		{"half a status line", "HTT"},
		{"half a head", "HTTP/1.1 200 OK\r\nConte"},
		{"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"},
		{"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc"},
		{"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"},
		{"length 999999999999, no body", "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n"},
		{"chunk of 2 GB, no data", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7FFFFFFF\r\n"},
	} {
		rows = append(rows, once(c.name, failed(event.ClassReset), c.answer))
	}
	return rows
}

// bodyRows: whole answers, and bodies that are not meant to be read.
func bodyRows() (rows []hostileRow) {
	big := strings.Repeat("A", 200<<10)
	for _, c := range []struct{ name, answer string }{
		{"200 KB, length known", fixed("200 OK", big)},
		{"200 KB in one chunk", chunked("200 OK", big)},
		{"200 KB until the end", closeAfter + big},
		{"TE and CL", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
		{"CL and TE, TE wins", "HTTP/1.1 200 OK\r\nContent-Length: 999999\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
		{"103 first", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answerOK},
		{"gzip bomb", bomb()},
		{"gzip bomb in a gzip bomb", doubleBomb()},
		{"br that is none", "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"},
		{"script, escapes, marks", fixed("200 OK", "<script>alert(1)</script>\x1b[2J\u202e\xff\xfe\x00")},
	} {
		rows = append(rows, once(c.name, ended(200), c.answer))
	}
	for _, c := range []struct{ name, head, piece string }{
		{"endless body", "HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("a", 16<<10)},
		{"endless chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "4000\r\n" + strings.Repeat("a", 16<<10) + "\r\n"},
		{"endless body of a known length", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", strings.Repeat("a", 16<<10)},
	} {
		rows = append(rows, endlessRow(c.name, ended(200), c.head, c.piece))
	}
	// What is drained is counted without the chunks' own lines.
	many := once("50000 chunks of one byte", ended(200), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+strings.Repeat("1\r\na\r\n", 50_000)+"0\r\n\r\n")
	many.reads = 6 * (DefaultMaxResponseBodyBytes + drainBytes)
	rows = append(rows, many,
		endlessRow("endless head", failed(event.ClassMalformed), "HTTP/1.1 200 OK\r\n", "X-A: "+strings.Repeat("b", 1000)+"\r\n"),
		endlessRow("endless trailers", failed(event.ClassMalformed), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X-A: "+strings.Repeat("b", 1000)+"\r\n"))
	return rows
}

func endlessRow(name string, want hostileEnd, head, piece string) hostileRow {
	first, rest := []byte(head), []byte(piece)
	return hostileRow{name: name, want: []hostileEnd{want}, serve: func(c net.Conn, _ request, _ int) bool {
		for _, err := c.Write(first); err == nil; {
			_, err = c.Write(rest)
		}
		return false
	}}
}

// Bombs take a while to make.
var (
	bomb       = sync.OnceValue(func() string { return bombOf("gzip", 50<<20) })
	doubleBomb = sync.OnceValue(func() string { return bombOf("gzip, gzip", 50<<20) })
)

func bombOf(coding string, size int) string {
	content := make([]byte, size)
	for range strings.Count(coding, "gzip") {
		var z bytes.Buffer
		g := gzip.NewWriter(&z)
		_, _ = g.Write(content)
		_ = g.Close()
		content = z.Bytes()
	}
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", coding, len(content), content)
}

// connectionRows: what becomes of the connection, and of the attempt after.
func connectionRows() []hostileRow {
	return []hostileRow{
		{name: "204 with a body", serve: say(noBody204 + "hello"), want: []hostileEnd{ended(204), ended(204)}, conns: 2},
		inTurn("two answers in one packet", []string{answer500 + ghost, answer503}, 500, 503, 503),
		inTurn("200 and 500 in turn", []string{answerOK, answer500, answerOK, answer500}, 200, 500, 200, 500),
		lateRow("an answer that nobody asked for, later", ghost),
		lateRow("an idle 408, later", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
		lateRow("half an answer, later", "HTTP/1.1 2"),
		idleCloseRow(),
		cookieRow(),
		{name: "reset instead of an answer", want: []hostileEnd{failed(event.ClassReset)}, serve: func(c net.Conn, _ request, _ int) bool {
			reset(c)
			return false
		}},
		{name: "reset in the middle of a large request", data: strings.Repeat("x", 16<<20), want: []hostileEnd{failed(event.ClassReset)}, peer: func(c net.Conn) {
			_, _ = bufio.NewReader(c).ReadString('\n')
			reset(c)
		}},
		{name: "answers before it is asked", want: []hostileEnd{ended(200)}, peer: func(c net.Conn) {
			_, _ = c.Write([]byte(answerOK))
			swallow(c)
		}},
		{name: "413 while the request is sent", data: strings.Repeat("x", 16<<20), want: []hostileEnd{ended(413)}, peer: func(c net.Conn) {
			_, _ = bufio.NewReader(c).ReadString('\n')
			_, _ = c.Write([]byte("HTTP/1.1 413 X\r\nConnection: close\r\n" + emptyBody))
			swallow(c)
		}},
	}
}

// cookieRow wants its cookies back, and another protocol; nobody minds.
func cookieRow() hostileRow {
	var cookies atomic.Int32
	return hostileRow{name: "cookies, upgrades, HSTS", want: []hostileEnd{ended(200), ended(200)}, conns: 1,
		serve: func(c net.Conn, q request, n int) bool {
			if strings.Contains(strings.ToLower(q.head), "cookie") {
				cookies.Add(1)
			}
			return say("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nStrict-Transport-Security: max-age=1\r\nUpgrade: h2c\r\nAlt-Svc: h2=\":1\"\r\n"+emptyBody)(c, q, n)
		},
		check: func(t *testing.T, _ []*event.Attempt) {
			if cookies.Load() > 0 {
				t.Error("a cookie came back")
			}
		}}
}

// inTurn gives one answer after the other, over all connections, and the last again
// and again.
func inTurn(name string, answers []string, want ...int) hostileRow {
	var n atomic.Int32
	row := hostileRow{name: name, serve: func(c net.Conn, q request, i int) bool {
		return say(answers[min(int(n.Add(1)), len(answers))-1])(c, q, i)
	}}
	for _, code := range want {
		row.want = append(row.want, ended(code))
	}
	return row
}

// lateRow answers 500, and later, while the connection rests, says more. Later answers
// are 503: with anything else, what came late was taken for the answer.
func lateRow(name, late string) hostileRow {
	speak, spoken := make(chan struct{}, 1), make(chan struct{}, 1)
	var n atomic.Int32
	return hostileRow{name: name, want: []hostileEnd{ended(500), ended(503), ended(503)}, conns: 2,
		serve: func(c net.Conn, q request, i int) bool {
			if n.Add(1) > 1 {
				return say(answer503)(c, q, i)
			}
			_ = say(answer500)(c, q, i)
			<-speak
			_ = say(late)(c, q, i)
			spoken <- struct{}{}
			return true
		},
		again: func() {
			if n.Load() == 1 {
				speak <- struct{}{}
				<-spoken
			}
		}}
}

// idleCloseRow hangs up after each answer without having said so.
func idleCloseRow() hostileRow {
	closed := make(chan struct{}, 4)
	return hostileRow{name: "hangs up after each answer", conns: 4,
		want: []hostileEnd{ended(200), ended(200), ended(200), ended(200)},
		serve: func(c net.Conn, q request, n int) bool {
			_ = say(answerOK)(c, q, n)
			_ = c.Close()
			closed <- struct{}{}
			return false
		},
		again: func() { <-closed }}
}

// handshakeRows: TLS that does not come about.
func handshakeRows(t *testing.T) (rows []hostileRow) {
	unknown, _ := authority(t, time.Now().Add(time.Hour))
	expired, _ := authority(t, time.Now().Add(-time.Hour))
	for _, c := range []struct {
		name string
		tls  func(*tls.Config)
	}{
		{"unknown authority", func(c *tls.Config) { c.Certificates = []tls.Certificate{unknown} }},
		{"expired certificate", func(c *tls.Config) { c.Certificates = []tls.Certificate{expired} }},
		{"TLS 1.1", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }},
		{"wants a client certificate", func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }},
	} {
		rows = append(rows, hostileRow{name: c.name, only: "https", tls: c.tls, serve: say(answerOK), want: []hostileEnd{failed(event.ClassTLS)}})
	}
	rows = append(rows, hostileRow{name: "certificate of another host", only: "https", host: "receiver.example", serve: say(answerOK), want: []hostileEnd{failed(event.ClassTLS)}})
	for name, speech := range map[string]string{
		"plain HTTP on the port of https": "HTTP/1.1 400 X\r\n\r\n",
		"zeros for a handshake":           strings.Repeat("\x00", 64<<10),
		"a handshake of 16 MB":            "\x16\x03\x03\x40\x00\x02\xff\xff\xff" + strings.Repeat("a", 1<<20),
		"hangs up in the handshake":       "",
	} {
		raw := []byte(speech)
		rows = append(rows, hostileRow{name: name, only: "https", bare: true, want: []hostileEnd{failed(event.ClassTLS)}, peer: func(c net.Conn) {
			_, _ = c.Read(make([]byte, 1))
			_, _ = c.Write(raw)
			if len(raw) > 0 {
				swallow(c)
			}
		}})
	}
	return rows
}

// slowRows: what ends with the attempt's time. ctx ends with the test.
func slowRows(ctx context.Context) []hostileRow {
	timeout := []hostileEnd{failed(event.ClassTimeout)}
	return []hostileRow{
		{name: "never answers", slow: true, want: timeout, peer: swallow},
		{name: "never reads 16 MB", slow: true, want: timeout, data: strings.Repeat("x", 16<<20), peer: func(c net.Conn) {
			if over, ok := c.(*tls.Conn); ok {
				_ = over.Handshake()
			}
			<-ctx.Done()
		}},
		{name: "one byte of the head at a time", slow: true, want: timeout, peer: trickle("HTTP/1.1 200 OK\r\nX: ", "a")},
		{name: "one byte of the body at a time", slow: true, want: timeout, peer: trickle("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "a")},
		{name: "one byte of a chunk at a time", slow: true, want: timeout, peer: trickle("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFF\r\n", "a")},
		{name: "100 Continue now and then", slow: true, want: timeout, peer: trickle("", "HTTP/1.1 100 Continue\r\n\r\n")},
		lateAnswerRow(),
		{name: "handshake never answered", only: "https", bare: true, slow: true, want: timeout, peer: swallow},
		{name: "one byte of the handshake at a time", only: "https", bare: true, slow: true, want: timeout, peer: trickle("\x16\x03\x03\x40\x00", "\x02")},
	}
}

// trickle sends head, and then piece by piece until the other side hangs up.
func trickle(head, piece string) func(net.Conn) {
	return func(c net.Conn) {
		go swallow(c)
		_, err := c.Write([]byte(head))
		for ; err == nil; time.Sleep(20 * time.Millisecond) { // the trickle is the test
			_, err = c.Write([]byte(piece))
		}
	}
}

// lateAnswerRow answers when nobody waits any more, and the next attempt in time.
func lateAnswerRow() hostileRow {
	var n atomic.Int32
	return hostileRow{name: "answers too late", slow: true, limit: 5, conns: 2, // so that the second answer comes in time
		want: []hostileEnd{failed(event.ClassTimeout), ended(200)},
		serve: func(c net.Conn, q request, i int) bool {
			if n.Add(1) == 1 {
				_, _ = c.Read(make([]byte, 1)) // until the sender has given up
			}
			return say(answerOK)(c, q, i)
		}}
}
