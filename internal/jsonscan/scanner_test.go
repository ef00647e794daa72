package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Documents of every kind of trouble; json.Valid says which are right.
var documents = []string{
	``, ` `, `null`, ` true `, `false`, `nul`, `nulL`, `tru`, `falsy`, `truex`, `0`, `-0`, `01`, `-`, `-01`, `1.`, `1.5`, `.5`,
	`1e5`, `1E+5`, `1e-`, `1e`, `1.2e3.4`, `+1`, `1 2`, `12345678901234567890123`, `2e308`, `NaN`, `Infinity`, `0x10`,
	`"a"`, `"a`, `"`, `"\"`, `"\\"`, `"\u00e9"`, `"\u00g9"`, `"\u00"`, `"\ud800"`, `"\udc00\ud800"`, `"\x"`, `"\`, `"\u`, "\"\n\"", "\"\t\"",
	"\"\x00\"", "\"\x7f\"", "\"\xff\xfe\"", "\"\xed\xa0\x80\"", `'a'`, "\ufeff{}", "\u00a0{}", "\v{}", "{}\x00",
	`"12345678"`, `"1234567\n"`, "\"1234567\n\"", `"123456789012345\"6"`, `"éééééééééé"`,
	`[]`, `[ ]`, `[1]`, `[1,]`, `[,1]`, `[1 2]`, `[1,,2]`, `[`, `]`, `[}`, `[1}`, `[[]`, `[[],[]]`, `[{}]`, `[{]}`, `[1:2]`, `[] []`, `[],`,
	`{}`, `{ }`, `{"a":1}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{"a":,}`, `{"a" 1}`, `{"a":1 "b":2}`, `{a:1}`, `{1:1}`, `{"a":1]`, `{"a"::1}`,
	`{"a":1,"a":2}`, `{"":""}`, `{"\u0061":1}`, "{\"\xff\":1}", `{"a":{"b":[{"c":[]},{}]}}`, `{"a":[1,{"b":2}],"c":{}}`, `{"a":[1,{"b":2],"c":{}}`,
	` { "a" : [ 1 , { "b" : "c" } ] , "d" : { } } `, "\t{\r\n\"a\"\n:\t1\r}\n", `{"a":/*c*/1}`, `{} // c`, `{"a":1}}`, `{"a":tru}`, `[nul]`, `[-]`, `["a]`, `{"a":"\q"}`,
}

func TestVerdictIsThatOfEncodingJSON(t *testing.T) {
	for _, doc := range documents {
		checkVerdict(t, []byte(doc))
	}
	for _, name := range []string{"event_1k.json", "event_8k.json", "event_indented.json"} {
		doc := sample(t, name)
		checkVerdict(t, doc)
		for cut := range doc {
			checkVerdict(t, doc[:cut])
		}
	}
}

// checkVerdict compares every way of reading doc with encoding/json.
func checkVerdict(t *testing.T, doc []byte) {
	t.Helper()
	want := json.Valid(doc)
	err := Validate(doc)
	if (err == nil) != want {
		t.Fatalf("%q: Validate says %v, json.Valid %v", doc, err, want)
	}
	checkError(t, doc, err)
	checkObject(t, doc, want)
	checkArray(t, doc, want)
}

func checkError(t *testing.T, doc []byte, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(doc) || syntax.Msg == "" {
		t.Fatalf("%q: bad error %#v", doc, err)
	}
	// What stands before the offset could have been the start of a document:
	// encoding/json, too, fails no earlier.
	var theirs *json.SyntaxError
	var any json.RawMessage
	if errors.As(json.Unmarshal(doc, &any), &theirs) && syntax.Offset < len(doc) && int(theirs.Offset) != syntax.Offset+1 {
		t.Fatalf("%q: error at %d, encoding/json says %d: %v", doc, syntax.Offset, theirs.Offset-1, err)
	}
}

func checkObject(t *testing.T, doc []byte, valid bool) {
	t.Helper()
	got := map[string]string{}
	var s Scanner
	s.Object(doc)
	for s.Next() {
		got[string(s.Key())] = string(s.Value())
		if s.Kind() != KindOf(s.Value()) || !json.Valid(s.Value()) {
			t.Fatalf("%q: value %q of kind %d", doc, s.Value(), s.Kind())
		}
	}
	isObject := valid && bytes.TrimLeft(doc, " \t\r\n")[0] == '{'
	if (s.Err() == nil) != isObject || s.Next() {
		t.Fatalf("%q: object: %v, want valid %v", doc, s.Err(), isObject)
	}
	if !isObject {
		return
	}
	want := map[string]json.RawMessage{}
	if err := json.Unmarshal(doc, &want); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%q: members %v, want %v", doc, got, want)
	}
	for k, v := range want {
		if got[k] != string(v) {
			t.Fatalf("%q: member %q is %q, want %q", doc, k, got[k], v)
		}
	}
}

