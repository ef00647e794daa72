package event

import "time"

// Stamp is a time as nanoseconds since 1970: what is kept by the million holds it, since
// a time.Time is three times as large. 0 is no time, the zero time.Time. It reaches from
// the year 1678 to 2262.
type Stamp int64

// StampOf is t as a Stamp.
func StampOf(t time.Time) Stamp {
	if t.IsZero() {
		return 0
	}
	return Stamp(t.UnixNano())
}

// Time is the stamp as a time.Time, in UTC.
func (s Stamp) Time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(s)).UTC()
}

// MarshalJSON writes the stamp as a time.Time is written.
func (s Stamp) MarshalJSON() ([]byte, error) { return s.Time().MarshalJSON() }
