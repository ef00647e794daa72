package ingest

import "net"

// Unwatched is a connection of Listener's without the times of ServerOptions, for who takes
// it over from a Server and sets deadlines of his own. Closing it counts as closing the
// connection. Another connection is returned as it is.
func Unwatched(c net.Conn) net.Conn {
	w, ok := c.(*conn)
	if !ok {
		return c
	}
	w.watch.remove(w)
	return &unwatched{w.Conn, w.leave}
}

type unwatched struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (c *unwatched) Close() error {
	c.leave()
	return c.Conn.Close()
}
