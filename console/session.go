package console

import (
	"crypto/rand"
	"crypto/sha256"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"posthaste/client"
)

// How long a session lasts, and how many there are at most; the least recently used goes
// first. Sessions are in memory only, as are the keys in them: a restart ends all.
const (
	idleTime      = 12 * time.Hour
	absoluteTime  = 7 * 24 * time.Hour
	portalTime    = time.Hour
	maxSessions   = 10_000
	cookieName    = "ph"
	portalCookie  = "ph_portal"
	securedPrefix = "__Host-" // of cookies that go over https only
)

// session is who signed in.
type session struct {
	backend  *client.Client // of the API, by the key or token that signed in
	portal   bool
	instance bool   // the key reaches every project
	project  string // the only one that it reaches, if not
	name     string // of that

	// Of a portal; the sessions' mutex guards them.
	parents []string // pages that may show it, as its link says
	closed  bool     // it opens nothing any more

	began, seen time.Time
	ended       bool // signed out; under sessions.mu
	tails       int  // its live pages; under sessions.mu
}

// sessions are those that are live, by the hash of their cookie's value.
type sessions struct {
	now  func() time.Time
	mu   sync.Mutex
	live map[[sha256.Size]byte]*session
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, live: make(map[[sha256.Size]byte]*session)}
}

// begin makes a session and returns its cookie's value.
func (s *sessions) begin(n session) string {
	token := rand.Text() + rand.Text() // 260 bits
	n.began = s.now()
	n.seen = n.began
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.live) >= maxSessions {
		s.dropOldest()
	}
	s.live[sha256.Sum256([]byte(token))] = &n
	return token
}

func (s *sessions) dropOldest() {
	var oldest [sha256.Size]byte
	var seen time.Time
	for key, n := range s.live {
		switch {
		case s.over(n):
			s.drop(key)
		case seen.IsZero() || n.seen.Before(seen):
			oldest, seen = key, n.seen
		}
	}
	if len(s.live) >= maxSessions {
		s.drop(oldest)
	}
}

// drop ends a session. The caller holds mu.
func (s *sessions) drop(key [sha256.Size]byte) {
	if n := s.live[key]; n != nil {
		n.ended = true
		delete(s.live, key)
	}
}

func (s *sessions) over(n *session) bool {
	now := s.now()
	if n.portal {
		return n.closed || now.Sub(n.began) > portalTime
	}
	return now.Sub(n.seen) > idleTime || now.Sub(n.began) > absoluteTime
}

// find is the session of a cookie's value; nil if there is none any more.
func (s *sessions) find(token string) *session {
	key := sha256.Sum256([]byte(token))
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.live[key]
	if n == nil {
		return nil
	}
	if s.over(n) {
		if !n.portal || s.now().Sub(n.began) > portalMemory {
			s.drop(key)
		}
		return nil
	}
	n.seen = s.now()
	return n
}

// parentsOf are those of a session that may have ended, for as long as it is remembered.
func (s *sessions) parentsOf(token string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.live[sha256.Sum256([]byte(token))]; n != nil {
		return n.parents
	}
	return nil
}

// close ends a portal's session, and remembers who may show it.
func (s *sessions) close(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.live[sha256.Sum256([]byte(token))]; n != nil {
		n.closed = true
	}
}

// remember notes who may show a portal.
func (s *sessions) remember(token string, parents []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.live[sha256.Sum256([]byte(token))]; n != nil {
		n.parents = parents
	}
}

func (s *sessions) end(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(sha256.Sum256([]byte(token)))
}

// lives reports whether a session has not ended. It does not count as a use of it.
func (s *sessions) lives(n *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !n.ended && !s.over(n)
}

// enterStream counts a live page of a session; false if it has as many as it may.
func (s *sessions) enterStream(n *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.tails >= maxTails {
		return false
	}
	n.tails++
	return true
}

func (s *sessions) leaveStream(n *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n.tails--
}

// secure reports whether what is sent goes over https, as this server or a proxy in
// front of it knows.
func secure(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// here reports whether the browser addresses this machine by a loopback name, so that
// nothing it sends leaves the machine.
func here(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// mayCarryKeys reports whether a key may be asked for over this connection.
func (c *Console) mayCarryKeys(r *http.Request) bool {
	return secure(r) || here(r) || c.o.PlainHTTP
}

// setCookie gives a session to the browser. A portal's must also work in a frame of
// another site, which browsers allow over https, and on this machine.
func setCookie(w http.ResponseWriter, r *http.Request, name, value string, life time.Duration) {
	k := &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(life.Seconds())}
	if value == "" {
		k.MaxAge = -1
	}
	if secure(r) || here(r) && name == portalCookie {
		k.Name, k.Secure = securedPrefix+name, true
	}
	if name == portalCookie && k.Secure {
		k.SameSite, k.Partitioned = http.SameSiteNoneMode, true
	}
	http.SetCookie(w, k)
}

// cookie is a cookie's value under either of its names.
func cookie(r *http.Request, name string) string {
	for _, n := range []string{securedPrefix + name, name} {
		if k, err := r.Cookie(n); err == nil && k.Value != "" {
			return k.Value
		}
	}
	return ""
}
