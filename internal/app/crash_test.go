package app

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"posthaste/wal"
	"posthaste/wal/waltest"
)

// soak is how long tests that go through chances are to go on: the environment's SOAK,
// a duration; 0: a short run.
func soak(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("SOAK")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("SOAK=%q: want a duration such as 10m", text)
	}
	return d
}

// powerCut is what one moment of a history left.
type powerCut struct {
	write  int64 // the write inside which the power went
	at     time.Time
	disk   *waltest.Disk
	ledger *ledger
}

// history is one run of a server, and the power cuts in it. A power cut does not end the
// run: it begins another history, which goes on from what was on the disk.
type history struct {
	relaxed bool
	every   int64 // a cut inside each so many-th write
	first   int64 // the first of them

	mu   sync.Mutex
	cuts []powerCut
	did  wal.Stats // by the log
}

// cut notes what a power cut inside a write would leave. It keeps 0, 1, 50 or 100
// percent of what was not synced.
func (h *history) cut(disk *waltest.Disk, l *ledger, op waltest.Op) {
	percent := []int{0, 1, 50, 100}[op.N%4]
	l.mu.Lock() // nothing reaches an endpoint between the fork and the cut
	c := powerCut{op.N, time.Now().Round(0), nil, l.fork()}
	c.disk = disk.PowerCut(uint64(op.N), percent)
	l.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cuts = append(h.cuts, c)
}

// live runs a server on a disk until nothing is owed, and checks its ledger.
func (h *history) live(disk *waltest.Disk, l *ledger, work func(*rig) error) (err error) {
	disk.Before(func(op waltest.Op) error {
		if op.Write && op.N >= h.first && (op.N-h.first)%h.every == 0 {
			h.cut(disk, l, op)
		}
		return nil
	})
	r, err := openRig(disk, l, h.relaxed)
	if err != nil {
		return err
	}
	defer func() {
		h.did = r.log.Stats()
		err = errors.Join(err, r.close())
	}()
	if err := work(r); err != nil {
		return err
	}
	return r.await()
}

const rigRequests = 24

func firstLife(r *rig) error {
	if err := r.set(); err != nil {
		return err
	}
	return r.produce(rigRequests)
}

// nextLife is what comes after a power cut: repeats of what was acknowledged, and
// something new.
func nextLife(r *rig) error {
	if err := r.repeat(); err != nil {
		return err
	}
	if len(r.ledger.endpoints) < len(rigEndpoints) {
		return nil // the power went before there was anything to deliver to
	}
	return r.post(r.submission(1_000_001))
}

// downtimes is how long the power stays away.
var downtimes = []time.Duration{0, time.Millisecond, 3 * time.Second, 2 * time.Hour}

// goOn lives on from a power cut, and cuts the power again inside write again of that
// life; 0: not. It returns that cut too.
func (c *powerCut) goOn(t *testing.T, relaxed bool, again int64) (cuts []powerCut, err error) {
	synctest.Test(t, func(*testing.T) {
		time.Sleep(time.Until(c.at) + downtimes[c.write/4%4])
		h := &history{relaxed: relaxed, every: 1 << 62, first: again}
		if again == 0 {
			h.first = 1 << 62
		}
		err = h.live(c.disk, c.ledger, nextLife)
		cuts = h.cuts
	})
	return cuts, err
}

func (c *powerCut) String() string {
	return fmt.Sprintf("power cut %d, inside write %d, at %s: %d events acknowledged, %d attempts begun", c.ledger.life, c.write, c.at.Format("05.000"), len(c.ledger.acked), len(c.ledger.begun))
}

// run makes a history with cuts from the first write on.
func (h *history) run(t *testing.T) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if err := h.live(waltest.NewDisk(), newLedger(), firstLife); err != nil {
			t.Fatalf("without any power cut: %v", err)
		}
	})
	t.Logf("%d power cuts, %d flushes, %d compactions", len(h.cuts), h.did.Flushes, h.did.Compactions)
	if h.did.Flushes < 3 || h.did.Compactions < 1 || len(h.cuts) < 10 {
		t.Errorf("too little happened: %d cuts, %+v", len(h.cuts), h.did)
	}
}

// TestPowerCutsChangeNothing cuts the power inside writes of log, catalog and engine
// together: from first to last of a run with flushes and compactions, with endpoints
// that fail, time out, are gone, ask to be left alone, or are rate limited. Afterwards
//
//	I1 what was acknowledged is there, whole, and is delivered or ends with a reason;
//	I2 nothing is attempted that is not stored;
//	I3 no delivery has more attempts than its schedule and one for each power cut;
//	   one that is made at most once has one;
//	I4 all attempts of a delivery carry the same ids and bytes;
//	I5 no endpoint gets more at once, or in any window of one life, than its limits say;
//	I6 what had ended durably has ended: nothing is sent for it again.
//
// With SOAK every write is cut; without, every so many-th is. Of some cuts the life that
// follows is cut again.
func TestPowerCutsChangeNothing(t *testing.T) {
	every, until := int64(13), time.Now().Add(soak(t))
	if raceEnabled {
		every = 41
	}
	total, twice := 0, 0
	for first := int64(1); first == 1 || first <= every && soak(t) > 0 || time.Now().Before(until); first++ {
		h := &history{every: every, first: first}
		h.run(t)
		for i, c := range h.cuts {
			again := int64(0)
			if i%8 == 3 {
				again = 1 + c.write%200
			}
			cuts, err := c.goOn(t, false, again)
			for k := 0; k < len(cuts) && err == nil; k++ {
				twice++
				c = cuts[k]
				_, err = c.goOn(t, false, 0)
			}
			if total++; err != nil {
				t.Fatalf("%v\n%v", &c, err)
			}
		}
	}
	t.Logf("%d power cuts, %d of them with a second one in the life that followed", total, twice)
}

// TestRelaxedDoesNotOutliveAPowerCut tests the test above: where the log acknowledges
// before the fsync, it has to find a loss.
func TestRelaxedDoesNotOutliveAPowerCut(t *testing.T) {
	h := &history{relaxed: true, every: 17, first: 5}
	h.run(t)
	lost := 0
	for _, c := range h.cuts {
		if _, err := c.goOn(t, true, 0); err != nil {
			if lost++; lost == 3 {
				break
			}
		}
	}
	if lost == 0 {
		t.Errorf("none of %d power cuts lost anything", len(h.cuts))
	}
}

var _ reader = (*wal.Log)(nil)
