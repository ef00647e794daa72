package jsonscan

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

var quoted = []string{
	`""`, `"abc"`, `"a\"b\\c\/d\b\f\n\r\t"`, `"\u0041\u00e9\u20ac"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ud83dx"`, `"\ud83d\u0041"`,
	`"\ude00\ud83d"`, `"\ud83d\ud83d\ude00"`, "\"\xff\"", "\"a\xc3\"", "\"\xed\xa0\x80\"", `"é€😀"`, `"\u0000"`, `"\uFFFD"`,
	``, `"`, `abc`, `"a`, `"a"b`, `"\x"`, `"\u12"`, "\"\n\"", `null`, ` "a"`, `"a" `,
}

func TestUnquote(t *testing.T) {
	for _, src := range quoted {
		checkUnquote(t, []byte(src))
	}
}

// checkUnquote compares Unquote with encoding/json, which takes white space
// around a string.
func checkUnquote(t *testing.T, src []byte) {
	t.Helper()
	var want string
	bare := len(src) > 0 && src[0] == '"' && src[len(src)-1] == '"'
	ok := bare && json.Unmarshal(src, &want) == nil
	got, err := Unquote([]byte("before "), src)
	if (err == nil) != ok || string(got) != "before "+want {
		t.Fatalf("%q: %q, %v; want %q, valid %v", src, got, err, want, ok)
	}
	if err == nil && plain(src[1:len(src)-1]) && string(src[1:len(src)-1]) != want {
		t.Fatalf("%q is called plain and means %q", src, want)
	}
}

func TestQuote(t *testing.T) {
	for _, text := range []string{"", "abc", `a"b\c/`, "\x00\x1f\n\x7f", "é€😀", "a\xffb"} {
		checkQuote(t, text)
	}
}

func checkQuote(t *testing.T, text string) {
	t.Helper()
	q := Quote(nil, text)
	var back string
	if err := json.Unmarshal(q, &back); err != nil {
		t.Fatalf("%q is quoted as %s: %v", text, q, err)
	}
	if utf8.ValidString(text) && back != text {
		t.Fatalf("%q is quoted as %s and comes back as %q", text, q, back)
	}
}
