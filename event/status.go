package event

// Status is the state of a delivery. Its text is Convoy's.
type Status uint8

// The states of a delivery. Scheduled and Retry are owed; Success, Failure and
// Discarded are terminal until somebody asks for another try.
const (
	Scheduled  Status = iota // waits for its first attempt
	Processing               // an attempt is on its way; never stored
	Success                  // a receiver answered 2xx
	Retry                    // failed, and another attempt is due
	Failure                  // failed, and its attempts are spent
	Discarded                // not sent: its endpoint takes no deliveries
)

var statusText = [...]string{"Scheduled", "Processing", "Success", "Retry", "Failure", "Discarded"}

// String is the state as the API writes it.
func (s Status) String() string {
	if int(s) < len(statusText) {
		return statusText[s]
	}
	return "Unknown"
}

// ParseStatus reads the API's text for a state.
func ParseStatus(text string) (Status, bool) {
	for i, t := range statusText {
		if t == text {
			return Status(i), true
		}
	}
	return 0, false
}

// Owed reports whether a delivery in this state still has to be attempted.
func (s Status) Owed() bool { return s == Scheduled || s == Processing || s == Retry }

// Exceptional reports whether the log keeps an index of deliveries in this
// state. A delivery that succeeds at once is in none.
func (s Status) Exceptional() bool { return s == Retry || s == Failure || s == Discarded }

// ErrorClass says why an attempt failed, in one word that metrics and the API use.
type ErrorClass uint8

// The classes of an attempt's end.
const (
	ClassNone      ErrorClass = iota // 2xx
	ClassStatus                      // an answer outside 2xx
	ClassTimeout                     // no whole answer within the attempt's time
	ClassDNS                         // the name does not resolve
	ClassConnect                     // no connection: refused, unreachable, reset while dialling
	ClassTLS                         // the handshake failed or the certificate is not trusted
	ClassReset                       // the connection ended before a whole answer
	ClassMalformed                   // the answer is not HTTP, or its head is too large
	ClassBlocked                     // the address is one that posthaste does not call
	ClassLocal                       // this machine's fault: sockets or ports ran out
	ClassCancelled                   // the server stopped; not an attempt
	ClassAuth                        // the endpoint's credentials could not be had: a token, a certificate
	ClassTransform                   // the subscription's function failed
)

var classText = [...]string{"", "status", "timeout", "dns", "connect", "tls", "reset", "malformed", "blocked", "local", "cancelled", "auth", "transform"}

// String is the class as metrics and the API write it; "" for success.
func (c ErrorClass) String() string {
	if int(c) < len(classText) {
		return classText[c]
	}
	return "unknown"
}

// Charged reports whether an attempt that ended so is the endpoint's doing and
// counts against its retry budget.
func (c ErrorClass) Charged() bool { return c != ClassLocal && c != ClassCancelled }
