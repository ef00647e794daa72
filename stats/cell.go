package stats

import (
	"slices"
	"time"

	"posthaste/event"
)

// Field says what a count is of.
type Field uint16

// Fields that are not of a kind: see StatusField, LatencyField and ResultField for the
// others.
const (
	FieldFirst Field = 8 // deliveries that their first attempt delivered
	FieldTime  Field = 9 // milliseconds that answered attempts took, together

	fieldLatency Field = 64   // LatencyField(0)
	fieldClass   Field = 192  // results without an answer, by event.ErrorClass
	fieldCode    Field = 1000 // and answers, by status code
	maxField     Field = fieldCode + maxCode

	maxCode = 999
)

// StatusField counts deliveries in a state.
func StatusField(s event.Status) Field { return Field(s) }

// LatencyField counts answered attempts that took a time of this bucket.
func LatencyField(bucket int) Field { return fieldLatency + Field(bucket) }

// ResultField counts attempts by what came of them: the answer's status code, or why
// there was none.
func ResultField(class event.ErrorClass, code int) Field {
	if class == event.ClassNone || class == event.ClassStatus {
		return fieldCode + Field(min(max(code, 0), maxCode))
	}
	return fieldClass + Field(class)
}

// Result is what ResultField was made of. It reports false for other fields.
func (f Field) Result() (class event.ErrorClass, code int, ok bool) {
	switch {
	case f >= fieldCode && f <= maxField:
		code = int(f - fieldCode)
		if code < 200 || code > 299 {
			class = event.ClassStatus
		}
		return class, code, true
	case f >= fieldClass && f < fieldCode:
		return event.ErrorClass(f - fieldClass), 0, true
	}
	return 0, 0, false
}

// Count is one number of a cell.
type Count struct {
	Field Field
	N     int64
}

// Cell is the counts of a series in a slot of time, by rising field, without zeros. Counts
// may be negative in a cell that changes another.
type Cell []Count

// find is where a field is, or would be.
func (c Cell) find(f Field) (i int, found bool) {
	end := len(c)
	for i < end {
		if m := int(uint(i+end) >> 1); c[m].Field < f {
			i = m + 1
		} else {
			end = m
		}
	}
	return i, i < len(c) && c[i].Field == f
}

// Get is one count.
func (c Cell) Get(f Field) int64 {
	if i, found := c.find(f); found {
		return c[i].N
	}
	return 0
}

// Add adds to one count. A count that becomes zero stays, see Trim.
func (c *Cell) Add(f Field, n int64) {
	i, found := c.find(f)
	if found {
		(*c)[i].N += n
		return
	}
	*c = slices.Insert(*c, i, Count{f, n})
}

// AddCell adds all of another cell.
func (c *Cell) AddCell(o Cell) {
	for _, n := range o {
		c.Add(n.Field, n.N)
	}
}

// Trim drops what is zero.
func (c *Cell) Trim() {
	*c = slices.DeleteFunc(*c, func(n Count) bool { return n.N == 0 })
}

// InState is how many deliveries are in a state; never less than none, though those that
// were created before there were counts leave a state that they were not counted in.
func (c Cell) InState(s event.Status) int64 { return max(0, c.Get(StatusField(s))) }

// Deliveries is how many were created, and are in any state.
func (c Cell) Deliveries() (n int64) {
	for s := event.Scheduled; s <= event.Discarded; s++ {
		n += c.InState(s)
	}
	return n
}

// Attempts is how many were made.
func (c Cell) Attempts() (n int64) {
	for _, x := range c {
		if _, _, ok := x.Field.Result(); ok {
			n += x.N
		}
	}
	return n
}

// Quantile is the time within which the share q of the answered attempts ended, 0 if
// there were none. It is off by an eighth at most.
func (c Cell) Quantile(q float64) time.Duration {
	var all int64
	from, _ := c.find(fieldLatency)
	to, _ := c.find(LatencyField(latencyBuckets))
	for _, n := range c[from:to] {
		all += n.N
	}
	if all <= 0 {
		return 0
	}
	rest := q * float64(all)
	for _, n := range c[from:to] {
		if rest <= float64(n.N) {
			low, high := latencyBounds(int(n.Field - fieldLatency))
			return low + time.Duration(float64(high-low)*max(0, rest)/float64(n.N))
		}
		rest -= float64(n.N)
	}
	_, high := latencyBounds(int(c[to-1].Field - fieldLatency))
	return high
}
