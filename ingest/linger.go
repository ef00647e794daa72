package ingest

import "time"

const (
	defaultLinger = time.Second // how long a client that was refused may send nothing
	lingerBodies  = 4           // bodies of the greatest size that are read of it, and dropped
)

// linger ends the answer and drops what the client still sends, until it has read the
// answer and closes, or is at its bounds, those above and the time of a whole request, or
// the listener is closed. A
// socket that is closed with bytes unread is reset, and most clients that are still
// sending then never see why (RFC 9112, section 9.6).
func (c *conn) linger() {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.waits.Store(waitsParting)
	buf := make([]byte, 4<<10)
	end := time.Now().Add(c.watch.read)
	for left := lingerBodies * c.l.o.MaxRequestBytes; left > 0; {
		now := time.Now()
		if now.After(end) || c.SetReadDeadline(now.Add(c.l.o.linger)) != nil || c.l.isClosed() {
			return
		}
		n, err := c.Conn.Read(buf)
		if err != nil {
			return
		}
		left -= n
	}
}
