package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteSize is a number of bytes. Its text is a number, or a number and one of
// the units below.
type byteSize int64

// The units, largest first.
var byteUnits = []struct {
	name string
	size byteSize
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// UnmarshalText reads "65536", "64KiB" or "64 KiB".
func (s *byteSize) UnmarshalText(text []byte) error {
	number, unit := strings.TrimSpace(string(text)), byteSize(1)
	for _, u := range byteUnits {
		if head, found := strings.CutSuffix(number, u.name); found {
			number, unit = strings.TrimSpace(head), u.size
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > int64(math.MaxInt64/unit) {
		return fmt.Errorf("must be a number of bytes such as 65536, 64KiB, 16MiB or 1GiB, not %q", text)
	}
	*s = byteSize(n) * unit
	return nil
}

// String is the text that UnmarshalText reads, as short as it is exact.
func (s byteSize) String() string {
	for _, u := range byteUnits {
		if s != 0 && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
