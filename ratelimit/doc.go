// Package ratelimit decides when the next request may go, by the generic cell
// rate algorithm in its virtual scheduling form (ITU-T Recommendation I.371;
// https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm).
//
// The one idea: all that a limit has to remember is one instant, the
// theoretical arrival time (TAT), at which the next request would arrive if
// all came exactly at the rate. A request may come before its TAT by no more
// than a tolerance, and moves it on by one interval. So a limit costs eight
// bytes, never needs refilling, and knows to the nanosecond when to try again.
//
// Limit.Take is the arithmetic, for one token and a TAT that the caller keeps.
// Bucket and Table keep the state, and take many tokens at a time; there, more
// than a burst at once is let through when the whole burst is there, and leaves
// a debt.
//
// There is no goroutine and no clock: the caller says what time it is.
package ratelimit
