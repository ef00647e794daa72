package bench

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
