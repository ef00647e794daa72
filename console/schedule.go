package console

import (
	"math"
	"strings"
	"time"
)

// schedule is when attempts are made, as the API tells of it.
type schedule struct {
	Strategy        string `json:"strategy"`
	Attempts        int    `json:"attempts"`
	Waits           []int  `json:"waits"`
	MaxAge          int    `json:"max_age"`
	NoRetryStatuses []int  `json:"no_retry_statuses"`
}

// times are when each attempt is made, counted from the first, if each one fails at once.
func (s schedule) times() []time.Duration {
	all := []time.Duration{0}
	oldest := time.Duration(s.MaxAge) * time.Second
	for _, wait := range s.Waits {
		at := all[len(all)-1]
		if oldest > 0 && at >= oldest {
			break // an attempt that fails at this age is the last
		}
		all = append(all, at+time.Duration(wait)*time.Second)
	}
	return all
}

// Sentence says it in words.
func (s schedule) Sentence() string {
	times := s.times()
	more := s.Attempts > len(s.Waits)+1
	switch {
	case len(times) == 1:
		return "We try once."
	case more:
		return "We try " + number(s.Attempts) + " times; the first " + number(len(times)) + " are over " + long(times[len(times)-1]) + "."
	}
	return "We try " + number(len(times)) + " times over " + long(times[len(times)-1]) + "."
}

// NoRetry lists the answers after which no attempt is made.
func (s schedule) NoRetry() string {
	var codes []string
	for _, code := range s.NoRetryStatuses {
		codes = append(codes, number(code))
	}
	return strings.Join(codes, ", ")
}

// Marks are the attempts on a square-root axis of time, as those of a delivery.
func (s schedule) Marks() []mark {
	times := s.times()
	end := math.Sqrt(max(1, times[len(times)-1].Seconds()))
	out := make([]mark, len(times))
	lastLabel := -100.0
	for i, at := range times {
		x := 2 + 96*math.Sqrt(at.Seconds())/end
		out[i] = mark{N: i + 1, X: percent(x)}
		if i == 0 || i == len(times)-1 || x-lastLabel > 24 && x < 78 {
			out[i].Label, lastLabel = short(at), x
		}
		switch i {
		case 0:
			out[i].Label, out[i].Class = "now", "start"
		case len(times) - 1:
			out[i].Class = "end"
		default:
			out[i].Class = "middle"
		}
	}
	return thinCircles(out)
}

// maxMarks is how many circles have room beside each other.
const maxMarks = 24

// thinCircles leaves out attempts that would cover each other.
func thinCircles(all []mark) []mark {
	if len(all) <= maxMarks {
		return all
	}
	every := (len(all) + maxMarks - 1) / maxMarks
	var out []mark
	for i := range all {
		if i%every == 0 || i == len(all)-1 || all[i].Label != "" {
			out = append(out, all[i])
		}
	}
	return out
}

// Summary lists the times, for those who do not see the picture.
func (s schedule) Summary() string {
	var texts []string
	for i, at := range s.times() {
		if i == maxMarks {
			texts = append(texts, "and so on")
			break
		}
		texts = append(texts, short(at))
	}
	return "Attempts after " + strings.Join(texts, ", ")
}

// long is a length of time in two units, in words.
func long(d time.Duration) string {
	units := []struct {
		name string
		d    time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}}
	var parts []string
	for _, u := range units {
		if n := int(d / u.d); n > 0 {
			text := number(n) + " " + u.name
			if n > 1 {
				text += "s"
			}
			parts = append(parts, text)
			d -= time.Duration(n) * u.d
		}
		if len(parts) == 2 {
			break
		}
	}
	if len(parts) == 0 {
		return "less than a second"
	}
	return strings.Join(parts, " ")
}
