// Package ingest is the front door for events, on fasthttp: it bounds a
// request, authenticates it, parses it, hands it to the engine in one call and
// answers. An answer of 201 is given only after the engine said that what was
// accepted is durable.
//
// The way of a request:
//
//	guard (Server) -> route -> authorize -> body: type, size, inflate
//	  -> scan: raw values of each event -> check -> own: copy out of the request
//	  -> limits -> Engine.Submit -> answer
//
// Everything up to own works on spans of the request's memory; own copies what
// the events keep, and from there on nothing refers to the request.
package ingest
