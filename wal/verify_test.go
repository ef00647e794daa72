package wal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// verifyWorld is a store with a delivery in each state.
type verifyWorld struct {
	l                              *Log
	owed, retry, failed, delivered event.Delivery
	ev                             *event.Event
}

func newVerifyWorld(t *testing.T, fs vfs.FS) *verifyWorld {
	l, err := Open(testOptions(fs))
	must(t, err)
	recoverAll(t, l)
	w := &verifyWorld{l: l}
	w.ev = appendOne(t, l, post(idOf(1), "retried", idOf(2)))
	w.retry = settle(t, l, attempted(w.ev.Owed[0], event.Retry))
	w.failed = settle(t, l, attempted(appendOne(t, l, post(idOf(1), "failed", idOf(3))).Owed[0], event.Failure))
	w.delivered = settle(t, l, attempted(appendOne(t, l, post(idOf(1), "delivered", idOf(4))).Owed[0], event.Success))
	w.owed = appendOne(t, l, post(idOf(1), strings.Repeat("owed", 100), idOf(5))).Owed[0]
	must(t, l.SetMark(event.Mark{Watermark: w.owed.ID.Time(), Behind: []event.Behind{{Endpoint: idOf(5), After: event.Before(w.owed.ID)}}}))
	must(t, l.CASCatalog([]event.CatalogRecord{rec('p', 1, 1, "project")}))
	must(t, l.PutJob(event.Job{ID: idOf(6), ProjectID: idOf(1), Kind: event.JobRetry, State: event.JobRunning}))
	must(t, l.Flush())
	return w
}

// set writes a record past the log.
func (w *verifyWorld) set(t *testing.T, key, body []byte) {
	value := append(make([]byte, recordHeaderLen), body...)
	seal(value, key)
	must(t, w.l.db.Set(key, value, pebble.Sync))
}

func (w *verifyWorld) drop(t *testing.T, key []byte) {
	_, closer, err := w.l.db.Get(key)
	must(t, err) // it must be there, or the test tests nothing
	must(t, closer.Close())
	must(t, w.l.db.Delete(key, pebble.Sync))
}

