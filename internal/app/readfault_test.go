package app

import (
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"posthaste/event"
	"posthaste/wal/waltest"
)

// TestReadsThatFailChangeNothing fails every few reads of tables with EIO while a server
// delivers: whoever asks gets an error, endpoints rest and read again, and in the end
// everything is as the endpoints wanted it: nothing lost, nobody given up for it.
func TestReadsThatFailChangeNothing(t *testing.T) {
	for _, every := range []int64{2, 3, 7} {
		synctest.Test(t, func(t *testing.T) {
			var armed atomic.Bool
			var failed atomic.Int64
			disk := waltest.NewDisk()
			disk.Before(func(op waltest.Op) error {
				// Pebble tries a compaction that failed again without a pause, so there
				// must be an end to it for time to go on.
				if armed.Load() && !op.Write && op.N%every == 0 && op.File() == "table" && failed.Add(1) < 2000 {
					return syscall.EIO
				}
				return nil
			})
			r, err := openRig(disk, newLedger(), false)
			if err != nil {
				t.Fatal(err)
			}
			work := func() error {
				if err := r.set(); err != nil {
					return err
				}
				if err := r.produce(8); err != nil {
					return err
				}
				armed.Store(true)
				if err := r.insist(100, 16); err != nil {
					return err
				}
				time.Sleep(20 * time.Second)
				armed.Store(false)
				return r.await()
			}
			if err := errors.Join(work(), r.close()); err != nil {
				t.Errorf("with every %d. read failing: %v", every, err)
			}
			t.Logf("%d reads failed", failed.Load())
			if failed.Load() < 20 {
				t.Errorf("%d reads failed, too few", failed.Load())
			}
		})
	}
}

// insist posts so many events from n on, each until it is taken.
func (r *rig) insist(n, count int) error {
	for i := range count {
		for {
			err := r.post(r.submission(n + i))
			if err == nil {
				break
			}
			if !errors.Is(err, syscall.EIO) || errors.Is(err, event.ErrNotFound) {
				return err
			}
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(40 * time.Millisecond)
	}
	return nil
}
