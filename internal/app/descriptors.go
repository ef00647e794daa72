package app

import "math"

// otherDescriptors is how many files and sockets the process opens beside those of the API and
// of attempts: the store's, and a few more. A large store has more.
const otherDescriptors = 1024

// connectionBound is how many connections the API may have open: what the operator says, or less
// where the process may open so few files that these connections could leave none for
// deliveries and the store.
func (a *App) connectionBound(limit uint64) int {
	most := a.o.MaxConnections
	need := most + a.o.MaxInFlight + otherDescriptors
	if limit >= uint64(need) {
		return most
	}
	most = min(most, max(16, int(limit/4)))
	a.log.Warn().Uint64("limit", limit).Int("wanted", need).Int("connections", most).
		Msg("the process may open fewer files than connections, attempts and the store may need: the API takes fewer connections. Raise the limit (ulimit -n, LimitNOFILE=)")
	return most
}

// unlimited is the limit of a system that has none, or does not tell.
const unlimited = math.MaxUint64
