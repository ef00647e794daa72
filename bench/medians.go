package bench

import "posthaste/bench/report"

// medians collects figures over the repeats of a scenario, in the order in which
// they first came.
type medians struct {
	names  []string
	units  map[string]string
	values map[string][]float64
}

func newMedians() *medians {
	return &medians{units: map[string]string{}, values: map[string][]float64{}}
}

// add is one repeat's figure.
func (m *medians) add(name string, value float64, unit string) {
	if _, known := m.units[name]; !known {
		m.names = append(m.names, name)
	}
	m.units[name] = unit
	m.values[name] = append(m.values[name], value)
}

// of is a figure's median over the repeats that have it.
func (m *medians) of(name string) (float64, bool) {
	if len(m.values[name]) == 0 {
		return 0, false
	}
	return report.Median(m.values[name]), true
}

// note adds all to a row.
func (m *medians) note(row *report.Scenario) {
	for _, name := range m.names {
		value, _ := m.of(name)
		row.Note(name, value, m.units[name])
	}
}
