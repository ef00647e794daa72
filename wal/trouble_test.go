package wal

import (
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestTrouble: tables that cannot be written for longer than the log is patient are
// final, unless one could be written meanwhile, or it is for lack of space.
func TestTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		err     error
		success time.Duration // after which one table could be written; 0: none
		opening bool          // nobody waits for space
		want    bool
	}{
		"broken":                 {err: syscall.EIO, want: true},
		"broken once in a while": {err: syscall.EIO, success: 8 * time.Second},
		"full":                   {err: syscall.ENOSPC},
		"over the quota":         {err: syscall.EDQUOT},
		"read-only":              {err: syscall.EROFS},
		"full at the start":      {err: syscall.ENOSPC, opening: true, want: true},
		"soon room at the start": {err: syscall.ENOSPC, opening: true, success: 8 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			var tr trouble
			final := false
			for at := time.Duration(0); at <= 12*time.Second; at += time.Second {
				if at == c.success && at > 0 {
					tr.ended(nil)
				}
				final = tr.failed(errors.Join(c.err), 10*time.Second, !c.opening) || final
				tr.ended(c.err)
				time.Sleep(time.Second)
			}
			if final != c.want {
				t.Errorf("%s: final %v, want %v", name, final, c.want)
			}
		})
	}
}
