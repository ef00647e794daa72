package test

import (
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// powered is a server with its data on a disk of its own, under load.
type powered struct {
	*trial
	disk *loopDisk
	rng  *rand.Rand
}

func newPowered(t *testing.T, args ...string) *powered {
	t.Helper()
	disk := newLoopDisk(t) // goes after the server
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	p := &powered{trial: newTrial(t, append([]string{"--disk-reserve", "0", "--disk-ballast", "0"}, args...)...), disk: disk, rng: rand.New(rand.NewPCG(seed, 2))}
	p.s.dir = filepath.Join(disk.mount, "data")
	p.load.pause = 2 * time.Millisecond
	p.begin(4)
	return p
}

// cut cuts the power after a while, and brings it back. The load goes on.
func (p *powered) cut() (restart time.Duration) {
	p.t.Helper()
	time.Sleep(time.Duration(100+p.rng.IntN(500)) * time.Millisecond) // the moment is what is random
	if err := p.s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		p.t.Fatal(err)
	}
	left := p.disk.copy()
	p.s.kill()
	p.disk.become(left)
	return p.s.start()
}

// TestPowerCut cuts the power of a server under load, on a real file system, several
// times (POWERCUTS): the disk is copied as the device has it, without what is in the
// kernel's memory only, and the server goes on from the copy. Every event that was
// acknowledged must be stored and be delivered, whole, at least once.
func TestPowerCut(t *testing.T) {
	p := newPowered(t)
	var restarts []time.Duration
	for range countOf(t, "POWERCUTS", 3) {
		restarts = append(restarts, p.cut())
		if lost, n := p.lost(); lost > 0 {
			t.Fatalf("%d of %d acknowledged events are not stored", lost, n)
		}
	}
	p.finish(len(restarts), restarts)
}

// TestPowerCutRelaxedLoses tests the test above: a server that acknowledges before the
// fsync must lose something.
func TestPowerCutRelaxedLoses(t *testing.T) {
	p := newPowered(t, "--durability", "relaxed")
	for range countOf(t, "POWERCUTS", 5) {
		p.cut()
		if lost, n := p.lost(); lost > 0 {
			t.Logf("%d of %d acknowledged events are lost", lost, n)
			p.load.end()
			return
		}
	}
	t.Error("nothing was lost")
}

// TestDiskFailure makes the file system under a server fail with EIO, under load: the
// server acknowledges nothing afterwards and ends with the code for a failed store.
// What was acknowledged before is there when the disk is. What was acknowledged while the
// disk was made to fail is not asked for: the ioctl that does it lets an fdatasync that is
// under way return as if it had worked, and drops what it wrote (3 of 40 runs of a program
// that does nothing but write and fdatasync, Linux 6.18).
func TestDiskFailure(t *testing.T) {
	p := newPowered(t)
	eventually(t, "something is acknowledged", func() bool { return len(p.load.acknowledged()) > 0 })
	time.Sleep(time.Duration(100+p.rng.IntN(300)) * time.Millisecond)
	before := p.load.acknowledged()
	p.disk.fail()
	p.load.epoch.Add(1) // requests that begin from here on
	done := make(chan struct{})
	go func() { _ = p.s.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("the server goes on; it said:\n%s", p.s.log)
	}
	if code := p.s.cmd.ProcessState.ExitCode(); code != 74 {
		t.Errorf("it ended with code %d, want 74; it said:\n%s", code, p.s.log)
	}
	if n := p.load.late.Load(); n > 0 {
		t.Errorf("%d requests that began after the failure were acknowledged", n)
	}
	p.disk.remount()
	restart := p.s.start()
	p.load.end()
	lost := 0
	for uid, n := range before {
		if !p.stored(uid, n) {
			lost++
		}
	}
	if lost > 0 || len(before) == 0 {
		t.Errorf("%d of %d events that were acknowledged before are not stored", lost, len(before))
	}
	t.Logf("%d events acknowledged before, all stored; restart to ready %v", len(before), restart)
	p.s.stop()
}
