//go:build !linux

package bench

import (
	"context"
	"time"
)

// sleepFinely sleeps for d, as well as the runtime's timers can.
func sleepFinely(d time.Duration) { _ = sleep(context.Background(), d) }
