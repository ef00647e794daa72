package ingest

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// A body that nobody vouches for is not waited for, and no memory is taken for it.
func TestStrangersClaimLittle(t *testing.T) {
	const limit = 1 << 20
	h := open(t, ServerOptions{MaxRequestBytes: limit, Largest: func(h *fasthttp.RequestHeader) int {
		return map[string]int{"Bearer known": 2 * limit, "Bearer half": limit / 2}[string(h.Peek("Authorization"))]
	}})
	const known = "Authorization: Bearer known\r\n"
	body := func(n int) string { return strings.Repeat("x", n) }
	length := func(n int) string { return fmt.Sprintf("Content-Length: %d\r\n", n) }
	const chunks = "Transfer-Encoding: chunked\r\n"
	for _, tc := range []struct {
		name, raw string
		code      int // of the first answer; 200 is followed by another
	}{
		{"as much as a stranger may", line1 + length(strangerBytes) + "\r\n" + body(strangerBytes), 200},
		{"a byte more, nothing sent", line1 + length(strangerBytes+1) + "\r\n", 401},
		{"a byte more", line1 + length(strangerBytes+1) + "\r\n" + body(strangerBytes+1), 401},
		{"the most, nothing sent", line1 + length(limit) + "\r\n", 401},
		{"more than anybody may", line1 + length(limit+1) + "\r\n", 413},
		{"another key", line1 + "Authorization: Bearer other\r\n" + length(limit) + "\r\n", 401},
		{"after 100 Continue", line1 + "Expect: 100-continue\r\n" + length(limit) + "\r\n", 100},
		{"a small chunk", line1 + chunks + "\r\n3\r\nabc\r\n0\r\n\r\n", 200},
		{"a large chunk, nothing sent", line1 + chunks + "\r\nFFFF0\r\n", 413},
		{"many chunks", line1 + chunks + "\r\n" + strings.Repeat("8000\r\n"+body(32<<10)+"\r\n", 3), 413},
		{"known", line1 + known + length(limit) + "\r\n" + body(limit), 200},
		{"known, in chunks", line1 + known + chunks + "\r\n80000\r\n" + body(512<<10) + "\r\n0\r\n\r\n", 200},
		{"half, as much as it may", line1 + "Authorization: Bearer half\r\n" + length(limit/2) + "\r\n" + body(limit/2), 200},
		{"half, more than it may", line1 + "Authorization: Bearer half\r\n" + length(limit/2+1) + "\r\n", 413},
		{"known, more than anybody may", line1 + known + length(limit+1) + "\r\n", 413},
		{"known, more than anybody may in chunks", line1 + known + chunks + "\r\n100001\r\n", 413},
	} {
		t.Run(tc.name, func(t *testing.T) {
			raw := tc.raw
			if tc.code == 200 {
				raw += "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
			}
			all := h.send(t, raw)
			if len(all) == 0 || all[0].code != tc.code || tc.code == 200 && (len(all) != 2 || all[1].code != 200) {
				t.Fatalf("answers %+v, want %d", all, tc.code)
			}
			if (tc.code == 401 || strings.Contains(tc.name, "chunk") && tc.code == 413) && !strings.Contains(all[0].Message, "65536 ") {
				t.Errorf("%q", all[0].Message)
			}
		})
	}
}

// What large bodies claim together is bounded, and given back however they end.
func TestRoomForLargeBodies(t *testing.T) {
	const size = 100 << 10
	h := open(t, ServerOptions{MaxRequestBytes: 1 << 20, MaxBodyMemory: 3 * size})
	large := line1 + fmt.Sprintf("Content-Length: %d\r\n\r\n", size)
	last := "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	wholly := large + strings.Repeat("x", size) + last
	for range 10 { // one after the other, they have room
		if all := h.send(t, wholly); len(all) != 2 || all[0].code != 200 {
			t.Fatalf("%+v", all)
		}
	}
	var held []net.Conn
	refused := func() bool { // by and by three have the room, and not those that ask
		c, err := h.dial()
		if err != nil {
			t.Fatal(err)
		}
		write(c, large+"x")
		if held = append(held, c); len(held) > 300 {
			t.Fatal("300 large bodies have the room of three")
		}
		all := h.send(t, wholly)
		return len(all) == 1 && all[0].code == 503 && strings.Contains(all[0].Message, "too many large requests")
	}
	await(t, "there is no room", refused)
	if all := h.send(t, line1+"Content-Length: 3\r\n\r\nabc"+last); len(all) != 2 || all[0].code != 200 {
		t.Errorf("a small one: %+v", all)
	}
	for _, c := range held {
		_ = c.Close()
	}
	await(t, "there is room again", func() bool {
		all := h.send(t, wholly)
		return len(all) == 2 && all[0].code == 200
	})
	for range 10 { // small chunks claim more than they have
		if all := h.send(t, line1+"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"+last); len(all) != 2 || all[0].code != 200 {
			t.Fatalf("in chunks: %+v", all)
		}
	}
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within 20 s: " + what)
		}
	}
}

func TestBodyRoom(t *testing.T) {
	now := time.Unix(1000, 0)
	r := newBodyRoom(10, time.Minute)
	a, b, c := new(fasthttp.RequestHeader), new(fasthttp.RequestHeader), new(fasthttp.RequestHeader)
	if !r.take(a, 20, now) || r.take(b, 1, now) || r.leave(a) || !r.leave(b) || r.held != 0 {
		t.Fatal("one that is larger than all has it alone")
	}
	if !r.take(a, 5, now) || !r.take(a, 6, now) || !r.take(b, 4, now) || r.take(c, 1, now) || r.held != 10 {
		t.Fatalf("%d held, and a request counts once", r.held)
	}
	if r.leave(c); r.leave(c) || !r.take(c, 1, now.Add(2*time.Minute)) || r.held != 1 || len(r.of) != 1 || r.guests.Load() != 1 {
		t.Fatalf("%d held by %d: what nobody ended is forgotten", r.held, len(r.of))
	}
}
