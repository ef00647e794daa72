package wal

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"posthaste/event"
)

// The cases are PostgreSQL's answers to data @> body.
func TestContainment(t *testing.T) {
	for _, c := range []struct {
		data, body string
		want       bool
	}{
		{`{"a":1,"b":2}`, `{"a":1}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":1}`, `{}`, true},
		{`[]`, `{}`, false},
		{`{"a":{"b":[1,{"c":2}]}}`, `{"a":{"b":[{"c":2}]}}`, true},
		{`{"a":{"b":1}}`, `{"b":1}`, false},
		{`[1,2,3]`, `[3,1]`, true},
		{`[1,2,3]`, `[3,1,3,3]`, true},
		{`[1,2,3]`, `[4]`, false},
		{`[1,2,[1,3]]`, `[1,3]`, false},
		{`[1,2,[1,3]]`, `[[3]]`, true},
		{`[1]`, `[]`, true},
		{`["foo","bar"]`, `"bar"`, true},
		{`"bar"`, `["bar"]`, false},
		{`{"a":["x"]}`, `{"a":"x"}`, false},
		{` { "a" : [ 1 , { "b" : null } ] } `, `{"a":[{"b":null}]}`, true},
		{`{"a":1.0}`, `{"a":1}`, true},
		{`{"a":1e2}`, `{"a":100.00}`, true},
		{`{"a":-0}`, `{"a":0}`, true},
		{`{"a":0.00120}`, `{"a":12e-4}`, true},
		{`{"a":12345678901234567890}`, `{"a":12345678901234567891}`, false},
		{`{"a":-1}`, `{"a":1}`, false},
		{`{"a":1}`, `{"a":10}`, false},
		{`{"a":"1"}`, `{"a":1}`, false},
		{`{"a":true,"b":false}`, `{"a":true,"b":false}`, true},
		{`{"a":true}`, `{"a":false}`, false},
		{`{"a":null}`, `{"a":null}`, true},
		{`{}`, `{"a":null}`, false},
		{`{"\u0061":"\u00fc\n"}`, `{"a":"ü\n"}`, true},
		{`{"a":1,"a":2}`, `{"a":1}`, false},
		{`{"a":1,"a":2}`, `{"a":2}`, true},
		{`{"a":"}],{"}`, `{"a":"}],{"}`, true},
		{`{"x":"\"","a":1}`, `{"a":1}`, true},
		{`7`, `7.0`, true},
		{``, `7`, false},
	} {
		n, _, err := parseContained([]byte(c.body))
		must(t, err)
		if got := n.within([]byte(c.data)); got != c.want {
			t.Errorf("%s @> %s: %v", c.data, c.body, got)
		}
	}
}

func TestBodiesThatAreTooMuch(t *testing.T) {
	for _, body := range []string{"", "{", "1 2", strings.Repeat("[", 40) + strings.Repeat("]", 40), "[1" + strings.Repeat(",1", maxBodyParts) + "]"} {
		_, _, err := parseContained([]byte(body))
		var invalid *event.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != "body" {
			t.Errorf("%.20q: %v", body, err)
		}
	}
}

// Whatever is searched, it ends.
func FuzzContainment(f *testing.F) {
	f.Add([]byte(`{"a":[1,"\u0061",{}]}`), []byte(`{"a":[1]}`))
	f.Add([]byte(`{"a"`), []byte(`[]`))
	f.Add([]byte(`{"a":`), []byte(`{"a":1}`))
	f.Fuzz(func(t *testing.T, data, body []byte) {
		if n, _, err := parseContained(body); err == nil {
			n.within(data)
			n.within(body)
		}
	})
}

func TestContainsFold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		letters := rapid.SliceOfN(rapid.SampledFrom([]byte("aAbB1\xc3{")), 0, 12)
		data, text := letters.Draw(rt, "data"), rapid.SliceOfN(rapid.SampledFrom([]byte("aAbB1\xc3{")), 1, 4).Draw(rt, "text")
		want := strings.Contains(string(asciiLower(data)), string(asciiLower(text)))
		if got := containsFold(data, asciiLower(text)); got != want {
			rt.Fatalf("%q in %q: %v", text, data, got)
		}
	})
}
