package wal

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func stateOf(t *testing.T, fs vfs.FS) *storeState {
	t.Helper()
	s, err := readState(fs, "log")
	must(t, err)
	if s == nil {
		t.Fatal("there is no state")
	}
	return s
}

func TestStateFollowsTheLog(t *testing.T) {
	mem := vfs.NewCrashableMem()
	o := testOptions(mem)
	l := openLog(t, o)
	if s := stateOf(t, mem); s.State != stateRunning || s.Relaxed || s.By != "test" {
		t.Errorf("open: %+v", s)
	}
	ev := appendOne(t, l, post(idOf(1), "x", idOf(2)))
	must(t, l.Close())
	if s := stateOf(t, mem); s.State != stateStopped || s.NewestID < ev.ID.Time() || s.LogRecords != 0 || s.NextSequence <= firstSequence {
		t.Errorf("closed: %+v", s)
	}
	o.Relaxed = true
	l = openLog(t, o)
	if s := stateOf(t, mem); s.State != stateRunning || !s.Relaxed {
		t.Errorf("open again: %+v", s)
	}
	crashed := testOptions(mem.CrashClone(vfs.CrashCloneCfg{}))
	must(t, l.Close())
	openLog(t, crashed) // which syncs
	if s := stateOf(t, crashed.FS); s.Relaxed {
		t.Errorf("after the last process's records are in tables: %+v", s)
	}
}

// TestOlderStoreAfterACleanStop: manifest and tables of an earlier moment, whole in
// themselves, beside the state of a later one.
func TestOlderStoreAfterACleanStop(t *testing.T) {
	mem := vfs.NewMem()
	o := testOptions(mem)
	l := openLog(t, o)
	appendOne(t, l, post(idOf(1), "first", idOf(2)))
	must(t, l.Close())
	older := filesOf(t, mem)
	l = openLog(t, o)
	appendOne(t, l, post(idOf(1), "second", idOf(2)))
	must(t, l.Close())
	newer := filesOf(t, mem)

	mixed := older.load(t, files{stateFile: newer[stateFile]})
	_, err := Open(testOptions(mixed))
	var damage *DamageError
	if !errors.As(err, &damage) || !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "clean stop") || !strings.Contains(err.Error(), "posthaste doctor") {
		t.Errorf("the older store opened: %v", err)
	}
	if _, err := OpenReadOnly(testOptions(mixed)); !errors.As(err, &damage) {
		t.Errorf("the older store opened for reading: %v", err)
	}
	must(t, mixed.Remove("log/"+stateFile)) // the operator's word
	l = openLog(t, testOptions(mixed))
	if n := len(stored(t, l)); n != 1 {
		t.Errorf("%d events", n)
	}
	// The other way round the state is of a moment before: somebody used the store who
	// does not write it.
	l = openLog(t, testOptions(newer.load(t, files{stateFile: older[stateFile]})))
	if n := len(stored(t, l)); n != 2 {
		t.Errorf("%d events", n)
	}
}

// TestFullDiskDoesNotKeepTheState: where the state cannot be written, the old one goes.
func TestFullDiskDoesNotKeepTheState(t *testing.T) {
	mem := vfs.NewMem()
	l := openLog(t, testOptions(mem))
	must(t, l.Close())
	l.o.FS = noState{mem}
	must(t, l.markRunning(false))
	if s, err := readState(mem, "log"); s != nil || err != nil {
		t.Errorf("%+v, %v", s, err)
	}
}

// noState is a disk without room for the state.
type noState struct{ vfs.FS }

func (fs noState) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.Contains(name, stateFile) {
		return nil, errors.New("no space left on device")
	}
	return fs.FS.Create(name, c)
}
