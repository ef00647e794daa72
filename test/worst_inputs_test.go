package test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// worstInput is something that a stranger or a tenant could send.
type worstInput struct {
	name   string
	answer string // how the answer must begin; "": any
	slow   bool   // takes the server's own timeouts, of half a minute
	send   func(h *target) string
}

const (
	jsonMedia  = "application/json"
	linesMedia = "application/x-ndjson"
	mebibyte   = 1 << 20
	mostBytes  = 16 * mebibyte // --max-request-bytes
)

func worstInputs() (all []worstInput) {
	for _, some := range [][]worstInput{eventInputs(), compressedInputs(), batchInputs(), connectionInputs(), manageInputs(), sourceInputs()} {
		all = append(all, some...)
	}
	return all
}

// toEvents sends a body to the route of single events.
func toEvents(name, answer string, body func(h *target) io.Reader) worstInput {
	return worstInput{name: name, answer: answer, send: func(h *target) string {
		return h.post(h.path+"/events", jsonMedia, "", body(h))
	}}
}

func eventInputs() []worstInput {
	data := func(text string) func(*target) io.Reader {
		return func(h *target) io.Reader { return h.event(text) }
	}
	fixed := func(r func() io.Reader) func(*target) io.Reader {
		return func(*target) io.Reader { return r() }
	}
	open := func(h *target) string { return fmt.Sprintf(`{"endpoint_id":%q,"event_type":"t","data":1`, h.ep) }
	return []worstInput{
		toEvents("an ordinary event, to compare with", "201", data(`{"a":1}`)),
		toEvents("1 MiB of data", "201", data(`"`+strings.Repeat("x", mebibyte-2)+`"`)),
		toEvents("1 MiB of data and a byte", "413", data(`"`+strings.Repeat("x", mebibyte-1)+`"`)),
		toEvents("numbers beyond 2^53, lone surrogates", "201", data(`[9007199254740993,1e400,-0.0,"\ud800","\udfff\ud800"]`)),
		toEvents("nested 9,000 deep", "201", data(strings.Repeat("[", 9000)+strings.Repeat("]", 9000))),
		toEvents("nested 1,000,000 deep", "400", data(strings.Repeat("[", 1_000_000)+strings.Repeat("]", 1_000_000))),
		toEvents("16 MB of opening brackets", "400", fixed(func() io.Reader { return repeated("", "[", mostBytes, "") })),
		toEvents("16 MB of objects in objects", "400", fixed(func() io.Reader { return repeated("", `{"a":`, mostBytes/5, "") })),
		toEvents("two million duplicate keys", "201", func(h *target) io.Reader { return repeated(open(h), `,"data":1`, mostBytes/9-100, "}") }),
		toEvents("a million keys with escapes", "201", func(h *target) io.Reader { return repeated(open(h), `,"\u0061b":1`, mostBytes/12-100, "}") }),
		toEvents("a type of 1 MB of escapes", "400", func(h *target) io.Reader {
			return repeated(open(h)+`,"event_type":"`, `\u0061`, mebibyte/6, `"}`)
		}),
		toEvents("101 headers", "400", func(h *target) io.Reader {
			var b strings.Builder
			for i := range 101 {
				fmt.Fprintf(&b, `,"X-%d":"a"`, i)
			}
			return strings.NewReader(open(h) + `,"custom_headers":{` + b.String()[1:] + `}}`)
		}),
		toEvents("a million headers of one name", "400", func(h *target) io.Reader {
			return repeated(open(h)+`,"custom_headers":{"X":"a"`, `,"X":"a"`, 1_000_000, `}}`)
		}),
		toEvents("a string of 15 MB", "413", func(h *target) io.Reader { return repeated(open(h)+`,"data":"`, "x", 15*mebibyte, `"}`) }),
		toEvents("16 MB and more, length known", "", fixed(func() io.Reader { return repeated("", " ", mostBytes+1, "") })),
		toEvents("in chunks without end", "", fixed(func() io.Reader { return endless{} })),
	}
}

// endless is a body of no known length.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

const bombBytes = 256 * mebibyte

// zeros is what bombs are made of.
func zeros(n int64) io.Reader { return io.LimitReader(endless{}, n) }

func gzipOf(body io.Reader) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = io.Copy(w, body)
	_ = w.Close()
	return z.Bytes()
}

