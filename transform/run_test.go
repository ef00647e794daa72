package transform

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	t.Parallel()
	r := setup(t, nil)
	for _, tc := range []struct{ name, function, payload, want string }{
		{"same", `function transform(p) { return p }`, `{"b":1,"a":[true,null,"é😀\u0000"]}`, `{"b":1,"a":[true,null,"é😀\u0000"]}`},
		{"changed", `function transform(p) { p.n *= 2; delete p.x; return {p, k: Object.keys(p)} }`, `{"n":1.5,"x":2}`, `{"p":{"n":3},"k":["n"]}`},
		{"const", `const transform = p => p + 1`, `1`, `2`},
		{"let in the body", "let transform\ntransform = function (p) { return [p] }", `1`, `[1]`},
		{"global", `globalThis.transform = p => "x"`, `1`, `"x"`},
		{"scalar", `function transform(p) { return false }`, `1`, `false`},
		{"zero", `function transform(p) { return 0 }`, `1`, `0`},
		{"toJSON", `function transform(p) { return {d: new Date(0), m: {toJSON() { return "j" }}} }`, `1`, `{"d":"1970-01-01T00:00:00.000Z","m":"j"}`},
		{"loses digits", `function transform(p) { return p }`, `9007199254740993`, `9007199254740992`},
		{"lone surrogate", `function transform(p) { return "\ud800" }`, `1`, `"\ud800"`},
		{"__proto__ is a name", `function transform(p) { return {own: Object.keys(p), x: p.x === undefined} }`, `{"__proto__":{"x":1}}`, `{"own":["__proto__"],"x":true}`},
		{"JSON replaced", `JSON.stringify = () => "no"; JSON.parse = () => "no"; JSON = null; function transform(p) { return p }`, `[1]`, `[1]`},
		{"eval", `function transform(p) { return eval("p + 1") + Function("return 1")() }`, `1`, `3`},
		{"ES6", "function transform({a = 1, ...rest}) { class C { #x = a; get x() { return this.#x } } return [new C().x, rest, `${a}`, [...new Set([1, 1])], 2n ** 64n + ''] }", `{"b":2}`, `[1,{"b":2},"1",[1],"18446744073709551616"]`},
		{"no access", `function transform(p) { return [typeof require, typeof process, typeof fetch, typeof setTimeout, typeof module] }`, `1`, `["undefined","undefined","undefined","undefined","undefined"]`},
		{"no state 1", `var n = (globalThis.n || 0) + 1; Array.prototype.bad = 1; function transform(p) { return n }`, `1`, `1`},
		{"no state 2", `var n = (globalThis.n || 0) + 1; function transform(p) { return [n, [].bad === undefined] }`, `1`, `[1,true]`},
	} {
		got, err := run(t, r, tc.function, tc.payload)
		if err != nil || string(got.Payload) != tc.want {
			t.Errorf("%s: %s, %v; want %s", tc.name, got.Payload, err, tc.want)
		}
	}
	if n := started(r); n != 1 {
		t.Errorf("%d processes took what one should", n)
	}
}

// started is the number of a runner's processes.
func started(r *Runner) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

