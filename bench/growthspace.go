package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// What the scenario takes on disk: a stored delivery with its share of an event,
// and an event of the closed loop beside its payload, both with room for what is
// written over and for the log.
const (
	growthDeliveryBytes = 900
	growthEventBytes    = 1000
)

// growthLoopRate is more events a second than the closed loop reaches on two
// processors.
const growthLoopRate = 50_000

// need is how many bytes of disk the scenario may take.
func (s *growthStudy) need() int64 {
	loop := (s.r.Duration + s.r.Warmup).Seconds() * growthLoopRate * float64(s.r.PayloadBytes+growthEventBytes)
	// The loops on the grown store stay in it; one empty store exists at a time.
	return int64(s.plan.stored())*growthDeliveryBytes + int64(loop*float64(s.r.Repeat+1))
}

// checkSpace refuses to begin where the disk is too small.
func (s *growthStudy) checkSpace(root string) error {
	free, known := freeBytes(root)
	if need := s.need() + growthReserve; known && free < need {
		return fmt.Errorf("%d stored deliveries and %d repeats of %s may take %d MiB and %s has %d MiB free: set stored lower, or data-root to a larger disk",
			s.plan.stored(), s.r.Repeat, s.r.Duration, need>>20, root, free>>20)
	}
	return nil
}

// bytesOfFiles is the length of all files under dir together, without the ballast. One
// that goes away meanwhile is not counted.
func bytesOfFiles(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil && entry.Type().IsRegular() && entry.Name() != ballastFile {
			info, err = entry.Info()
		}
		if errors.Is(err, fs.ErrNotExist) && path != dir {
			return nil
		}
		if info != nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