func zstdOf(body io.Reader) []byte {
	var z bytes.Buffer
	w, err := zstd.NewWriter(&z, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(w, body)
	_ = w.Close()
	return z.Bytes()
}

// compressedInputs are bodies that grow.
func compressedInputs() []worstInput {
	bomb := gzipOf(zeros(bombBytes))
	send := func(name, answer, encoding string, body []byte) worstInput {
		return worstInput{name: name, answer: answer, send: func(h *target) string {
			return h.post(h.path+"/events", jsonMedia, encoding, bytes.NewReader(body))
		}}
	}
	return []worstInput{
		send("gzip bomb of 256 MB", "413", "gzip", bomb),
		send("gzip bomb in a gzip bomb", "400", "gzip", gzipOf(bytes.NewReader(bomb))),
		send("gzip, 1,000 members", "413", "gzip", bytes.Repeat(gzipOf(zeros(mebibyte)), 1000)),
		send("zstd bomb of 256 MB", "413", "zstd", zstdOf(zeros(bombBytes))),
		send("zstd, 1,000 frames", "413", "zstd", bytes.Repeat(zstdOf(zeros(mebibyte)), 1000)),
		send("zstd, a window of 1 GB", "400", "zstd", []byte("\x28\xb5\x2f\xfd\x00\xa0\x09\x00\x000")),
		send("zstd, 1 TB said to be in it", "400", "zstd", []byte("\x28\xb5\x2f\xfd\xe0\x00\x00\x00\x00\x00\x01\x00\x00\x09\x00\x000")),
		send("deflate", "415", "deflate", []byte("x\x9c")),
		send("two encodings", "415", "gzip, gzip", gzipOf(bytes.NewReader(bomb))),
		{name: "32 gzip bombs at once", answer: "413", send: func(h *target) (last string) {
			answers := make(chan string)
			for range 32 {
				go func() { answers <- h.post(h.path+"/events", jsonMedia, "gzip", bytes.NewReader(bomb)) }()
			}
			for range 32 {
				last = <-answers
			}
			return last
		}},
	}
}

func batchInputs() []worstInput {
	batch := func(name, answer, media string, body func(h *target) io.Reader) worstInput {
		return worstInput{name: name, answer: answer, send: func(h *target) string {
			return h.post(h.path+"/events/batch", media, "", body(h))
		}}
	}
	item := func(h *target, more string) string {
		return fmt.Sprintf(`{"endpoint_id":%q,"event_type":"t","data":1%s}`, h.ep, more)
	}
	headers := func() string {
		var b strings.Builder
		for i := range 50 {
			fmt.Fprintf(&b, `,"X-%d":"a"`, i)
		}
		return `,"custom_headers":{` + b.String()[1:] + `}`
	}
	fixed := func(head, piece string, n int, tail string) func(*target) io.Reader {
		return func(*target) io.Reader { return repeated(head, piece, n, tail) }
	}
	return []worstInput{
		batch("10,000 events", "201", linesMedia, func(h *target) io.Reader { return repeated("", item(h, "")+"\n", 10_000, "") }),
		batch("10,001 events", "413", linesMedia, func(h *target) io.Reader { return repeated("", item(h, "")+"\n", 10_001, "") }),
		batch("10,000 events of 50 headers", "201", linesMedia, func(h *target) io.Reader { return repeated("", item(h, headers())+"\n", 10_000, "") }),
		batch("10,000 broken lines", "400", linesMedia, fixed("", "{\n", 10_000, "")),
		batch("16 MB of empty lines", "400", linesMedia, fixed("", "\n", mostBytes, "")),
		batch("16 MB of empty objects, in lines", "413", linesMedia, fixed("", "{}\n", mostBytes/3, "")),
		batch("16 MB of empty objects, in an array", "413", jsonMedia, fixed("[{}", ",{}", mostBytes/3-10, "]")),
		batch("16 MB of numbers in an array", "413", jsonMedia, fixed("[1", ",1", mostBytes/2-10, "]")),
		batch("a line of 16 MB", "400", linesMedia, fixed("", "[", mostBytes, "")),
		batch("no events", "400", jsonMedia, fixed("[", "", 0, "]")),
	}
}

// connectionInputs need no key.
func connectionInputs() []worstInput {
	raw := func(name, answer, text string) worstInput {
		return worstInput{name: name, answer: answer, send: func(h *target) string { return h.raw(text) }}
	}
	many := func(name string, n int, hold time.Duration, text func(h *target) string) worstInput {
		return worstInput{name: name, send: func(h *target) string { return h.many(n, text(h), hold) }}
	}
	const head = "POST /api/v1/events HTTP/1.1\r\nHost: x\r\n"
	claims := func(key bool) func(h *target) string {
		return func(h *target) string {
			text := "POST " + h.path + "/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
			if key {
				text += "Authorization: Bearer " + h.key + "\r\n"
			}
			return text + fmt.Sprintf("Content-Length: %d\r\n\r\n{", mostBytes)
		}
	}
	return []worstInput{
		raw("10 GB claimed", "413 x 1", head+"Content-Length: 10000000000\r\n\r\n"),
		raw("1 MB of one header", "431 x 1", head+"X: "+strings.Repeat("a", mebibyte)+"\r\n\r\n"),
		raw("200,000 headers", "431 x 1", head+strings.Repeat("A: b\r\n", 200_000)+"\r\n"),
		raw("a target of 1 MB", "431 x 1", "GET /"+strings.Repeat("a", mebibyte)+" HTTP/1.1\r\nHost: x\r\n\r\n"),
		raw("length and chunks", "400 x 1", head+"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"),
		raw("16 MB of chunks of one byte", "413 x 1", head+"Transfer-Encoding: chunked\r\n\r\n"+strings.Repeat("1\r\na\r\n", mostBytes/6)),
		raw("20,000 requests in a row", "200 x 20000", strings.Repeat("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 19_999)+"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
		raw("20,000 requests without a key", "401 x 20000", strings.Repeat("GET /api/v1/projects HTTP/1.1\r\nHost: x\r\n\r\n", 19_999)+"GET /api/v1/projects HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
		raw("TLS to the port of HTTP", "400 x 1", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"+strings.Repeat("\x00", 500)+"\n\n"),
		many("2,000 connections that say nothing", 2000, time.Second, func(*target) string { return "" }),
		many("2,000 connections with half a head", 2000, time.Second, func(*target) string { return head + "X: " + strings.Repeat("a", 10_000) }),
		many("500 strangers who claim 16 MB each", 500, time.Second, claims(false)),
		many("64 key holders who claim 16 MB each", 64, time.Second, claims(true)),
		{name: "a head that never ends", slow: true, send: func(h *target) string { return h.raw("POST / HT") }},
		{name: "a body that never ends", slow: true, send: func(h *target) string { return h.raw(claims(true)(h)) }},
	}
}

// manageInputs are what a tenant with a key can send to the rest of the API.
func manageInputs() []worstInput {
	to := func(path, name, answer string, body func(h *target) io.Reader) worstInput {
		return worstInput{name: name, answer: answer, send: func(h *target) string {
			return h.post(h.path+path, jsonMedia, "", body(h))
		}}
	}
	fixed := func(head, piece string, n int, tail string) func(*target) io.Reader {
		return func(*target) io.Reader { return repeated(head, piece, n, tail) }
	}
	of := func(v any) func(*target) io.Reader {
		return func(*target) io.Reader {
			raw, err := json.Marshal(v)
			if err != nil {
				panic(err)
			}
			return bytes.NewReader(raw)
		}
	}
	function := func(name, code string) worstInput {
		return to("/subscriptions/test_function", "function: "+name, "4", of(object{"payload": object{"a": 1}, "function": code}))
	}
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 'b'; i <= 'i'; i++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", i-1), 10), ","))
	}
	filter := func(name string, answer string, depth int) worstInput {
		return to("/subscriptions/test_filter", name, answer, fixed(`{"request":{"body":{"a":1}},"schema":{"body":`, `{"$or":[`, depth, `{"a":1}`+strings.Repeat("]}", depth)+`}}`))
	}
	get := func(name, answer, query string) worstInput {
		return worstInput{name: name, answer: answer, send: func(h *target) string { return h.get(h.path + query) }}
	}
	return []worstInput{
		to("/endpoints", "endpoint: nested 1,000,000 deep", "4", fixed(`{"name":`, "[", 1_000_000, "")),
		to("/endpoints", "endpoint: 16 MB of unknown fields", "4", fixed(`{"name":"a"`, `,"x":[]`, mostBytes/7-10, "}")),
		to("/endpoints", "endpoint: a name of 15 MB", "4", fixed(`{"url":"https://example.com","name":"`, "x", 15*mebibyte, `"}`)),
		to("/endpoints", "endpoint: 100,000 headers of one name", "", fixed(`{"url":"https://example.com","name":"a","custom_headers":{"X":"a"`, `,"X":"a"`, 100_000, `}}`)),
		filter("filter: nested 10,000 deep", "4", 10_000),
		filter("filter: nested 500,000 deep", "4", 500_000),
		to("/subscriptions/test_filter", "filter: 100,000 conditions", "", fixed(`{"request":{"body":{"a":1}},"schema":{"body":{"$or":[{"a":2}`, `,{"a":2}`, 100_000, `]}}}`)),
		to("/subscriptions/test_filter", "filter: a regex that backtracks elsewhere", "", of(object{
			"request": object{"body": object{"a": strings.Repeat("a", 100_000) + "!"}},
			"schema":  object{"body": object{"a": object{"$regex": "^(a+)+$"}}}})),
		to("/subscriptions/test_filter", "filter: a regex of 1,000 times 1,000", "", of(object{
			"request": object{"body": object{"a": "a"}},
			"schema":  object{"body": object{"a": object{"$regex": "((a{1000}){1000}){1000}"}}}})),
		to("/event-types/import", "YAML: a billion laughs", "400", of(object{"spec": bomb})),
		to("/event-types/import", "YAML: 200,000 brackets", "400", of(object{"spec": strings.Repeat("[", 200_000)})),
		to("/event-types/import", "YAML: 9,999 keys", "4", of(object{"spec": "openapi: 3.1.0\n" + lines("k%d: 1\n", 9998)})),
		to("/event-types/import", "JSON: nested 1,000,000 deep", "4", of(object{"spec": strings.Repeat(`{"a":`, 1_000_000)})),
		function("an endless loop", "function transform(p) { for (;;) {} }"),
		function("an array without end", "function transform(p) { let a = []; for (;;) a.push(new Array(1000).fill(a.length)); }"),
		function("a string without end", "function transform(p) { let s = 'x'; for (;;) s += s; }"),
		function("calls itself", "function transform(p) { return transform(p); }"),
		function("a regex that backtracks", "function transform(p) { return /^(a+)+(?=b)$/.test('a'.repeat(40) + '!'); }"),
		function("1 MB of brackets", strings.Repeat("(", mebibyte)),
		function("sorts for ever", "function transform(p) { let a = Array.from({length: 1e6}, (_, i) => i % 1000); for (;;) a.sort(); }"),
		get("listing: a billion to a page", "", "/events?perPage=1000000000"),
		get("listing: a cursor of 10 KB", "4", "/events?next_page_cursor="+strings.Repeat("Z", 10_000)),
		get("listing: a search of 5 KB nested 2,000 deep", "", "/events?body="+strings.Repeat("%7B%22a%22%3A", 1000)+"1"+strings.Repeat("%7D", 1000)),
		get("listing: 3,000 parameters", "", "/events?"+strings.Repeat("a=b&", 3000)),
	}
}

func lines(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// sourceInputs are sent to a source, whose address is all that one needs.
func sourceInputs() []worstInput {
	send := func(name, answer, media, encoding string, body func() io.Reader) worstInput {
		return worstInput{name: "source: " + name, answer: answer, send: func(h *target) string {
			return h.post(h.source, media, encoding, body())
		}}
	}
	const form, parts = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
	bomb := gzipOf(zeros(bombBytes))
	return []worstInput{
		send("nested 400,000 deep", "400", jsonMedia, "", func() io.Reader { return repeated("", "[", 400_000, "") }),
		send("a form of 250,000 fields", "", form, "", func() io.Reader { return repeated("", "a=1&", 250_000, "") }),
		send("a form of 340,000 escapes", "", form, "", func() io.Reader { return repeated("a=", "%41", 340_000, "") }),
		send("a form of 100,000 names", "", form, "", func() io.Reader { return strings.NewReader(lines("n%d=&", 100_000)) }),
		send("15,000 parts", "", parts, "", func() io.Reader {
			return repeated("", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n", 15_000, "--b--")
		}),
		send("a part with 1 MB of headers", "", parts, "", func() io.Reader {
			return repeated("--b\r\n", "X-A: b\r\n", 120_000, "\r\n1\r\n--b--")
		}),
		send("a part that never ends", "", parts, "", func() io.Reader { return repeated("--b\r\n\r\n", "-", 1_000_000, "") }),
		send("gzip bomb", "413", jsonMedia, "gzip", func() io.Reader {
			return bytes.NewReader(bomb)
		}),
		send("15 MB", "", jsonMedia, "", func() io.Reader { return repeated(`"`, "x", 15*mebibyte, `"`) }),
	}
}