func wantError(t *testing.T, name string, err error, kind Kind, message string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind || !strings.Contains(e.Message, message) {
		t.Errorf("%s: %v; want %s: ...%s...", name, err, kind, message)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	r := setup(t, nil)
	for _, tc := range []struct {
		name, function string
		kind           Kind
		message        string
	}{
		{"syntax", "function transform(p) {\n  return p +;\n}", KindSyntax, "2:13: Unexpected token ;"},
		{"early error", "let a;\nlet a; function transform() {}", KindSyntax, "2:5: Identifier 'a' has already been declared"},
		{"no function", `function transfrom(p) { return p }`, KindSyntax, "has no function transform"},
		{"empty", ``, KindSyntax, "has no function transform"},
		{"not a function", `var transform = 3`, KindSyntax, "transform is not a function"},
		{"type error", "function transform(p) {\n  return p.x.y.z\n}", KindException, "2:14: TypeError: Cannot read property 'y' of undefined"},
		{"own error", "function transform(p) {\n  throw new RangeError('too far')\n}", KindException, "2:9: RangeError: too far"},
		{"thrown text", `function transform(p) { throw "boom" }`, KindException, "1:25: boom"},
		{"thrown object", `function transform(p) { throw {toString() { return "custom" }} }`, KindException, "custom"},
		{"thrown enigma", `function transform(p) { throw {toString() { throw 1 }} }`, KindException, "an exception that has no text"},
		{"thrown null", `function transform(p) { throw null }`, KindException, "null"},
		{"at the top", `null.x; function transform(p) {}`, KindException, "1:6: TypeError"},
		{"in JSON.parse", "function transform(p) { return JSON.parse('{') }", KindException, "1:42: SyntaxError"},
		{"long message", `function transform(p) { throw "x".repeat(1e6) }`, KindException, "xxx..."},
		{"recursion", `function transform(p) { return transform(p) }`, KindException, "RangeError: more than 2000 calls"},
		{"recursion, caught", `function f() { try { f() } catch (e) { return 1 } } function transform(p) { return f() }`, KindException, "RangeError"},
		{"recursion by natives", `function f() { [1].map(f) } function transform(p) { f() }`, KindException, "RangeError"},
		{"recursion in toJSON", `var o = {toJSON() { return JSON.stringify(o) }}; function transform(p) { return o }`, KindException, "RangeError"},
		{"undefined", `function transform(p) {}`, KindResult, "returned undefined"},
		{"null", `function transform(p) { return null }`, KindResult, "returned null"},
		{"function", `function transform(p) { return transform }`, KindResult, "has no JSON"},
		{"symbol", `function transform(p) { return Symbol() }`, KindResult, "has no JSON"},
		{"circular", `function transform(p) { p.p = p; return p }`, KindResult, "is not JSON: TypeError"},
		{"bigint", `function transform(p) { return {n: 1n} }`, KindResult, "is not JSON: TypeError"},
		{"toJSON throws", `function transform(p) { return {toJSON() { throw new Error("no") }} }`, KindResult, "is not JSON: Error: no"},
		{"async", `async function transform(p) { return p }`, KindResult, "must not be async"},
		{"too large", `function transform(p) { return "x".repeat(2e6) }`, KindResult, "2000002 bytes as JSON, more than 1048576"},
		{"too large by UTF-8", `function transform(p) { return "é".repeat(6e5) }`, KindResult, "1200002 bytes as JSON"},
		{"too long", `function transform() {}` + strings.Repeat(" ", 64<<10), KindSyntax, "bytes, more than 65536"},
	} {
		result, err := run(t, r, tc.function, `{}`)
		wantError(t, tc.name, err, tc.kind, tc.message)
		if result.Payload != nil || err != nil && len(err.Error()) > maxMessageBytes+20 {
			t.Errorf("%s: payload %q, %d bytes of message", tc.name, result.Payload, len(err.Error()))
		}
	}
	_, err := run(t, r, `function transform(p) { return p }`, `{"a":`)
	wantError(t, "broken payload", err, KindException, "the payload is not JSON")
	_, err = run(t, r, `function transform(p) { return p }`, `"`+strings.Repeat("x", 1<<20)+`"`)
	wantError(t, "large payload", err, KindMemory, "the payload has 1048578 bytes, more than 1048576")
	if n := started(r); n != 1 {
		t.Errorf("%d processes took what one should", n)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	r := setup(t, nil)
	for _, function := range []string{
		`function transform(p) { return p }`, `let transform = 1`, `var a, transform = p => p`, `transform = 1`, `this.transform = f`,
		`const {transform} = {}`, `while (true) {} function transform() {}`,
		"function transform() {}\n//# sourceMappingURL=file:///etc/hostname",
	} {
		if err := r.Check(function); err != nil {
			t.Errorf("%s: %v", function, err)
		}
	}
	for _, function := range []string{`function f() { function transform() {} }`, `// transform`, `x.y = transform`, `function transform(`, `{`} {
		wantError(t, function, r.Check(function), KindSyntax, "")
	}
}

func TestRepeatable(t *testing.T) {
	t.Parallel()
	r := setup(t, nil)
	function := `function transform(p) { return [Math.random(), Math.random(), Date.now(), new Date().toString(), new Date(2020, 0, 1).toISOString(), new Date().getTimezoneOffset()] }`
	call := Call{Function: function, Payload: []byte(`1`), Now: time.Unix(1_700_000_000, 123_456_789), Seed: 1<<64 - 1}
	first, err := r.Run(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(first.Payload), `1700000000123,"Tue Nov 14 2023 22:13:20 GMT+0000 (UTC)","2020-01-01T00:00:00.000Z",0]`) {
		t.Errorf("got %s", first.Payload)
	}
	other := setup(t, nil)
	for _, again := range []*Runner{r, other} {
		if got, err := again.Run(t.Context(), call); err != nil || string(got.Payload) != string(first.Payload) {
			t.Errorf("again: %s, %v, want %s", got.Payload, err, first.Payload)
		}
	}
	call.Seed--
	if got, err := r.Run(t.Context(), call); err != nil || string(got.Payload) == string(first.Payload) {
		t.Errorf("another seed: %s, %v", got.Payload, err)
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	r := setup(t, nil)
	got, err := run(t, r, `function transform(p) {
		console.log("a", 1, {b: [2]}, undefined, null, true, [3], () => 4);
		console.info(new Error("e")); console.warn(); console.error("x"); console.debug(1n);
		var circular = {}; circular.c = circular; console.log(circular);
		return p
	}`, `1`)
	want := []string{`a 1 {"b":[2]} undefined null true [3] () => 4`, "Error: e", "", "x", "1", "[object Object]"}
	if err != nil || !slices.Equal(got.Log, want) {
		t.Errorf("%q, %v", got.Log, err)
	}
	got, err = run(t, r, `function transform(p) { console.log("before"); throw 1 }`, `1`)
	if err == nil || !slices.Equal(got.Log, []string{"before"}) {
		t.Errorf("with an exception: %q, %v", got.Log, err)
	}
	for name, function := range map[string]string{
		"many lines": `function transform(p) { for (var i = 0; i < 1e4; i++) console.log(i); return p }`,
		"long line":  `function transform(p) { console.log("x".repeat(1e6)); console.log("y"); return p }`,
	} {
		got, err := run(t, r, function, `1`)
		if err != nil || len(got.Log) > MaxLogLines+1 || len(fmt.Sprint(got.Log)) > MaxLogBytes+1000 || !strings.Contains(got.Log[len(got.Log)-1], "too long") {
			t.Errorf("%s: %d lines, %v", name, len(got.Log), err)
		}
	}
	_, err = run(t, r, `function transform(p) { console.log({toString() { throw new Error("in the log") }, toJSON() { throw 1 }}); return p }`, `1`)
	wantError(t, "a value that throws", err, KindException, "in the log")
}
