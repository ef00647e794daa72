// Package wheel keeps timers in the order they fall due: adding and removing
// one costs the same small constant however many there are.
//
// It is the hierarchical timing wheel of Varghese and Lauck, "Hashed and
// Hierarchical Timing Wheels" (SOSP 1987), scheme 7. Time is counted in ticks
// since the wheel's start, and a tick count is read as digits in base 64. The
// wheel has one level of 64 slots for each digit:
//
//	level 0   |0|1|2|...|63|   one tick a slot
//	level 1   |0|1|2|...|63|   64 ticks a slot
//	level 2   |0|1|2|...|63|   4096 ticks a slot
//	  ...
//
// A timer lies in the level of the highest digit in which its due tick differs
// from the cursor, in the slot of that digit's value. So everything in a level
// falls due before anything in the level above, and the next timer due is
// always in the first occupied slot of the lowest occupied level. When the
// cursor reaches a slot above level 0, its timers spread over the levels below.
//
// There are levels enough for every time.Duration, so no timer is too far away.
// One word of bits per level says which slots are occupied, so a jump of hours
// costs as many steps as there are occupied slots in it, not ticks.
//
// A wheel has no goroutine and no clock; its owner tells it the time. It is not
// safe for concurrent use. It keeps nothing over a crash.
package wheel
