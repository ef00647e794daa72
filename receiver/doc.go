// Package receiver verifies what posthaste sends: it is for the people on the
// other end. It needs the standard library and package sig, nothing else of
// posthaste.
//
// A [Verifier] is made once from the endpoint's secrets and asked about every
// request, by [Verifier.VerifyRequest], as [Verifier.Middleware], or, where there
// is no http.Request, by [Verifier.Verify].
//
// Signatures are over the body's bytes. Verify what arrived, then parse it: a body
// that was parsed and written again is another body.
//
// # Replays
//
// A timestamp is signed with the body in all formats but Convoy's simple one, and
// one that is further from now than Options.Tolerance is refused. Within that time
// a request that somebody recorded verifies again, and posthaste itself sends a
// request again when it cannot know whether the first one arrived: remember the
// event's id (webhook-id, or the idempotency key's header) and do nothing twice.
package receiver
