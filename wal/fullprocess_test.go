package wal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"posthaste/event"
)

// fillDiskVariable makes the test program run a log on a disk that fills up, and end as a
// server does: its value is a folder, a row of fillings, which write is the first to be
// refused, and the error.
const fillDiskVariable = "WAL_TEST_FILL_DISK"

// filling is a way for a disk to be full for good.
type filling struct {
	of      func(errorfs.Op) bool
	ballast int64
	errnos  []syscall.Errno
	every   int64 // step of the writes that are tried
	short   int64 // the same in short mode
}

var fillings = map[string]filling{
	"log": {ofLog, 0, []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT}, 5, 25},
	// Pebble would end the process in its own way.
	"next file": {func(op errorfs.Op) bool {
		return strings.HasSuffix(op.Path, ".log") && (op.Kind == errorfs.OpCreate || op.Kind == errorfs.OpReuseForWrite)
	}, 0, []syscall.Errno{syscall.ENOSPC}, 1, 2},
	"manifest": {ofManifest, 0, []syscall.Errno{syscall.ENOSPC}, 1, 1},
	// A second fsync could succeed without the data: no ballast helps.
	"sync": {func(op errorfs.Op) bool { return strings.HasSuffix(op.Path, ".log") && isSync(op) }, testBallast, []syscall.Errno{syscall.ENOSPC}, 11, 40},
	// A blob file whose end cannot be synced would make Pebble end the process in its own way.
	"blob sync": {func(op errorfs.Op) bool { return isBlob(op.Path) && isSync(op) }, testBallast, []syscall.Errno{syscall.ENOSPC}, 1, 1},
	// Nothing can be written, and nothing given up.
	"read-only": {func(op errorfs.Op) bool { return takesSpace(op) || isSync(op) }, testBallast, []syscall.Errno{syscall.EROFS}, 31, 150},
}

const fillEvents = 150

func fillDisk(spec string) {
	var dir, name string
	var at int64
	var errno int
	if _, err := fmt.Sscanf(spec, "%s %q %d %d", &dir, &name, &at, &errno); err != nil {
		panic(err)
	}
	f := fillings[name]
	d := &fullDisk{err: syscall.Errno(errno), of: f.of, at: at}
	o := crashOptions()
	o.FS, o.Dir, o.BallastBytes = d.over(vfs.Default), dir, f.ballast
	o.OnFatal = func(err error) {
		fmt.Println("fatal", errors.Is(err, ErrFull), err)
		os.Exit(failExitCode)
	}
	l, err := Open(o)
	if err != nil {
		panic(err)
	}
	d.armed.Store(true)
	for i := range fillEvents {
		subs := []event.Submission{post(idOf(1), fmt.Sprintf("%d %0500d", i, i), idOf(2))}
		if err := l.Append(context.Background(), subs); err != nil {
			select {} // OnFatal ends the process
		}
		fmt.Println("acked", subs[0].Event.ID, i)
		if s := attempted(subs[0].Event.Owed[0], event.Success); i%2 == 0 && l.Settle(&s) != nil {
			select {}
		}
	}
	if err := l.Close(); err != nil {
		o.OnFatal(err) // the write that was refused is one of Close's own
	}
	fmt.Println("done")
}

// filled is what a process did whose disk filled up.
type filled struct {
	acked map[event.ID]int
	fatal string // what OnFatal was told; "": it ended well
}

func runFilled(t *testing.T, dir, name string, at int64, errno syscall.Errno) filled {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	c := exec.Command(self)
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%s %q %d %d", fillDiskVariable, dir, name, at, int(errno)))
	out, err := c.CombinedOutput()
	f := filled{acked: map[event.ID]int{}}
	for line := range bytes.Lines(out) {
		var text string
		var n int
		if _, err := fmt.Sscanf(string(line), "acked %s %d", &text, &n); err == nil {
			id, err := event.ParseID(text)
			must(t, err)
			f.acked[id] = n
		}
		if why, found := bytes.CutPrefix(line, []byte("fatal ")); found {
			f.fatal = string(why)
		}
	}
	var exit *exec.ExitError
	if code := 0; f.fatal != "" {
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		}
		if code != failExitCode {
			t.Fatalf("write %d: exit code %d\n%s", at, code, out)
		}
	} else if err != nil {
		t.Fatalf("write %d: %v\n%s", at, err, out)
	}
	return f
}

// TestAFullDiskIsFinal where nothing helps: for every n, the n-th write of a kind is
// refused, and all after it. The process ends with its code, the owner hears that it was
// the space, and what was acknowledged is there when there is space again.
func TestAFullDiskIsFinal(t *testing.T) {
	t.Parallel()
	for name, f := range fillings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			every := f.every
			if testing.Short() {
				every = f.short
			}
			runs := 0
			for at := int64(1); ; at += every {
				dir := t.TempDir()
				errno := f.errnos[runs%len(f.errnos)]
				was := runFilled(t, dir, name, at, errno)
				if was.fatal == "" {
					break
				}
				runs++
				if !strings.HasPrefix(was.fatal, "true ") || !strings.Contains(was.fatal, errno.Error()) {
					t.Fatalf("write %d: OnFatal was told %s", at, was.fatal)
				}
				checkFilled(t, dir, at, was)
			}
			t.Logf("%d runs", runs)
			if runs < 2 {
				t.Error("too little was written")
			}
		})
	}
}

// checkFilled opens what such a process left, and goes on.
func checkFilled(t *testing.T, dir string, at int64, was filled) {
	t.Helper()
	o := crashOptions()
	o.FS, o.Dir = vfs.Default, dir
	l, err := Open(o)
	must(t, err)
	defer func() { must(t, l.Close()) }()
	found, err := foundAgain(l, recoverAll(t, l))
	must(t, err)
	appendOne(t, l, post(idOf(1), "more", idOf(2)))
	for id, n := range was.acked {
		got, err := l.Event(idOf(1), id)
		if err != nil || string(got.Data) != fmt.Sprintf("%d %0500d", n, n) {
			t.Fatalf("write %d: acknowledged event %d: %v", at, n, err)
		}
		d, err := l.Delivery(idOf(1), got.Owed[0].ID)
		must(t, err)
		if d.Status.Owed() != found[d.ID] {
			t.Fatalf("write %d: delivery %d is %s, found by recovery: %v", at, n, d.Status, found[d.ID])
		}
	}
}