// TestVerifyFindsWhatDoesNotAgree removes and changes records one by one, past the log.
func TestVerifyFindsWhatDoesNotAgree(t *testing.T) {
	for _, c := range []struct {
		name, check, want string
		level             Level
		change            func(t *testing.T, w *verifyWorld)
	}{
		{"nothing", "", "", Fine, func(*testing.T, *verifyWorld) {}},
		{"event gone", "references", "has no event", Broken, func(t *testing.T, w *verifyWorld) {
			w.drop(t, appendEventKey(nil, w.ev.ProjectID, w.ev.ID))
		}},
		{"event removed by retention", "", "", Fine, func(t *testing.T, w *verifyWorld) {
			w.drop(t, appendEventKey(nil, w.ev.ProjectID, w.ev.ID))
			next := bucketOf(w.l.now()) + 1
			key := appendGoneKey(nil, event.ID{})
			must(t, w.l.db.Set(key, sealedGone(key, &progress{gone: next}), pebble.Sync))
		}},
		{"delivery gone", "references", "owes delivery", Broken, func(t *testing.T, w *verifyWorld) {
			w.drop(t, appendDeliveryKey(nil, w.owed.ID, w.l.partitions, 0))
		}},
		{"outcome without delivery", "records", "without its delivery", Broken, func(t *testing.T, w *verifyWorld) {
			w.drop(t, appendDeliveryKey(nil, w.delivered.ID, w.l.partitions, 0))
		}},
		{"outcome gone", "references", "is due at", Broken, func(t *testing.T, w *verifyWorld) {
			w.drop(t, appendDeliveryKey(nil, w.retry.ID, w.l.partitions, 2))
		}},
		{"timer gone", "references", "has no timer", Broken, func(t *testing.T, w *verifyWorld) {
			w.drop(t, appendTimerKey(nil, w.retry.EndpointID, w.l.partitions, timeMillis(w.retry.Due), w.retry.ID))
		}},
		{"status gone", "references", "do not find it", Broken, func(t *testing.T, w *verifyWorld) {
			w.drop(t, appendStatusKey(nil, idOf(1), event.Failure, w.failed.ID))
		}},
		{"status of another", "references", "is in Success", Broken, func(t *testing.T, w *verifyWorld) {
			must(t, w.l.db.Set(appendStatusKey(nil, idOf(1), event.Failure, w.delivered.ID), nil, pebble.Sync))
		}},
		{"status of nothing", "references", "is gone", Warning, func(t *testing.T, w *verifyWorld) {
			must(t, w.l.db.Set(appendStatusKey(nil, idOf(1), event.Failure, event.Before(w.failed.ID)), nil, pebble.Sync))
		}},
		{"passed by the watermark", "references", "has passed it", Broken, func(t *testing.T, w *verifyWorld) {
			w.set(t, appendWatermarkKey(nil, allPartitions), appendMillis(nil, w.owed.ID.Time()+1))
			w.drop(t, appendBehindKey(nil, idOf(5), w.l.partitions))
		}},
		{"newest id too old", "watermark", "could repeat", Broken, func(t *testing.T, w *verifyWorld) {
			w.set(t, appendWatermarkKey(nil, newestID), appendMillis(nil, w.ev.ID.Time()-5))
		}},
		{"clock ahead", "watermark", "clock", Warning, func(t *testing.T, w *verifyWorld) {
			w.set(t, appendWatermarkKey(nil, newestID), appendMillis(nil, uint64(time.Now().Add(48*time.Hour).UnixMilli())))
		}},
		{"unknown kind", "records", "unknown kind", Broken, func(t *testing.T, w *verifyWorld) {
			must(t, w.l.db.Set([]byte("Zebra"), nil, pebble.Sync))
		}},
		{"key cut short", "records", "a key of", Broken, func(t *testing.T, w *verifyWorld) {
			must(t, w.l.db.Set([]byte("E12"), nil, pebble.Sync))
		}},
		{"job", "records", "not a job", Broken, func(t *testing.T, w *verifyWorld) {
			w.set(t, appendJobKey(nil, idOf(1), idOf(6)), []byte("{"))
		}},
		{"catalog", "records", "checksum", Broken, func(t *testing.T, w *verifyWorld) { damage(t, w.l, kindCatalog) }},
		{"event", "records", "checksum", Broken, func(t *testing.T, w *verifyWorld) { damage(t, w.l, kindEvent) }},
		{"delivery", "records", "checksum", Broken, func(t *testing.T, w *verifyWorld) { damage(t, w.l, kindDelivery) }},
		{"behind", "records", "checksum", Broken, func(t *testing.T, w *verifyWorld) { damage(t, w.l, kindBehind) }},
		{"watermark", "records", "checksum", Broken, func(t *testing.T, w *verifyWorld) { damage(t, w.l, kindWatermark) }},
		{"header", "format", "checksum", Broken, func(t *testing.T, w *verifyWorld) { damage(t, w.l, kindHeader) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem := vfs.NewMem()
			w := newVerifyWorld(t, mem)
			c.change(t, w)
			must(t, w.l.Close())
			before := filesOf(t, mem)
			worst, findings := verifyStore(t, mem)
			if worst != c.level || c.want != "" && !hasFinding(findings, c.check, c.want, c.level) {
				t.Errorf("%v: %v", worst, findings)
			}
			for name, data := range filesOf(t, mem) {
				if !bytes.Equal(before[name], data) {
					t.Errorf("Verify changed %s", name)
				}
			}
		})
	}
}

func hasFinding(findings []Finding, check, text string, level Level) bool {
	for _, f := range findings {
		if f.Check == check && f.Level == level && strings.Contains(f.Text, text) {
			return true
		}
	}
	return false
}

// TestVerifyIsBounded: what is wrong a thousand times is told twenty times and counted.
func TestVerifyIsBounded(t *testing.T) {
	mem := vfs.NewMem()
	w := newVerifyWorld(t, mem)
	for n := range 1000 {
		must(t, w.l.db.Set(fmt.Appendf(nil, "Z%d", n), nil, pebble.NoSync))
	}
	must(t, w.l.Close())
	_, findings := verifyStore(t, mem)
	if len(findings) > 40 || !hasFinding(findings, "records", "and 980 more", Broken) {
		t.Errorf("%d findings: %v", len(findings), findings)
	}
}

func TestVerifyOfNoStore(t *testing.T) {
	mem := vfs.NewMem()
	v := Verification{Dir: "log", FS: mem, Report: func(Finding) {}}
	if _, err := Verify(t.Context(), v); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	must(t, mem.MkdirAll("log", 0o700))
	if _, err := Verify(t.Context(), v); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
	l := newVerifyWorld(t, mem).l
	if _, err := Verify(t.Context(), v); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("an open store: %v", err)
	}
	must(t, l.Close())
}
