// Package steady is the machine's wall clock without its steps backward. What is due,
// and when, is reckoned by it: so a clock that is set back holds nothing up.
//
// A wall clock is set by a person, by NTP, by a machine that wakes up; a monotonic
// clock is never set, but it says nothing about the time of day. What the one is ahead of
// the other, their gap, changes only when the wall clock is set. A Clock looks at the gap
// whenever it is asked for the time, and goes on from where it was when the gap shrinks:
//
//	wall     ────────────╮ set back
//	                     ╰──────────────────
//	Clock    ──────────────────────────────    nine tenths as fast, until they meet
//
// Forward it follows the wall clock at once.
package steady
