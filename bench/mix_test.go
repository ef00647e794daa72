package bench

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseMix(t *testing.T) {
	got, err := ParseMix("500=5, hang=2.5,429=1%")
	if want := (Mix{{BehaveFail, 5}, {BehaveHang, 2.5}, {BehaveBusy, 1}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got.String() != "500=5,hang=2.5,429=1" {
		t.Errorf("as text %q", got)
	}
	for text, want := range map[string]string{
		"":               `"" is not of the form`,
		"hang":           `"hang" is not of the form`,
		"hang=much":      `"hang=much" is not of the form`,
		"sulk=5":         `"sulk" is not one of 500, hang, trickle, reset, 429`,
		"=5":             `"" is not one of`,
		"hang=0":         "more than 0",
		"hang=NaN":       "more than 0",
		"hang=101":       "at most 100",
		"hang=60,500=41": "comes to 101 per cent",
		"hang=1,hang=2":  "hang is given twice",
	} {
		if got, err := ParseMix(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v, want %q", text, got, err, want)
		}
	}
}

func TestMixOver(t *testing.T) {
	cases := []struct {
		mix       Mix
		endpoints int
		want      illness
		err       string
	}{
		{nil, 16, illness{}, ""},
		{noisyMix, 100, illness{90, []span{{95, 100, BehaveHang}, {90, 95, BehaveFail}}}, ""},
		{noisyMix, minNoisyEndpoints, illness{8, []span{{9, 10, BehaveHang}, {8, 9, BehaveFail}}}, ""},
		{noisyMix, minNoisyEndpoints - 1, illness{}, "hang=5 comes to none of 9 endpoints"},
		{Mix{{BehaveReset, 1}}, 16, illness{}, "reset=1 comes to none of 16 endpoints, needs at least 3.125 per cent or 50 endpoints"},
		{Mix{{BehaveReset, 3.125}}, 16, illness{15, []span{{15, 16, BehaveReset}}}, ""},
		{Mix{{BehaveReset, 1}}, 50, illness{49, []span{{49, 50, BehaveReset}}}, ""},
		{Mix{{BehaveFail, 50}, {BehaveHang, 50}}, 16, illness{}, "leaves none of 16 endpoints healthy"},
		{Mix{{BehaveFail, 50}, {BehaveHang, 50}}, 1, illness{}, "leaves none of 1 endpoints healthy"},
	}
	for _, c := range cases {
		got, err := c.mix.over(c.endpoints)
		switch {
		case c.err == "" && (err != nil || !reflect.DeepEqual(got, c.want)):
			t.Errorf("%s over %d: got %+v, %v, want %+v", c.mix, c.endpoints, got, err, c.want)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s over %d: got %v, want %q", c.mix, c.endpoints, err, c.err)
		}
	}
}

func TestOptionsValidateFail(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"":                                     func(o *Options) { o.Fail = Mix{{BehaveFail, 10}} },
		"fail: hang=1 comes to none of 16":     func(o *Options) { o.Fail = Mix{{BehaveHang, 1}} },
		`fail: "sulk" is not one of`:           func(o *Options) { o.Fail = Mix{{"sulk", 10}} },
		"fail: duration is 10m0s, must be at":  func(o *Options) { o.Fail, o.Duration = Mix{{BehaveFail, 10}}, 10*time.Minute },
		"noisy-endpoints is 9, must be 10 to ": func(o *Options) { o.NoisyEndpoints = 9 },
	} {
		var o Options
		change(&o)
		o.EnsureDefaults()
		if err := o.Validate(); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
