package wal

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// dirBytes is what a folder takes on the disk.
func dirBytes(t testing.TB, dir string) (n int64) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // a file may go while we look
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	}))
	return n
}

// noiseBytes fills b with text that hardly compresses.
func noiseBytes(b []byte, rng *rand.Rand) {
	for i := range b {
		b[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"[rng.IntN(64)]
	}
}

// spaceRun fills a store on the disk with hours of traffic: for each event of 1 KiB two
// deliveries that succeeded, with 600 bytes of headers and answer each.
type spaceRun struct {
	o      Options
	l      *Log
	rng    *rand.Rand
	bytes  int64 // of data and attempts
	oldest uint32
}

const spaceHours = 10

func newSpaceRun(t *testing.T, total int64) *spaceRun {
	t.Helper()
	r := &spaceRun{rng: rand.New(rand.NewPCG(1, 2))}
	r.o = Options{Dir: t.TempDir(), FS: vfs.Default, MemTableBytes: 2 << 20, OnFatal: func(err error) { panic(err) }}
	r.o.rewriteAge = time.Nanosecond
	r.l = openLog(t, r.o)
	recoverAll(t, r.l)
	start := r.l.now()/hour + 1
	r.oldest = uint32(start)
	for h := range uint64(spaceHours) {
		setClock(r.l, (start+h)*hour)
		for r.bytes < total*int64(h+1)/spaceHours {
			r.request(t)
		}
	}
	setClock(r.l, (start+spaceHours)*hour)
	must(t, r.l.SetMark(event.Mark{Watermark: (start + spaceHours) * hour}))
	must(t, r.l.Flush())
	return r
}

func (r *spaceRun) request(t *testing.T) {
	const events = 50
	subs := make([]event.Submission, events)
	for i := range subs {
		subs[i] = post(idOf(uint64(1+i%2)), "", idOf(uint64(10+2*r.rng.IntN(40)+i%2)), idOf(uint64(100+2*r.rng.IntN(40)+i%2)))
		subs[i].Event.Data = make([]byte, 1024)
		noiseBytes(subs[i].Event.Data, r.rng)
	}
	must(t, r.l.Append(t.Context(), subs))
	for i := range subs {
		r.bytes += 1024
		for j := range subs[i].Event.Owed {
			s := attempted(subs[i].Event.Owed[j], event.Success)
			buf := make([]byte, 600)
			noiseBytes(buf, r.rng)
			s.Attempt.RequestHeaders, s.Attempt.ResponseHeaders, s.Attempt.ResponseBody = buf[:300], buf[300:500], buf[500:]
			must(t, r.l.Settle(&s))
			r.bytes += 600
		}
	}
}

// settled is the store's and the folder's size once the store has done what it does by
// itself: when they are as they should be, or have not been for a minute.
func (r *spaceRun) settled(t *testing.T, should func(live, folder int64) bool) (live, folder int64) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		live, folder = r.l.liveBytes(), dirBytes(t, r.o.Dir)
		if should(live, folder) || time.Now().After(end) {
			return live, folder
		}
	}
}

// TestRetentionGivesSpaceBack on the disk: the store shrinks as its contents do, and
// the folder with it. SPACE_MIB sets how much is written, 24 by default.
func TestRetentionGivesSpaceBack(t *testing.T) {
	mib := int64(24)
	if n, err := strconv.ParseInt(os.Getenv("SPACE_MIB"), 10, 64); err == nil {
		mib = n
	}
	const events, attempts = 1024. / 2224, 1200. / 2224 // of what is written
	three := Keep{Payload: 3 * time.Hour, History: 3 * time.Hour}
	for _, c := range []struct {
		name string
		p    Policy
		want float64 // of what was written
	}{
		{"all but three hours", Policy{Default: three}, 0.3},
		{"the payload of all but three hours", Policy{Default: Keep{Payload: three.Payload}}, 0.3*events + attempts},
		{"the history of all but three hours", Policy{Default: Keep{History: three.History}}, 0.3*attempts + events},
		{"all but three hours of one of two projects", Policy{Except: map[event.ID]Keep{idOf(1): three}}, 0.5*0.3 + 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newSpaceRun(t, mib<<20)
			must(t, r.l.db.Flush())
			folder, began := dirBytes(t, r.o.Dir), time.Now()
			c.p.Now = hourTime(r.oldest + spaceHours)
			res, err := r.l.Retain(c.p)
			must(t, err)
			took := time.Since(began)
			most := c.want/(1-garbage) + 0.08
			after, left := r.settled(t, func(live, left int64) bool {
				return float64(live) <= most*float64(res.Before) && folder-left >= (res.Before-live)*8/10
			})
			folder -= left
			is := float64(after) / float64(res.Before)
			t.Logf("%d MiB written; kept are %.0f%%; the store had %d MiB, has %d (%.0f%%), and had %d when Retain returned; the folder lost %d; %d ranges in %d hours, %d ms",
				mib, 100*c.want, res.Before>>20, after>>20, 100*is, res.After>>20, folder>>20, res.Ranges, res.Hours, took.Milliseconds())
			if is > most || is < c.want-0.25 {
				t.Errorf("%.0f%% are left of the store, of what was written %.0f%%; up to %.0f%% are allowed", 100*is, 100*c.want, 100*most)
			}
			if freed := res.Before - after; folder < freed*8/10 {
				t.Errorf("the store says %d bytes were freed, the folder lost %d", freed, folder)
			}
		})
	}
}
