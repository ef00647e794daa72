package bench

import (
	"fmt"
	"time"
)

// announce says which scenario begins, and how long the rest would take if it
// took as long as what is done.
func (r *runner) announce(name string, spent time.Duration) {
	at, of := 0, 0
	for _, s := range scenarios {
		if !r.asks(s.name) {
			continue
		}
		if of++; s.name == name {
			at = of
		}
	}
	if of < 2 {
		return
	}
	line := fmt.Sprintf("scenario %d of %d: %s", at, of, name)
	if done := at - 1; done > 0 {
		left := spent / time.Duration(done) * time.Duration(of-done)
		line += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	r.progress.Say(line)
}
