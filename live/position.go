package live

import (
	"strconv"
	"strings"
)

// Reset says why a reader cannot go on behind the message that it saw last.
type Reset string

// The reasons of a reset.
const (
	NoReset   Reset = ""
	Restarted Reset = "restarted" // the message is from another run of the server
	Expired   Reset = "expired"   // what came behind the message is not kept any more
	Unknown   Reset = "unknown"   // there is no such message
)

// id is the name of a place: it names the run of the server, too, so that no name comes
// twice.
func (h *Hub) id(place uint64) string {
	return h.epoch + "-" + strconv.FormatUint(place, 10)
}

// place finds the place behind a message, by its name. The caller holds mu.
func (h *Hub) place(id string) (uint64, Reset) {
	epoch, text, ok := strings.Cut(id, "-")
	n, err := strconv.ParseUint(text, 10, 64)
	switch {
	case !ok || err != nil || epoch == "":
		return 0, Unknown
	case epoch != h.epoch:
		return 0, Restarted
	case n >= h.ring.next:
		return 0, Unknown
	case n+1 < h.ring.first:
		return 0, Expired
	}
	return n + 1, NoReset
}
