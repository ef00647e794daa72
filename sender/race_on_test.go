//go:build race

package sender

// raceEnabled: the race detector allocates, and empties pools at random.
const raceEnabled = true
