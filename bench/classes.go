package bench

import (
	"sync/atomic"
	"time"

	"posthaste/bench/report"
)

// classCount is what the receiver keeps of the first receipts at one class of
// endpoints: those that stay healthy in a measurement, or those that do not.
// Any number of goroutines may record.
type classCount struct {
	distinct atomic.Int64
	lastNS   atomic.Int64
	latency  *recorder // from the time in the payload to the receipt
}

// ClassTally is what arrived at one class of endpoints in a phase.
type ClassTally struct {
	Delivered int            `json:"delivered"` // first receipts
	LastNS    int64          `json:"last_ns"`   // Unix time of the last of them
	Latency   report.Latency `json:"latency"`
}

func (c *classCount) record(spread uint64, now time.Time, latency time.Duration) {
	raise(&c.lastNS, now.UnixNano())
	c.latency.record(spread, latency)
	c.distinct.Add(1)
}

func (c *classCount) reset() {
	c.distinct.Store(0)
	c.lastNS.Store(0)
	c.latency.reset()
}

func (c *classCount) tally() ClassTally {
	return ClassTally{Delivered: int(c.distinct.Load()), LastNS: c.lastNS.Load(), Latency: c.latency.summary()}
}

// Split tells the class of the first so many endpoints, those that stay healthy,
// from that of the others. It is called between phases; a receiver that is not
// split has one class.
func (r *Receiver) Split(healthy int) { r.healthyBelow.Store(uint64(healthy)) }

// classOf returns the class that counts an endpoint's receipts.
func (r *Receiver) classOf(endpoint uint64) *classCount {
	if below := r.healthyBelow.Load(); below > 0 && endpoint >= below {
		return &r.sick
	}
	return &r.healthy
}

// HealthyDistinct is how many deliveries of the phase have arrived at endpoints
// that stay healthy.
func (r *Receiver) HealthyDistinct() int { return int(r.healthy.distinct.Load()) }
