package wal

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// stateFile, in the store's folder, says whether the store is in use, or how a clean stop
// left it. Pebble cannot tell a log or a manifest whose end was zeroed or cut off from
// one that a crash tore; after a clean stop there is nothing torn, so a difference is
// damage. It is written by Open and by Close, never in between.
//
// Its text is the CRC-32C of the rest in 8 hexadecimal digits, a line feed, and JSON.
const stateFile = "STATE"

const (
	stateRunning = "running" // or killed, or failed
	stateStopped = "stopped" // cleanly
)

// storeState is what stateFile holds. From Manifest on it is of a clean stop.
type storeState struct {
	State   string `json:"state"`
	Relaxed bool   `json:"relaxed,omitempty"` // not everything that was acknowledged was synced
	By      string `json:"by,omitempty"`
	At      string `json:"at"`

	Manifest      string `json:"manifest,omitempty"`
	ManifestBytes int64  `json:"manifest_bytes,omitempty"`
	ManifestCRC   uint32 `json:"manifest_crc,omitempty"`
	LastLog       uint64 `json:"last_log,omitempty"`    // the newest write-ahead log
	LogRecords    int    `json:"log_records,omitempty"` // in those that are needed
	NextSequence  uint64 `json:"next_sequence,omitempty"`
	NewestID      uint64 `json:"newest_id_ms,omitempty"` // W 0xFFFE
}

// readState reads the state file of a folder; nil if there is none.
func readState(fs vfs.FS, dir string) (*storeState, error) {
	file, err := fs.Open(fs.PathJoin(dir, stateFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stateFile, err)
	}
	sum, body, _ := strings.Cut(string(text), "\n")
	var s storeState
	if sum != stateSum(body) || json.Unmarshal([]byte(body), &s) != nil {
		return nil, &DamageError{stateFile, 0, "its checksum does not fit"}
	}
	return &s, nil
}

// write writes the state file, whole or not at all; it is durable when write returns.
func (s *storeState) write(fs vfs.FS, dir string) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	path := fs.PathJoin(dir, stateFile)
	err = writeFile(fs, path+".new", stateSum(string(body))+"\n"+string(body))
	if err == nil {
		err = fs.Rename(path+".new", path)
	}
	if err == nil {
		err = manifestFirst{fs}.syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", stateFile, err)
	}
	return nil
}

func writeFile(fs vfs.FS, path, text string) error {
	file, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write([]byte(text))
	return errors.Join(err, file.Sync(), file.Close())
}

func stateSum(body string) string {
	return hex.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.Checksum([]byte(body), castagnoli)))
}

// stateNow is a state of the present process.
func (l *Log) stateNow(state string) *storeState {
	return &storeState{State: state, By: l.o.CreatedBy, At: time.Now().UTC().Format(time.RFC3339)}
}

// markRunning makes sure, before anything changes, that no state of a clean stop is
// taken for the present one. Where the disk is full, removing it does. relaxed says so of
// what the write-ahead logs hold.
func (l *Log) markRunning(relaxed bool) error {
	s := l.stateNow(stateRunning)
	s.Relaxed = relaxed
	err := s.write(l.o.FS, l.o.Dir)
	if err == nil {
		return nil
	}
	gone := l.o.FS.Remove(l.o.FS.PathJoin(l.o.Dir, stateFile))
	if gone == nil || errors.Is(gone, os.ErrNotExist) {
		gone = manifestFirst{l.o.FS}.syncDir(l.o.Dir)
	}
	if gone != nil {
		return errors.Join(err, gone)
	}
	return nil
}

// markStopped notes how a clean stop left the store. The store is closed. Without the
// note the next start trusts what it finds, as after a crash.
func (l *Log) markStopped(newestID uint64) {
	f, err := readFiles(l.o.FS, l.o.Dir, false)
	if err == nil {
		s := l.stateNow(stateStopped)
		s.Manifest, s.ManifestBytes, s.ManifestCRC = f.manifest, f.manifestBytes, f.manifestCRC
		s.LogRecords, s.NextSequence, s.NewestID = f.records(), f.nextSequence, newestID
		if n := len(f.logs); n > 0 {
			s.LastLog = f.logs[n-1].number
		}
		err = s.write(l.o.FS, l.o.Dir)
	}
	if err != nil {
		l.o.Logger.Warn().Err(err).Msg("the clean stop was not noted; the next start cannot tell whether the end of the log was lost meanwhile")
	}
}

// compare says what is not as a clean stop left it. stale: the store was used since by
// a program that knows nothing of the state file, and the state says nothing.
func (s *storeState) compare(f *storeFiles) (stale bool, damage *DamageError) {
	if s == nil || s.State != stateStopped {
		return true, nil
	}
	last := uint64(0)
	if n := len(f.logs); n > 0 {
		last = f.logs[n-1].number
	}
	if manifestNumber(f.manifest) > manifestNumber(s.Manifest) || last > s.LastLog {
		return true, nil
	}
	differs := func(file, format string, args ...any) *DamageError {
		return &DamageError{file, -1, fmt.Sprintf("not as the clean stop of %s left it: ", s.At) + fmt.Sprintf(format, args...)}
	}
	switch {
	case f.manifest != s.Manifest:
		damage = differs(s.Manifest, "the manifest was %s and is %q now", s.Manifest, f.manifest)
	case f.manifestBytes != s.ManifestBytes:
		damage = differs(s.Manifest, "it had %d bytes and has %d", s.ManifestBytes, f.manifestBytes)
	case f.manifestCRC != s.ManifestCRC:
		damage = differs(s.Manifest, "its checksum was %08x and is %08x", s.ManifestCRC, f.manifestCRC)
	case f.records() != s.LogRecords || f.nextSequence != s.NextSequence:
		damage = differs(fmt.Sprintf("%06d.log", s.LastLog), "the write-ahead logs had %d records before sequence number %d, and have %d before %d", s.LogRecords, s.NextSequence, f.records(), f.nextSequence)
	}
	return false, damage
}

func manifestNumber(name string) uint64 {
	n, _ := strconv.ParseUint(strings.TrimPrefix(name, "MANIFEST-"), 10, 64)
	return n
}
