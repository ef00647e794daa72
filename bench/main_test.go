package bench

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// The test binary plays every process of a measurement.
const (
	roleArg      = "play-role"
	fakeServeArg = "fake-serve"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == roleArg {
		os.Exit(exitCode(RunRole(context.Background(), os.Args[2], os.Stdin, os.Stdout)))
	}
	if len(os.Args) > 2 && os.Args[1] == fakeServeArg {
		os.Exit(exitCode(fakeServe(os.Args[2], os.Args[3:])))
	}
	goleak.VerifyTestMain(m,
		// fasthttp keeps these for the life of the process, or until they wake up
		// from a sleep of ten seconds and see that their pool is gone.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreTopFunction("github.com/valyala/fasthttp.(*TCPDialer).tcpAddrsClean"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"),
	)
}

func exitCode(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// testLauncher starts the test binary. fault is how its server misbehaves.
func testLauncher(t *testing.T, fault string) Launcher {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Launcher{Binary: binary, Role: []string{roleArg}, Serve: []string{fakeServeArg, fault}}
}
