package wal

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// DamageError is ErrCorrupt with the file that is not as it was written. The store is not
// opened, and nothing is changed.
type DamageError struct {
	File   string // within the store's folder
	Offset int64  // where the damage begins; -1 if it is the file as a whole
	Reason string
}

func (e *DamageError) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Reason)
	}
	return fmt.Sprintf("%s is damaged at byte %d: %s", e.File, e.Offset, e.Reason)
}

// Is makes errors.Is(err, ErrCorrupt) true.
func (e *DamageError) Is(target error) bool { return target == ErrCorrupt }

// storeFiles is what the manifest and the write-ahead logs of a store say, read without
// Pebble: it would take a damaged manifest, and of a log what is not covered by a later
// promise, for one that ends there, and then delete what it does not know of.
type storeFiles struct {
	fs  vfs.FS
	dir string

	manifest      string // its name; "" if there is no store
	manifestBytes int64
	manifestCRC   uint32
	firstLog      uint64 // logs before it are in tables
	nextSequence  uint64 // of the first record of the logs, at most
	logs          []logFile
	damage        []*DamageError
}

// logFile is a write-ahead log that is needed.
type logFile struct {
	name   string
	number uint64
	bytes  int64
	end    recordEnd
}

// firstSequence is the first sequence number that Pebble gives to a record.
const firstSequence = 10

// readFiles reads the manifest and the write-ahead logs in a folder that nobody has open.
// durable: the process that wrote them synced what it acknowledged. Damage is in the
// result; the error is one of reading.
func readFiles(fs vfs.FS, dir string, durable bool) (*storeFiles, error) {
	f := &storeFiles{fs: fs, dir: dir, nextSequence: firstSequence}
	names, err := fs.List(dir)
	if err != nil {
		return nil, err
	}
	found, err := pebble.Peek(dir, fs)
	if err != nil {
		return nil, err
	}
	if !found.Exists {
		f.orphaned(names)
		return f, nil
	}
	if hasTables(names) && !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, formatMarker) }) {
		f.damaged(formatMarker+"*", -1, "the file that names the format of the store is gone")
	}
	if found.OptionsFilename != "" {
		if err := f.checkOptions(fs.PathBase(found.OptionsFilename)); err != nil {
			return nil, err
		}
	}
	if err := f.readManifest(fs.PathBase(found.ManifestFilename)); err != nil {
		return nil, err
	}
	return f, f.readLogs(names, durable)
}

// orphaned finds what a store has left whose marker of its manifest is gone: Pebble would
// make a new store there, and delete the rest of the old.
func (f *storeFiles) orphaned(names []string) {
	for _, name := range names {
		if strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".blob") || strings.HasSuffix(name, ".log") {
			f.damaged(name, -1, "there are tables or logs, but the file marker.manifest.* that names their manifest is gone")
			return
		}
	}
}

func (f *storeFiles) damaged(file string, at int64, reason string) {
	f.damage = append(f.damage, &DamageError{file, at, reason})
}

// hasTables reports whether the making of a store had ended: one that a crash cut short has
// none, and is made again.
func hasTables(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, ".sst") })
}

// formatMarker begins the name of an empty file that ends in the store's format.
const formatMarker = "marker.format-version."

// checkOptions asks Pebble whether it can go by the options of the last process.
func (f *storeFiles) checkOptions(name string) error {
	file, err := f.fs.Open(f.fs.PathJoin(f.dir, name))
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	var o pebble.Options
	o.EnsureDefaults()
	if err := o.CheckCompatibility(f.dir, string(text)); err != nil {
		f.damaged(name, -1, err.Error())
	}
	return nil
}

