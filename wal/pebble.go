package wal

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/rs/zerolog"
)

// layers are what stands between Pebble and the disk, from the disk up.
func (l *Log) layers() vfs.FS {
	fs := vfs.FS(l.space)                     // refused writes, the ballast
	fs = patient{fs, l.o.Logger}              // a file waits for a descriptor
	fs = manifestFirst{fs}                    // a manifest is there before its marker
	fs = valueFS{fs, l.damaged}               // a damaged value file is named
	fs = strictFS{fs, &l.strict}              // a failed write or sync of the log is final
	return panicFS{fs, &l.panics, &l.trouble} // as is what Pebble would panic at
}

func (l *Log) pebbleOptions() *pebble.Options {
	o := &pebble.Options{
		FS:                          l.layers(),
		FormatMajorVersion:          pebble.FormatNewest,
		MemTableSize:                l.o.MemTableBytes,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       20, // of 32 MiB: fewer rewrites of the tables below; 10 of 64 MiB gave a tenth more in batch than 4
		L0StopWritesThreshold:       1000,
		LBaseMaxBytes:               128 << 20,
		MaxOpenFiles:                4096,
		BytesPerSync:                1 << 20,
		Logger:                      pebbleLogger{l: l, log: l.o.Logger},
		ReadOnly:                    l.readOnly,
		Merger:                      countMerger,
		EventListener:               l.listener(),
	}
	o.Experimental.ValueSeparationPolicy = l.separateValues
	o.Experimental.SpanPolicyFunc = spanPolicy
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionBalanced })
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	o.Levels[0].BlockSize = valueBlockBytes
	o.Levels[len(o.Levels)-1].BlockSize = packedBlockBytes
	return o
}

// pebbleLogger passes Pebble's errors on and keeps its chatter for debugging.
type pebbleLogger struct {
	l   *Log
	log zerolog.Logger
}

func (p pebbleLogger) Infof(format string, args ...any) {
	p.log.Trace().Str("component", "pebble").Msgf(format, args...)
}

func (p pebbleLogger) Errorf(format string, args ...any) {
	p.log.Error().Str("component", "pebble").Msgf(format, args...)
}

// Fatalf is how Pebble says that a write or an fsync of its log failed. Pebble
// must not go on, so it does not return.
func (p pebbleLogger) Fatalf(format string, args ...any) {
	p.l.fail(fmt.Errorf(format, args...))
}

// corrupted is how Pebble says that a block of a table or a value file is not what was
// written.
func (l *Log) corrupted(info pebble.DataCorruptionInfo) {
	reason := firstLine(info.Details)
	if len(info.Bounds.Start) > 0 {
		reason += fmt.Sprintf("; it holds records from %s to %s", placeOf(info.Bounds.Start), placeOf(info.Bounds.End.Key))
	}
	l.damaged(&DamageError{l.o.FS.PathBase(info.Path), -1, reason})
}

// damaged takes what a reader found, who gets an error. A log that is written to fails as
// well: a disk that lost this may lose what is acknowledged next. It is called on
// Pebble's read paths, which must not wait for the end of the process.
func (l *Log) damaged(damage *DamageError) {
	l.found.CompareAndSwap(nil, damage)
	if !l.readOnly {
		go l.fail(fmt.Errorf("%w: %w", damage, errDamaged))
	}
}

// named is an error of reading, with the file that was found to be damaged.
func (l *Log) named(err error) error {
	damage := l.found.Load()
	if err == nil || damage == nil {
		return err
	}
	return fmt.Errorf("%w: %w (%s)", damage, errDamaged, firstLine(err))
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// noise throttles what Pebble tells of flushes and compactions that failed. It
// tries them again without a pause, thousands of times a second when the disk
// is full.
type noise struct {
	errors atomic.Int64 // since the last line
	last   atomic.Int64 // Unix nanoseconds of it
}

const noiseEvery = time.Second

func (n *noise) backgroundError(log zerolog.Logger) func(error) {
	return func(err error) {
		n.errors.Add(1)
		now, last := time.Now().UnixNano(), n.last.Load()
		if now-last < int64(noiseEvery) || !n.last.CompareAndSwap(last, now) {
			return
		}
		log.Error().Err(err).Str("component", "pebble").Int64("times", n.errors.Swap(0)).
			Msg("a flush or compaction failed; it is tried again")
	}
}

// separatedBytes is the length from which a value is kept in a blob file.
const separatedBytes = 256

// valueBlockBytes is how much of the values of a blob file is compressed together. A
// blob file is written by a flush, with what is set for level 0, whose tables do not
// live long. Against Pebble's 4 KiB the same compressor is a fifth faster, since it
// clears its table less often, and leaves a tenth less (payloads of posthaste bench:
// 0.42 of their size where it was 0.47). A read takes a block as a whole, 15 µs more.
const valueBlockBytes = 32 << 10

// packedBlockBytes is how much is compressed together in the lowest level, of keys in
// its tables and of values once they are packed. zstd leaves 0.26 of the same payloads
// at 16 KiB and 0.25 at 32 KiB.
const packedBlockBytes = 16 << 10

// garbage is the share of the values in blob files that may be referred to no longer
// before Pebble rewrites files. It does so when there is nothing better to compact.
// Half of it was too much: of an hour that one of two projects gives up, half is.
const garbage = 0.25

// separateValues keeps events and attempts out of the tables: compactions then
// move references and not payloads, which are written twice in their life, to
// the write-ahead log and to a blob file. Against values in the tables that
// saved a fifth of the log's CPU per event (BenchmarkAppend with compactions
// counted in). A blob file goes when retention drops the range that refers to it.
func (l *Log) separateValues() pebble.ValueSeparationPolicy {
	return pebble.ValueSeparationPolicy{
		Enabled:               true,
		MinimumSize:           separatedBytes,
		MaxBlobReferenceDepth: l.blobDepth(),
		RewriteMinimumAge:     l.o.rewriteAge,
		TargetGarbageRatio:    garbage,
	}
}

// blobDepth is how many blob files a table may refer to before a compaction writes its
// values anew: any number, but for those of the packer, which write all of them.
func (l *Log) blobDepth() int {
	if l.packer.packing.Load() {
		return 0
	}
	return math.MaxInt32
}

// spanPolicy keeps the index of events and the counts in the tables, whatever their rows'
// size: a search goes through many of them and reads next to nothing of each.
func spanPolicy(start []byte) (pebble.SpanPolicy, []byte, error) {
	for _, kind := range []byte{kindFind, kindCounts} { // in their order
		switch {
		case len(start) == 0 || start[0] < kind:
			return pebble.SpanPolicy{}, []byte{kind}, nil
		case start[0] == kind:
			return pebble.SpanPolicy{ValueStoragePolicy: pebble.ValueStorageLowReadLatency}, []byte{kind + 1}, nil
		}
	}
	return pebble.SpanPolicy{}, nil, nil
}
