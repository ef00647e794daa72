// Package transform runs a subscription's function over an event's data: a
// JavaScript function transform(payload) whose return value is what is sent.
//
//	function transform(payload) {
//		console.log("paid", payload.amount);
//		return {id: payload.id, amount: payload.amount * 100};
//	}
//
// The script interpreter can be told to stop but not how much memory to take, so
// functions run in child processes, which are kept from one call to the next,
// one call at a time. Every call gets an interpreter of its own. A Runner, in
// the parent, starts children when they are needed; Serve is what they do.
//
// # What a function may do
//
// The language is ECMAScript 5.1 with most of ES6 and later; there is no I/O, no
// timer and no module. It may use eval. The payload is made by JSON.parse and the
// result taken by JSON.stringify, so numbers are doubles: an integer beyond 2^53
// or a decimal with more than 15 digits may lose some. Send such numbers as texts.
// An async function is refused, for nothing would be waited for.
//
// A call is repeatable: the same function, payload, time and seed give the same
// bytes. Date stands still at Call.Now, in UTC, and Math.random starts from
// Call.Seed.
//
// # Bounds
//
// A call that exceeds its time is interrupted; where that does not help, as in a
// backtracking regular expression, its process ends. A call that keeps more than
// MemoryBytes alive is interrupted; one that takes much at once, before that can
// be seen, runs into the process's limit and ends the process (on Linux; elsewhere
// the process ends itself as soon as it sees it). Either way it is that call's
// error and nobody else's. Calls within calls, console.log, the function and the
// payload on both sides are bounded too.
//
// # Between parent and child
//
// Frames go over the child's standard input and output. Both numbers are
// big-endian, and the header is JSON:
//
//	 0           4           8                    8+h              8+h+b
//	┌───────────┬───────────┬────────────────────┬────────────────┐
//	│ uint32 h  │ uint32 b  │ header             │ body           │
//	└───────────┴───────────┴────────────────────┴────────────────┘
//
// The parent's first frame holds the limits; it is not answered. Each frame
// after it is a request, with the payload as its body, and is answered by one
// frame with the result as its body. The child ends at the end of its input, also
// in the middle of a call.
package transform
