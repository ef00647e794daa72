package report

import (
	"fmt"
	"strings"
)

// Verdict says which rows meet what is asked of them.
type Verdict struct {
	Met, Of  int      // rows with a target
	Missed   []string // their names and what they missed
	Untested int      // rows without a target
}

// Verdict counts rows.
func (r *Report) Verdict() Verdict {
	var v Verdict
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		switch {
		case len(s.Checks) == 0:
			v.Untested++
			continue
		case s.meets():
			v.Met++
		default:
			v.Missed = append(v.Missed, s.Name+" ("+strings.Join(s.missed(), "; ")+")")
		}
		v.Of++
	}
	return v
}

// meets reports whether all checks are met and nothing was lost.
func (s *Scenario) meets() bool { return len(s.missed()) == 0 }

// missed says what was asked and not found.
func (s *Scenario) missed() []string {
	var missed []string
	for _, c := range s.Checks {
		if !c.Met {
			missed = append(missed, c.String())
		}
	}
	if s.Lost > 0 {
		missed = append(missed, count(s.Lost)+" lost")
	}
	return missed
}

// String is one sentence or two.
func (v Verdict) String() string {
	text := fmt.Sprintf("%d of %d rows meet their targets.", v.Met, v.Of)
	if v.Of == 1 {
		text = fmt.Sprintf("%d of 1 row meets its targets.", v.Met)
	}
	if len(v.Missed) > 0 {
		text += " Missed: " + strings.Join(v.Missed, ", ") + "."
	}
	if v.Untested > 0 {
		text += fmt.Sprintf(" Without a target: %d.", v.Untested)
	}
	return text
}
