//go:build linux && !race

// The race detector's own memory would run into the limits.

package transform

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHostile: whatever a function does, its call ends with an error in bounded
// time and memory, and the next call works.
func TestHostile(t *testing.T) {
	t.Parallel()
	const limit = 64 << 20
	for _, tc := range []struct {
		name, function string
		kinds          []Kind
	}{
		{"loop", `function transform(p) { while (true) {} }`, []Kind{KindTimeout}},
		{"loop at the top", `while (true) {} function transform(p) {}`, []Kind{KindTimeout}},
		{"loop that catches", `function transform(p) { while (true) { try { while (true) {} } catch (e) {} finally { while (true) {} } } }`, []Kind{KindTimeout}},
		{"loop in toJSON", `function transform(p) { return {toJSON() { while (true) {} }} }`, []Kind{KindTimeout}},
		{"loop in the log", `function transform(p) { while (true) console.log({toJSON() { while (true) {} }}) }`, []Kind{KindTimeout}},
		{"loop in an exception", `function transform(p) { throw {toString() { while (true) {} }} }`, []Kind{KindTimeout}},
		{"loop of promises", `function transform(p) { (function f() { Promise.resolve().then(f) })(); return p }`, []Kind{KindTimeout, KindMemory}},
		{"backtracking", `function transform(p) { return /^(?=(a+))\1*(a+)+$/.test("a".repeat(40) + "b") }`, []Kind{KindTimeout}},
		{"large power", `function transform(p) { return String(3n ** 30000000n).length }`, []Kind{KindTimeout, KindMemory}},
		{"repeat", `function transform(p) { return "a".repeat(1 << 30) }`, []Kind{KindMemory}},
		{"repeat, caught", `function transform(p) { try { return "a".repeat(1 << 30) } catch (e) { return p } }`, []Kind{KindMemory}},
		{"fill", `function transform(p) { return new Array(1e9).fill(0) }`, []Kind{KindMemory, KindTimeout}},
		{"typed array", `function transform(p) { return new Uint8Array(2e9).length }`, []Kind{KindMemory}},
		{"doubling", `function transform(p) { var s = "x"; while (true) s += s }`, []Kind{KindMemory}},
		{"doubling arrays", `function transform(p) { var a = [1]; while (true) a = a.concat(a) }`, []Kind{KindMemory, KindTimeout}},
		{"objects", `function transform(p) { var all = []; while (true) all.push({a: [all.length]}) }`, []Kind{KindMemory}},
		{"names", `function transform(p) { for (var i = 0; ; i++) p["n" + i] = i }`, []Kind{KindMemory}},
		{"map", `function transform(p) { var m = new Map(); for (var i = 0; ; i++) m.set(i, {}) }`, []Kind{KindMemory}},
		{"closures", `function transform(p) { var f = null; while (true) { let g = f; f = () => g } }`, []Kind{KindMemory}},
		{"join", `function transform(p) { return new Array(1e6).join("x".repeat(1e4)) }`, []Kind{KindMemory, KindTimeout}},
		{"deep value", `function transform(p) { return JSON.parse("[".repeat(5e6)) }`, []Kind{KindMemory}},
		{"deep result", `function transform(p) { var a = []; for (var i = 0; i < 1e6; i++) a = [a]; return a }`, []Kind{KindMemory, KindTimeout}},
		{"deep source", `function transform(p) { return eval("(".repeat(1e6)) }`, []Kind{KindMemory}},
		{"proxies", `function transform(p) { for (var i = 0; i < 1e7; i++) p = new Proxy(p, {}); return p.x }`, []Kind{KindMemory, KindTimeout}},
		{"sparse", `function transform(p) { var a = []; a[4294967294] = 1; return a }`, []Kind{KindMemory, KindTimeout, KindResult}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			timeout := 500 * time.Millisecond
			if !slices.Contains(tc.kinds, KindTimeout) {
				timeout = MaxTimeout // so that it does not come first on a busy machine
			}
			r := setup(t, func(o *Options) { o.Timeout, o.MemoryBytes = timeout, limit })
			if _, err := harmless(t, r, `function transform(p) { return p }`); err != nil {
				t.Fatal(err)
			}
			p := r.idle[0]
			_, err := run(t, r, tc.function, `{}`)
			var e *Error
			if !errors.As(err, &e) || !slices.Contains(tc.kinds, e.Kind) {
				t.Errorf("got %v, want one of %v", err, tc.kinds)
			}
			peak := peakBytes(t, p)
			t.Logf("%v, %d MiB at most", err, peak>>20)
			if peak > limit+limit/2+64<<20 {
				t.Errorf("the process took %d MiB", peak>>20)
			}
			if got, err := harmless(t, r, `function transform(p) { return 2 }`); err != nil || string(got.Payload) != "2" {
				t.Errorf("the next call: %s, %v", got.Payload, err)
			}
		})
	}
}

// harmless runs a function that ends at once, again if a busy machine had no time for it.
func harmless(t *testing.T, r *Runner, function string) (got Result, err error) {
	t.Helper()
	for range 20 {
		var e *Error
		if got, err = run(t, r, function, `{}`); !errors.As(err, &e) || e.Kind != KindTimeout {
			break
		}
	}
	return got, err
}

func TestCheckOfDeepSource(t *testing.T) {
	t.Parallel()
	r := setup(t, nil)
	wantError(t, "deep", r.Check(strings.Repeat("(", 60_000)), KindMemory, "")
	if err := r.Check(same); err != nil {
		t.Error(err)
	}
}

// peakBytes is the most memory that a process has had.
func peakBytes(t *testing.T, p *process) int64 {
	t.Helper()
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid)); err == nil {
		var kib int64
		_, peak, _ := strings.Cut(string(status), "VmHWM:")
		if _, err := fmt.Sscan(peak, &kib); err == nil {
			return kib << 10
		}
	}
	<-p.gone
	return p.cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}
