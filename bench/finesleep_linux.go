package bench

import (
	"syscall"
	"time"
)

// sleepFinely sleeps for d or less, to some fifty microseconds, and blocks its
// thread meanwhile.
func sleepFinely(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil) // cut short by a signal: the caller looks at the clock
}
