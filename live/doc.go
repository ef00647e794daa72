// Package live tells those who listen of deliveries and events as they become durable.
//
//	log's committer ──Durable──► ring, bounded ──pump──► queue of each subscription, bounded
//
// The ring keeps the newest messages, so that a reader who was cut off can go on behind
// the last one that it saw. The pump is the one goroutine that filters, beside the log: a
// message costs the committer a copy, however many listen. Nobody waits for a reader: one
// whose queue is full loses what is in it, is told how many that were, and goes on from the
// present.
//
// While nobody listens there is no ring, no pump and no copy: the log asks Wanted, which
// is one atomic load. The ring outlives its last reader by Options.Linger.
package live
