// Package sender makes one attempt to deliver an event: it builds the request,
// signs it, shows the endpoint who it is, sends it, reads the answer and says in one
// word how it ended. It decides nothing about what comes next, and it stores nothing.
//
// Each endpoint has its own fasthttp.HostClient, made when it is first needed
// and dropped when it rests, so no two endpoints share a connection. fasthttp
// keeps the connections and takes the heads of answers apart; the request is
// written, and the answer's body read, here. That is faster than its Do, keeps a
// record of what went over the wire byte for byte, and avoids its habits that
// harm a sender of webhooks: a status of 200 on requests that failed, a stale
// answer taken for the answer of the next request, and paths and header names
// that are rewritten.
package sender
