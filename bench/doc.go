// Package bench drives a webhook server from outside and says what it did: a
// load generator, receivers that account for every event, baselines taken in
// the same run, and a report of ratios. It speaks HTTP only and shares no code
// with the server, so that a mistake in the server cannot hide in it: it has its
// own reading of a signature and its own accounting.
//
// A measurement runs in processes of their own, which are this binary started
// again with a role:
//
//	generator --> server under test --> receiver      the scenario
//	generator --> null pipe         --> receiver      what HTTP alone costs, with a hop
//	generator ----------------------->  receiver      what HTTP alone costs
//
// The parent speaks to each over its stdin and stdout, one JSON value a line.
package bench
