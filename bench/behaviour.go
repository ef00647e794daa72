package bench

import (
	"fmt"
	"slices"
	"strings"
)

// Behaviour is how an endpoint of the receiver answers.
type Behaviour string

// The behaviours.
const (
	BehaveWell    Behaviour = ""        // 200 at once
	BehaveFail    Behaviour = "500"     // 500 at once
	BehaveHang    Behaviour = "hang"    // no answer until the sender gives up
	BehaveTrickle Behaviour = "trickle" // an answer a byte at a time, slower than the sender waits
	BehaveReset   Behaviour = "reset"   // the connection is reset once the request is read
	BehaveBusy    Behaviour = "429"     // 429 with Retry-After
)

// misbehaviours are the behaviours other than well.
var misbehaviours = []Behaviour{BehaveFail, BehaveHang, BehaveTrickle, BehaveReset, BehaveBusy}

// check names the behaviours that there are if b is none of them.
func (b Behaviour) check() error {
	if b == BehaveWell || slices.Contains(misbehaviours, b) {
		return nil
	}
	return fmt.Errorf("behaviour %q is not one of %s", string(b), misbehaviourNames())
}

func misbehaviourNames() string {
	var names []string
	for _, b := range misbehaviours {
		names = append(names, string(b))
	}
	return strings.Join(names, ", ")
}
