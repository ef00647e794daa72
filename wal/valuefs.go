package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// valueFS looks at the footer of a value file before Pebble opens it. Where the footer is
// damaged, or the file gone, Pebble 2.1.7 ends the process with a panic that names neither
// the file nor the reason (TestDamageIsNeverSilent found it); an error that it does not
// know it returns to the reader.
type valueFS struct {
	vfs.FS
	damaged func(*DamageError) // is told; called on read paths, so it must not block
}

// Open opens a file for reading.
func (fs valueFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := fs.FS.Open(name, opts...)
	if !strings.HasSuffix(name, ".blob") {
		return f, err
	}
	if err == nil {
		if err = checkFooter(f); err == nil {
			return f, nil
		}
		_ = f.Close()
	}
	if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, errFooter) {
		return nil, err // the disk did not answer; it may the next time
	}
	damage := &DamageError{fs.PathBase(name), -1, err.Error()}
	fs.damaged(damage)
	return nil, damage
}

// Unwrap is how Pebble finds the file system below.
func (fs valueFS) Unwrap() vfs.FS { return fs.FS }

// valueFooter is the length of a value file's footer, which begins with the masked CRC of
// its rest.
const valueFooter = 38

// errFooter is what is wrong with a file that was read, and is not as it was written.
var errFooter = errors.New("not a whole footer")

func checkFooter(f vfs.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() < valueFooter {
		return fmt.Errorf("it has %d bytes, which is %w", info.Size(), errFooter)
	}
	var footer [valueFooter]byte
	if _, err := f.ReadAt(footer[:], info.Size()-valueFooter); err != nil {
		return fmt.Errorf("read its footer: %w", err)
	}
	if binary.LittleEndian.Uint32(footer[:]) != maskedCRC(footer[4:]) {
		return fmt.Errorf("the checksum does not fit: %w", errFooter)
	}
	return nil
}

// checkValueFiles makes sure that all value files are there, with the length that they
// should have: Pebble looks at tables only. footers looks into them, too.
func (l *Log) checkValueFiles(footers bool) error {
	return l.checkThese(l.valueFiles(), footers)
}

// valueFiles are the lengths of the value files that the store consists of now, by number.
func (l *Log) valueFiles() map[uint64]uint64 {
	sizes := make(map[uint64]uint64)
	files := &l.db.DebugCurrentVersion().BlobFiles
	for f := range files.All() {
		sizes[uint64(f.Physical.FileNum)] = f.Physical.Size
	}
	return sizes
}

func (l *Log) checkThese(files map[uint64]uint64, footers bool) error {
	for number, size := range files {
		name := fmt.Sprintf("%06d.blob", number)
		err := l.checkValueFile(l.o.FS.PathJoin(l.o.Dir, name), size, footers)
		if err == nil {
			continue
		}
		if _, still := l.valueFiles()[number]; still { // else a compaction has replaced it meanwhile
			return fmt.Errorf("%w: %w", &DamageError{name, -1, err.Error()}, errDamaged)
		}
	}
	return nil
}

func (l *Log) checkValueFile(path string, size uint64, footer bool) error {
	info, err := l.o.FS.Stat(path)
	if err == nil && info.Size() != int64(size) {
		err = fmt.Errorf("it has %d bytes and should have %d", info.Size(), size)
	}
	if err != nil || !footer {
		return err
	}
	f, err := l.o.FS.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(checkFooter(f), f.Close())
}
