package console

import (
	"fmt"
	"testing"
	"time"
)

// Whatever the colour, it can be read on every ground; one that can is left alone.
func TestAccentsCanBeRead(t *testing.T) {
	for r := 0; r < 256; r += 51 {
		for g := 0; g < 256; g += 51 {
			for b := 0; b < 256; b += 51 {
				c, ok := parseColour(fmt.Sprintf("#%02x%02x%02x", r, g, b))
				if !ok {
					t.Fatal("not a colour")
				}
				for end, grounds := range map[rgb][]rgb{black: lightGrounds, white: darkGrounds} {
					out := c.readable(end, grounds...)
					fits := true
					for _, ground := range grounds {
						if contrast(out, ground) < leastContrast {
							t.Errorf("%s becomes %s, which is %.2f on %s", c, out, contrast(out, ground), ground)
						}
						fits = fits && contrast(c, ground) >= leastContrast
					}
					if fits && out != c {
						t.Errorf("%s can be read, and becomes %s", c, out)
					}
				}
			}
		}
	}
	if got := contrast(black, white); got != 21 {
		t.Errorf("black on white is %v", got)
	}
}

// A schedule is told as it is.
func TestScheduleInWords(t *testing.T) {
	for _, c := range []struct {
		s    schedule
		want string
	}{
		{schedule{Attempts: 1}, "We try once."},
		{schedule{Attempts: 4, Waits: []int{30, 3600, 86400}}, "We try 4 times over 1 day 1 hour."},
		{schedule{Attempts: 4, Waits: []int{30, 3600, 86400}, MaxAge: 600}, "We try 3 times over 1 hour 30 seconds."},
		{schedule{Attempts: 500, Waits: []int{10, 10}}, "We try 500 times; the first 3 are over 20 seconds."},
	} {
		if got := c.s.Sentence(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.s, got, c.want)
		}
		if n := len(c.s.Marks()); n != len(c.s.times()) {
			t.Errorf("%+v: %d marks", c.s, n)
		}
	}
	if got := long(90 * time.Minute); got != "1 hour 30 minutes" {
		t.Errorf("90 minutes are %s", got)
	}
}
