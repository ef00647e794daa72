// Package oauth gets access tokens for endpoints that want them, by client
// credentials (RFC 6749 section 4.4), and keeps each until shortly before it ends.
//
// The client shows who it is by a shared secret or by an assertion that it signs
// (RFC 7523 section 2.2). A shared secret goes in the body of the request, as most
// senders of webhooks have it; if the token endpoint does not know the client by
// that, it is asked once more with HTTP Basic (RFC 6749 section 2.3.1), and the way
// that worked is kept.
//
// Of any endpoint there is one request for a token at a time, made by a goroutine
// that Tokens owns, and whoever needs the token waits for it. From 80% of its life on
// a token is replaced while it still serves. A token endpoint that fails is left
// alone for 1 second, then 2, up to 30. No error has a secret in it.
package oauth
