package bench

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Mix says which share of the endpoints misbehaves in a measured phase, and how.
// The zero value is none.
type Mix []Share

// Share is a part of a mix.
type Share struct {
	Behaviour Behaviour
	Percent   float64 // of the endpoints, more than 0
}

// While endpoints misbehave, an attempt may take mixTimeoutSeconds, and a phase
// maxMixDuration: a delivery that fails from its beginning to its end still has
// attempts left (see retryStrategy).
const (
	mixTimeoutSeconds = 1
	maxMixDuration    = 5 * time.Minute
)

// ParseMix reads shares such as 500=5,hang=2.5: per cents of the endpoints.
func ParseMix(text string) (Mix, error) {
	var m Mix
	for part := range strings.SplitSeq(text, ",") {
		name, number, ok := strings.Cut(part, "=")
		percent, err := strconv.ParseFloat(strings.TrimSuffix(number, "%"), 64)
		if !ok || err != nil {
			return nil, fmt.Errorf("%q is not of the form behaviour=percent, such as hang=5", part)
		}
		m = append(m, Share{Behaviour: Behaviour(strings.TrimSpace(name)), Percent: percent})
	}
	return m, m.validate()
}

// UnmarshalText is ParseMix, for flags.
func (m *Mix) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMix(string(text))
	return err
}

// String is what ParseMix reads.
func (m Mix) String() string {
	var parts []string
	for _, s := range m {
		parts = append(parts, string(s.Behaviour)+"="+strconv.FormatFloat(s.Percent, 'f', -1, 64))
	}
	return strings.Join(parts, ",")
}

// endpointSettings are those of all endpoints, ill or not.
func (m Mix) endpointSettings() object {
	if len(m) == 0 {
		return nil
	}
	return object{"http_timeout": mixTimeoutSeconds}
}

// failing is the runner for measured phases in which endpoints misbehave.
func (r *runner) failing(m Mix) *runner {
	with := *r
	with.shape.fail = m
	return &with
}

func (m Mix) validate() error {
	sum := 0.0
	seen := make(map[Behaviour]bool)
	for _, s := range m {
		switch {
		case s.Behaviour == BehaveWell || s.Behaviour.check() != nil:
			return fmt.Errorf("%q is not one of %s", string(s.Behaviour), misbehaviourNames())
		case seen[s.Behaviour]:
			return fmt.Errorf("%s is given twice", s.Behaviour)
		case !(s.Percent > 0 && s.Percent <= 100): // so that NaN is refused
			return fmt.Errorf("%s=%g must be more than 0 and at most 100 per cent", s.Behaviour, s.Percent)
		}
		seen[s.Behaviour] = true
		sum += s.Percent
	}
	if sum > 100 {
		return fmt.Errorf("%s comes to %g per cent, must be at most 100", m, sum)
	}
	return nil
}
