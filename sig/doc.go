// Package sig makes and checks webhook signatures: in Convoy's two formats, an
// HMAC over the body (simple) or over a timestamp and the body (advanced), and as
// Standard Webhooks has them.
//
// The one idea: everything that depends on a secret alone is worked out once.
// HMAC (RFC 2104) hashes a block made of the key before the message, and
// another before the inner digest. A [Signer] keeps the two hash states that
// follow those blocks, so signing is: restore a state, hash the message,
// restore the other, hash the digest, encode.
//
// Simple, one signature by the last version and the newest secret:
//
//	<signature>
//	signed bytes: body
//
// Advanced, for every version k (counted from 1) and every secret, oldest
// first:
//
//	t=<unix seconds>,v1=<signature>,v1=<signature>,v2=<signature>,v2=<signature>
//	signed bytes: <unix seconds>,body
//
// Standard Webhooks, see [Standard], for every secret, oldest first, by its kind:
//
//	v1,<signature> v1a,<signature>
//	signed bytes: <id>.<unix seconds>.body
//
// A signature is lower-case hex or standard padded base64. What is signed is
// what is sent, byte for byte.
package sig
