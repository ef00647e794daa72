package wal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

func TestSecondOpenIsRefused(t *testing.T) {
	o := testOptions(vfs.Default)
	o.Dir = t.TempDir()
	l := openLog(t, o)
	for _, open := range []func(Options) (*Log, error){Open, OpenReadOnly} {
		if _, err := open(o); err == nil || !strings.Contains(err.Error(), "lock") {
			t.Errorf("got error %v", err)
		}
	}
	appendOne(t, l, post(idOf(1), "x", idOf(2))) // the first goes on
	l = reopen(t, l, o)
	if n := len(stored(t, l)); n != 1 {
		t.Errorf("%d events are stored", n)
	}
}

// holdDirVariable makes the test program open a log in that folder and hold it
// until its input ends.
const holdDirVariable = "WAL_TEST_HOLD_DIR"

func holdDir(dir string) {
	o := testOptions(vfs.Default)
	o.Dir = dir
	l, err := Open(o)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if l.Close() != nil {
		os.Exit(1)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	o := testOptions(vfs.Default)
	o.Dir = t.TempDir()
	self, err := os.Executable()
	must(t, err)
	holder := exec.Command(self)
	holder.Env = append(os.Environ(), holdDirVariable+"="+o.Dir)
	in, err := holder.StdinPipe()
	must(t, err)
	out, err := holder.StdoutPipe()
	must(t, err)
	must(t, holder.Start())
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Errorf("the other process says %q, %v", line, err)
	}
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), "another process has it open") {
		t.Errorf("got error %v", err)
	}
	must(t, in.Close())
	must(t, holder.Wait())
	openLog(t, o)
}

// failDiskVariable makes the test program run a log whose disk fails, and end as a
// server does, with a code of its own.
const (
	failDiskVariable = "WAL_TEST_FAIL_DISK"
	failExitCode     = 74
)

func failDisk() {
	d := newDisk()
	o := testOptions(d.fs())
	o.OnFatal = func(err error) {
		fmt.Println(err)
		os.Exit(failExitCode)
	}
	l, err := Open(o)
	if err != nil {
		os.Exit(1)
	}
	d.failAt.Store(d.syncs.Load() + 3)
	for err == nil {
		err = l.Append(context.Background(), []event.Submission{post(idOf(1), "x", idOf(2))})
	}
	select {} // OnFatal ends the process
}

func TestFailureEndsTheProcessWithItsOwnCode(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	c := exec.Command(self)
	c.Env = append(os.Environ(), failDiskVariable+"=1")
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != failExitCode || !bytes.Contains(out, []byte(syscall.EIO.Error())) {
		t.Errorf("%v\n%s", err, out)
	}
}
