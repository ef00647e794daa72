package bench

import (
	"crypto/sha256"
	"fmt"
	"time"

	"posthaste/bench/report"
)

const (
	// probeFor is how long a probe of the machine's speed takes.
	probeFor = 100 * time.Millisecond
	// speedSpread is the share by which the speed may fall before a note says so.
	speedSpread = 0.20
)

// probeSpeed measures one core by hashing the same block over and over. It keeps
// the calling goroutine busy for probeFor.
func probeSpeed(after string) report.Speed {
	const batch = 64 // hashes between two looks at the clock
	var block [1024]byte
	start := time.Now()
	n := 0
	for time.Since(start) < probeFor {
		for range batch {
			sum := sha256.Sum256(block[:])
			block[0] ^= sum[0]
		}
		n += batch
	}
	return report.Speed{After: after, Hashes: float64(n) / time.Since(start).Seconds()}
}

// speedNotes says so if the machine was not equally fast all the time.
func speedNotes(r *report.Report) []string {
	spread := r.SpeedSpread()
	if spread <= speedSpread {
		return nil
	}
	slow, fast := r.Speed[0], r.Speed[0]
	for _, p := range r.Speed {
		if p.Hashes < slow.Hashes {
			slow = p
		}
		if p.Hashes > fast.Hashes {
			fast = p
		}
	}
	return []string{fmt.Sprintf(
		"the machine's speed changed during the run: %.0f%% less after %s than after %s; compare ratios, not values", 100*spread, slow.After, fast.After)}
}
