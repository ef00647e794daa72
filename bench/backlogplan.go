package bench

import (
	"fmt"
	"time"
)

// How the endpoint of outage is down.
const (
	outageFail    = "500"     // it answers 500 at once
	outageRefused = "refused" // nobody listens at its address
	outageHang    = "hang"    // it does not answer until the sender gives up
)

var outageKinds = []string{outageFail, outageRefused, outageHang}

// mixOf: of so many events one is for an endpoint that is well, the others are for
// the one that goes down.
const mixOf = 5

// Bounds of the backlog.
const (
	maxOwed          = 12_000_000
	leastBacklogRate = 1000    // events or deliveries a second; what is slower is given up
	eventDiskBytes   = 1.5     // for a byte of payload and eventOverhead, with compactions in progress
	eventOverhead    = 400     // bytes of keys, attempts and timers of an event
	storeDiskBytes   = 1 << 30 // for everything else
	tailParts        = 20      // each burst before a kill is this part of the whole: more than the server keeps in memory, at full size
	retrySecondsPer  = 50_000
	retryAttempts    = 1000 // the most that a project may set
)

// backlogPlan is how much is posted and how long that may take.
type backlogPlan struct {
	batch    int // events of a request
	events   int // to fill the backlog
	tail     int // events before each kill
	capacity int // events in all, and probes

	retrySeconds int // between two attempts of a delivery
	fillLimit    time.Duration
	drainLimit   time.Duration // in all
	stallLimit   time.Duration // without any delivery
	diskBytes    int64         // that the store may need
}

// planBacklog scales the wait between attempts with the backlog: 100 s, which is the
// server's default, at five million.
func (r *runner) planBacklog() backlogPlan {
	p := backlogPlan{batch: roundUp(r.BatchSize, mixOf)}
	p.events = roundUp((r.Owed*mixOf+mixOf-2)/(mixOf-1), p.batch)
	p.tail = roundUp(p.events/tailParts, p.batch)
	p.capacity = p.events + r.Repeat*(p.tail+2) + 1
	p.retrySeconds = min(max(r.Owed/retrySecondsPer, 1), 100)
	perEvent := time.Second / leastBacklogRate
	p.fillLimit = r.TailLimit + time.Duration(p.events)*perEvent
	p.stallLimit = r.TailLimit + 3*time.Duration(p.retrySeconds)*time.Second
	p.drainLimit = p.stallLimit + time.Duration(p.capacity)*perEvent
	p.diskBytes = storeDiskBytes + int64(eventDiskBytes*float64(p.capacity)*float64(r.PayloadBytes+eventOverhead))
	return p
}

// limit is longer than everything together may take.
func (p *backlogPlan) limit(r *runner) time.Duration {
	return r.legLimit() + p.fillLimit + p.drainLimit + 2*(3*r.Duration+p.stallLimit) +
		time.Duration(r.Repeat)*(2*serverReadyTimeout+r.TailLimit+time.Duration(p.tail)*time.Second/leastBacklogRate)
}

// fits returns an error, which is no failure, if the store may not have room in dir.
func (p *backlogPlan) fits(dir string, payload int) error {
	free, known := freeBytes(dir)
	if !known || free >= p.diskBytes {
		return nil
	}
	return fmt.Errorf("%w: %d events of %d bytes may need %.1f GiB in %s, where %.1f GiB are free; see owed and data-root",
		errLeftOut, p.capacity, payload, gibibytes(p.diskBytes), dir, gibibytes(free))
}

func gibibytes(n int64) float64 { return float64(n) / (1 << 30) }

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// mixedEndpoints are the endpoints of a load in which every mixOf-th event is for
// one that is well, each of them in its turn, and the others are for down. Batches
// of a multiple of mixOf events keep to that exactly.
func mixedEndpoints(down string, well []string) []string {
	var ids []string
	for _, id := range well {
		for range mixOf - 1 {
			ids = append(ids, down)
		}
		ids = append(ids, id)
	}
	return ids
}
