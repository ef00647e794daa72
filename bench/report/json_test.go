package report

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func TestJSONComesBack(t *testing.T) {
	var first, second bytes.Buffer
	if err := example(t).WriteJSON(&first); err != nil {
		t.Fatal(err)
	}
	text := first.String()
	got, err := ReadJSON(&first)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.WriteJSON(&second); err != nil {
		t.Fatal(err)
	}
	if second.String() != text || len(got.Scenarios) != 11 || got.Scenarios[9].Series[0].Limit != 512<<20 {
		t.Errorf("%d scenarios; %d bytes, then %d", len(got.Scenarios), len(text), second.Len())
	}
}

// A run of an hour is not thrown away for one division by zero.
func TestJSONOfWhatIsNotFinite(t *testing.T) {
	s := Scenario{Name: "s", Ratio: math.NaN(), Series: []Series{{Points: []Point{{1, 2}, {2, math.Inf(1)}}}}}
	r := &Report{Scenarios: []Scenario{s}}
	var out bytes.Buffer
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Scenarios[0].Ratio was not a finite number", "Scenarios[0].Series[0].Points[1].Value was not"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %s", want, out.String())
		}
	}
	if !math.IsNaN(r.Scenarios[0].Ratio) || !math.IsInf(r.Scenarios[0].Series[0].Points[1].Value, 1) || len(r.Notes) != 0 {
		t.Error("writing changed the report")
	}
}

func TestReadJSONRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "unexpected end",
		"<html>":                          "invalid character",
		`{"goos":"linux"}`:                `no "scenarios"`,
		`{"scenarios":7}`:                 "cannot unmarshal",
		`{"scenarios":[{"value":1e999}]}`: "1e999",
		`{"scenarios":[]} more`:           "after top-level",
	} {
		if _, err := ReadJSON(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	got, err := ReadJSON(strings.NewReader(`{"scenarios":[{"name":"single","value":1}],"later":true}`))
	if err != nil || got.Scenarios[0].Name != "single" {
		t.Errorf("got %+v, %v", got, err)
	}
}