func checkArray(t *testing.T, doc []byte, valid bool) {
	t.Helper()
	isArray := valid && bytes.TrimLeft(doc, " \t\r\n")[0] == '['
	var want []json.RawMessage
	if isArray {
		if err := json.Unmarshal(doc, &want); err != nil {
			t.Fatal(err)
		}
	}
	var s, inner Scanner
	n := 0
	s.Array(doc)
	for s.Next() {
		if isArray && string(s.Value()) != string(want[n]) {
			t.Fatalf("%q: element %d is %q, want %q", doc, n, s.Value(), want[n])
		}
		n++
	}
	if (s.Err() == nil) != isArray || isArray && n != len(want) {
		t.Fatalf("%q: array: %v, %d elements, want valid %v, %d", doc, s.Err(), n, isArray, len(want))
	}
	for _, drain := range []bool{true, false} {
		into := 0
		s.Array(doc)
		for s.NextInto(&inner) {
			into++
			if s.Kind() == Object && drain {
				for inner.Next() {
				}
			}
		}
		if (s.Err() == nil) != isArray || isArray && into != n {
			t.Fatalf("%q: array of objects (drained %v): %v, %d elements, want valid %v, %d", doc, drain, s.Err(), into, isArray, n)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		name, doc string
		offset    int
		msg       string
	}{
		{"empty", ``, 0, "want '{', an object, found the end"},
		{"not an object", ` []`, 1, "want '{', an object, found '['"},
		{"no name", `{1}`, 1, "want a member's name in quotes, found '1'"},
		{"no colon", `{"a" 1}`, 5, "want ':' after a member's name, found '1'"},
		{"no value", `{"a":}`, 5, "want a value, found '}'"},
		{"no comma", `{"a":1 "b":2}`, 7, "want ',' or '}' after a member of an object, found '\"'"},
		{"nested", `{"a":[1 2]}`, 8, "want ',' or ']' after an element of an array, found '2'"},
		{"cut in a string", `{"a":"bc`, 8, "want '\"' at the end of a string, found the end"},
		{"control character", "{\"a\":\"b\nc\"}", 7, "want an escape for a control character in a string, found byte 0x0a"},
		{"bad escape", `{"a":"\q"}`, 7, `want one of "\/bfnrtu after '\' in a string, found 'q'`},
		{"bad hex", `{"a":"\u00zz"}`, 10, `want four hexadecimal digits after '\u' in a string, found 'z'`},
		{"bad number", `{"a":1.}`, 7, "want a digit in a number, found '}'"},
		{"bad exponent", `{"a":1e+x}`, 8, "want a digit in a number, found 'x'"},
		{"bad word", `{"a":trap}`, 7, "want true, found 'a'"},
		{"after it", `{} x`, 3, "want nothing after the document, found 'x'"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s Scanner
			s.Object([]byte(tc.doc))
			for s.Next() {
			}
			var syntax *SyntaxError
			if !errors.As(s.Err(), &syntax) || syntax.Offset != tc.offset || syntax.Msg != tc.msg {
				t.Errorf("got %v, want offset %d: %s", s.Err(), tc.offset, tc.msg)
			}
		})
	}
}

func TestDepth(t *testing.T) {
	nest := func(open, end string, depth int) []byte {
		return []byte(strings.Repeat(open, depth) + "1" + strings.Repeat(end, depth))
	}
	for _, depth := range []int{1, 63, 64, 65, 127, 128, 129, DefaultMaxDepth - 1, DefaultMaxDepth, DefaultMaxDepth + 1, 100_000} {
		checkVerdict(t, nest("[", "]", depth))
		checkVerdict(t, nest(`{"a":`, "}", depth))
		checkVerdict(t, nest(`[{"a":`, "}]", depth/2))
	}
	s := Scanner{MaxDepth: 3}
	s.Object([]byte(`{"a":[[1]]}`))
	if !s.Next() || s.Next() || s.Err() != nil {
		t.Errorf("three levels: %v", s.Err())
	}
	s.Object([]byte(`{"a":[[{}]]}`))
	if s.Next() || s.Err() == nil || s.Err().Error() != "offset 7: nested too deep" {
		t.Errorf("four levels: %v", s.Err())
	}
	var inner Scanner
	s.MaxDepth = 1
	s.Array([]byte(`[{}]`))
	if !s.NextInto(&inner) || s.NextInto(&inner) || s.Err() == nil {
		t.Errorf("an object in an array of depth 1: %v", s.Err())
	}
}

func TestNextInto(t *testing.T) {
	var s, inner Scanner
	var got []string
	s.Array([]byte(`[{"a":1,"b":[2]}, 3, {}, {"c":{"d":4}} ,{"e":5,"f":6}]`))
	for s.NextInto(&inner) {
		if s.Kind() != Object {
			got = append(got, "value "+string(s.Value()))
			continue
		}
		got = append(got, "object")
		for inner.Next() {
			got = append(got, string(inner.Key())+"="+string(inner.Value()))
			if string(inner.Key()) == "e" {
				break // the rest of it is checked by s
			}
		}
	}
	want := []string{"object", "a=1", "b=[2]", "value 3", "object", "object", `c={"d":4}`, "object", "e=5"}
	if s.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, s.Err(), want)
	}
	s.Array([]byte(`[{"a":1},{"b":x}]`))
	for s.NextInto(&inner) {
	}
	if s.Err() == nil || s.Err().Error() != "offset 14: want a value, found 'x'" {
		t.Errorf("error inside an element: %v", s.Err())
	}
}

func TestKeyOutlivesNestedKeys(t *testing.T) {
	var s Scanner
	s.Object([]byte(`{"outer":{"a much longer inner key":1},"\u0078\ty":2}`))
	for _, want := range []string{"outer", "x\ty"} {
		if !s.Next() || string(s.Key()) != want {
			t.Fatalf("key %q, want %q (%v)", s.Key(), want, s.Err())
		}
	}
}

func TestReleaseForgets(t *testing.T) {
	var s Scanner
	s.Object([]byte(`{"a":1}`))
	s.Next()
	s.Release()
	if s.src != nil || s.Next() {
		t.Error("a released Scanner still holds its document")
	}
}