func (f *storeFiles) readManifest(name string) error {
	f.manifest = name
	file, err := f.fs.Open(f.fs.PathJoin(f.dir, name))
	if errors.Is(err, os.ErrNotExist) {
		f.damaged(name, -1, "the manifest is gone")
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	sum := crc32.New(castagnoli)
	counted := &countingReader{in: io.TeeReader(file, sum)}
	scan := recordScan{in: counted, visit: f.edit}
	end, err := scan.run()
	if err == nil { // the sum is of the whole file
		_, err = io.Copy(io.Discard, counted)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	f.manifestBytes, f.manifestCRC = counted.n, sum.Sum32()
	if end.Damage != "" {
		f.damaged(name, end.At, end.Damage)
	} else if end.Records == 0 {
		f.damaged(name, 0, "the manifest has no whole record")
	}
	return nil
}

// The first fields of a record of the manifest, in this order, each a tag, a uvarint,
// and its value: a text or a uvarint.
const (
	tagComparer     = 1
	tagFirstLog     = 2
	tagLastSequence = 4
	tagPreviousLog  = 9
	tagNextFile     = 3
)

// edit takes from a record of the manifest which logs are needed, and the sequence
// number that had been given when it was written.
func (f *storeFiles) edit(head []byte) {
	r := reader{b: head}
	for !r.bad && len(r.b) > 0 {
		switch r.uvarint() {
		case tagComparer:
			r.bytes()
		case tagFirstLog:
			if n := r.uvarint(); !r.bad {
				f.firstLog = n
			}
		case tagLastSequence:
			if n := r.uvarint(); !r.bad {
				f.nextSequence = max(firstSequence, n+1)
			}
		case tagPreviousLog, tagNextFile:
			r.uvarint()
		default:
			return
		}
	}
}

func (f *storeFiles) readLogs(names []string, durable bool) error {
	for _, name := range names {
		number, ok := logNumber(name)
		if ok && number >= f.firstLog {
			f.logs = append(f.logs, logFile{name: name, number: number})
		}
	}
	slices.SortFunc(f.logs, func(a, b logFile) int { return cmp.Compare(a.number, b.number) })
	for i := range f.logs {
		if err := f.readLog(&f.logs[i], durable); err != nil {
			return err
		}
		if log := &f.logs[i]; i < len(f.logs)-1 && !log.end.Closed && log.end.Damage == "" {
			f.damaged(log.name, log.end.Stop, "the log ends there in the middle of a record, although a later log follows")
		}
	}
	return nil
}

func logNumber(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, ".log")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil
}

func (f *storeFiles) readLog(log *logFile, durable bool) error {
	file, err := f.fs.Open(f.fs.PathJoin(f.dir, log.name))
	if err != nil {
		return err
	}
	defer file.Close()
	gap := false
	scan := recordScan{in: file, number: uint32(log.number), durable: durable}
	scan.visit = func(head []byte) {
		sequence, next, ok := batchSequence(head)
		if !ok || gap {
			return
		}
		if gap = sequence > f.nextSequence; gap {
			f.damaged(log.name, scan.found.Stop, fmt.Sprintf("records are missing in front of it: it goes on with sequence number %d, and %d is the next", sequence, f.nextSequence))
		}
		f.nextSequence = next // from the first record on it is exact
	}
	log.end, err = scan.run()
	if err != nil {
		return fmt.Errorf("read %s: %w", log.name, err)
	}
	if info, err := file.Stat(); err == nil {
		log.bytes = info.Size()
	}
	if log.end.Damage != "" {
		f.damaged(log.name, log.end.At, log.end.Damage)
	}
	return nil
}

// batchSequence reads the header of a record of a write-ahead log: the sequence number of
// its first entry, 8 bytes, and the count of them, 4 bytes. One without entries has
// no number of its own.
func batchSequence(head []byte) (first, next uint64, ok bool) {
	if len(head) < 12 {
		return 0, 0, false
	}
	first = binary.LittleEndian.Uint64(head)
	n := binary.LittleEndian.Uint32(head[8:])
	return first, first + uint64(n), n > 0
}

// records counts those of all logs.
func (f *storeFiles) records() (n int) {
	for i := range f.logs {
		n += f.logs[i].end.Records
	}
	return n
}

// countingReader counts what was read through it.
type countingReader struct {
	in io.Reader
	n  int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}
