// Package inbound takes webhooks in from others: it verifies a request to a source and
// makes an event of it. An answer of 200 is given only after the engine said that the
// event is durable.
//
// The way of a request:
//
//	route: the source by its mask -> size, inflate -> verify
//	  -> data: JSON, or a form as JSON -> event type, idempotency key, headers
//	  -> own: copy out of the request -> Engine.Submit -> answer
//
// # Verifying
//
// What is verified is the body as it was signed: the bytes that were sent, after a
// Content-Encoding of gzip or zstd was taken off, before anything was parsed. A
// request that fails is answered 400. A source whose settings cannot be carried out,
// such as a secret that is missing, takes nothing.
//
// A signature in a header may have the name of its hash before it, as in sha256=...,
// and may also be in Convoy's advanced format (t=...,v1=...), so that what posthaste
// sends can come in at a source.
//
// # Twitter
//
// A GET with crc_token is answered with the token's HMAC under the secret that
// signs webhooks. So that nobody has a webhook of his own signed in this way, only
// tokens of letters, digits and -._~+/= are answered, and a source of this provider
// takes nothing but JSON objects, which no such token can be.
//
// # Data
//
// JSON is kept byte for byte, without white space around it. A form, urlencoded or
// multipart, becomes an object with its names in the order of their bytes: a text is a
// string, a file is {"content_type":...,"data":...,"filename":...} with its data in
// base64, and several values of one name are an array of them in the order in which
// they came. Without a Content-Type, and as text/plain, JSON is taken.
//
// # Selectors
//
// Where an event's type and its idempotency key are found in a request:
//
//	request.body.user.id      a member of the data; of an array, items.0.id
//	request.body              all of it
//	request.header.X-Event    a header; several of one name are joined by ", "
//	request.query.id          a parameter; several of one name are joined by ","
//
// The first words may be of any case, "request" may be "req" or left out, "header"
// may be "headers", and "query" may be "QueryParam". A member whose own name has dots
// is found, too. Null and the empty string count as not there. So does an object or
// an array as an event's type.
//
// The idempotency key is a hash of the source's id and of all values, those that are
// not there being empty; without any value there is no key. For a source the key alone
// decides: a request whose key was seen before is a duplicate even if its content
// differs, as a sender that tries again may have put in another time.
package inbound
