package stats

import (
	"math/bits"
	"time"
)

// Latency is counted in four equal buckets for each doubling, from a quarter of a
// millisecond on: bucket 0 is what is below that, the last all from 65 s on.
const (
	latencyUnit    = time.Second / 16000 // 62.5 µs; four of them are the least that is told apart
	latencyBuckets = 74
)

// LatencyBucket is the bucket of a time.
func LatencyBucket(d time.Duration) int {
	v := uint64(max(0, d) / latencyUnit)
	if v < 4 {
		return 0
	}
	octave := bits.Len64(v) - 3
	return min(1+4*octave+int(v>>octave&3), latencyBuckets-1)
}

// latencyBounds is where a bucket begins and ends. The last has no end; as much again
// is taken for it.
func latencyBounds(bucket int) (low, high time.Duration) {
	if bucket <= 0 {
		return 0, 4 * latencyUnit
	}
	octave, quarter := (bucket-1)/4, (bucket-1)%4
	return time.Duration(4+quarter) << octave * latencyUnit, time.Duration(5+quarter) << octave * latencyUnit
}
