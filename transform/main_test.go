package transform

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const childArg = "transform-child"

// TestMain makes the test's own binary the child.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childArg {
		if err := Serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func setup(tb testing.TB, change func(*Options)) *Runner {
	tb.Helper()
	opts := Options{Command: []string{os.Args[0], childArg}, Workers: 1, Timeout: 10 * time.Second}
	if change != nil {
		change(&opts)
	}
	opts.EnsureDefaults()
	if err := opts.Validate(); err != nil {
		tb.Fatal(err)
	}
	r := New(opts)
	tb.Cleanup(r.Close)
	return r
}

func run(tb testing.TB, r *Runner, function, payload string) (Result, error) {
	tb.Helper()
	return r.Run(context.Background(), Call{Function: function, Payload: []byte(payload), Now: time.Unix(1_700_000_000, 0), Seed: 7})
}
