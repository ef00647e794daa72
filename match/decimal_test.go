package match

import (
	"encoding/json"
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

func TestDecimalAgreesWithRationals(t *testing.T) {
	number := rapid.StringMatching(`-?(0|[1-9][0-9]{0,4}|10{0,6}|9007199254740993)(\.[0-9]{1,4}|\.0{1,3})?([eE][-+]?(0?[0-9]|1[0-9]))?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		x, ok := parseDecimal([]byte(a))
		y, ok2 := parseDecimal([]byte(b))
		if !ok || !ok2 {
			t.Fatalf("%s or %s is not read", a, b)
		}
		want := rat(json.Number(a)).Cmp(rat(json.Number(b)))
		if got := x.compare(y); got < 0 != (want < 0) || got > 0 != (want > 0) {
			t.Fatalf("%s, %s: %d, want %d", a, b, got, want)
		}
	})
}

func TestDecimalGrammar(t *testing.T) {
	grammar := regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	for _, text := range []string{
		"", "-", "0", "-0", "00", "01", "1", "-1", "+1", "1.", ".1", "1.0", "1e", "1e1", "1e+", "1e+1", "1e-1", "1E5", "1e1.5",
		"1 ", " 1", "0x1", "1_0", "1e99999999999999999999", "-0.0e-0", "NaN", "Infinity", "1.2.3", "--1", "1-",
	} {
		if _, ok := parseDecimal([]byte(text)); ok != grammar.MatchString(text) {
			t.Errorf("%q: %v", text, ok)
		}
	}
}
