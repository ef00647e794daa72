package wal

import (
	"errors"
	"fmt"
	"testing"
)

// TestAValueFileThatWasReplaced: a compaction, which may run since the store opened, takes
// files away while they are looked at. Only one that the store still consists of is missed.
func TestAValueFileThatWasReplaced(t *testing.T) {
	l := newLogInMemory(t)
	for i := range 50 {
		appendOne(t, l, post(idOf(1), fmt.Sprintf("%0900d", i), idOf(2)))
	}
	must(t, l.db.Flush())
	files := l.valueFiles()
	if len(files) == 0 {
		t.Fatal("there is no value file")
	}
	files[999_999] = 17
	must(t, l.checkThese(files, true))
	for number := range l.valueFiles() {
		files[number]++
	}
	var damage *DamageError
	if err := l.checkThese(files, true); !errors.As(err, &damage) || !errors.Is(err, errDamaged) {
		t.Errorf("a file of another length: %v", err)
	}
}
