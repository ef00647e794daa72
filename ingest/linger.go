package ingest

import "time"

const (
	lingerRest   = time.Second // how long a client that was refused may send nothing
	lingerBodies = 4           // bodies of the greatest size that are read of it, and dropped
)

// linger ends the answer and drops what the client still sends, until it has read the
// answer and closes, or is at its bounds: those above, and the time of a whole request. A
// socket that is closed with bytes unread is reset, and most clients that are still
// sending then never see why (RFC 9112, section 9.6).
func (c *conn) linger() {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	buf := make([]byte, 4<<10)
	end := time.Now().Add(c.watch.read)
	for left := lingerBodies * c.l.o.MaxRequestBytes; left > 0; {
		now := time.Now()
		if c.l.isClosed() || now.After(end) || c.SetReadDeadline(now.Add(lingerRest)) != nil {
			return
		}
		n, err := c.Conn.Read(buf)
		if err != nil {
			return
		}
		left -= n
	}
}
