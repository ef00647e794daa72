// Package engine owns delivery. It works out which endpoints an event is owed
// to, and sees every delivery that the log hands it through to its end: when to
// try, what an answer means, when to try again, when to give up.
//
// Endpoints are spread over shards by their partition. A shard holds, for each
// endpoint with something to do, a short queue in memory; what does not fit stays in the
// log, and the shard reads it back when there is room.
package engine
