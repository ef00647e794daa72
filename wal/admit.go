package wal

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// errDamaged is what an operator is told to do about a damaged store.
var errDamaged = errors.New("no data was removed; see what is affected with posthaste doctor, and bring the store back from a backup")

// admit looks at the files of a store before Pebble does, which would take some damage for
// the end of a file. It returns the state that the last process left; nil if there is
// none, or no store. Damage is refused.
func (l *Log) admit() (*storeState, error) {
	if _, err := l.o.FS.Stat(l.o.Dir); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	lock, err := pebble.LockDirectory(l.o.Dir, l.o.FS)
	if err != nil {
		return nil, lockError(err)
	}
	defer lock.Close()
	state, damage, err := inspect(l.o)
	if err == nil && damage != nil {
		err = fmt.Errorf("%w: %w", damage, errDamaged)
	}
	return state, err
}

// inspect reads the state and the files of a store that nobody has open, and returns the
// first damage.
func inspect(o Options) (*storeState, *DamageError, error) {
	state, err := readState(o.FS, o.Dir)
	var damage *DamageError
	if errors.As(err, &damage) {
		return nil, damage, nil
	}
	if err != nil {
		return nil, nil, err
	}
	f, err := readFiles(o.FS, o.Dir, state != nil && !state.Relaxed)
	if err != nil {
		return nil, nil, err
	}
	if len(f.damage) > 0 {
		return state, f.damage[0], nil
	}
	_, damage = state.compare(f)
	return state, damage, nil
}

// lockError names the reason for which a store cannot be locked.
func lockError(err error) error {
	if errors.Is(err, syscall.EAGAIN) { // of fcntl(F_SETLK) on the file LOCK
		return fmt.Errorf("another process has it open: %w", err)
	}
	return err
}

// checkNewest compares the time of the newest id with that of the last clean stop.
func (l *Log) checkNewest(state *storeState) error {
	if state == nil || state.State != stateStopped {
		return nil
	}
	newest, err := watermarkOf(l.db, newestID)
	if err == nil && newest < state.NewestID {
		damage := &DamageError{state.Manifest, -1, fmt.Sprintf("not as the clean stop of %s left it: the newest id was of %s and is of %s",
			state.At, millisTime(state.NewestID), millisTime(newest))}
		err = fmt.Errorf("%w: %w", damage, errDamaged)
	}
	return err
}
