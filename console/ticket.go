package console

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

const (
	ticketTime = 5 * time.Minute
	maxTickets = 1000
)

// tickets stand for sessions of frames whose browser may keep no cookie: each can be
// used once, within a short time, to begin the same session in a tab.
type tickets struct {
	now  func() time.Time
	mu   sync.Mutex
	live map[[sha256.Size]byte]ticket
}

type ticket struct {
	session session
	until   time.Time
}

func newTickets(now func() time.Time) *tickets {
	return &tickets{now: now, live: make(map[[sha256.Size]byte]ticket)}
}

// give makes a ticket.
func (t *tickets) give(n session) string {
	text := rand.Text() + rand.Text()
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(t.live) >= maxTickets {
		for key, k := range t.live {
			if now.After(k.until) {
				delete(t.live, key)
			}
		}
		if len(t.live) >= maxTickets {
			clear(t.live) // those who hold one open the link again
		}
	}
	t.live[sha256.Sum256([]byte(text))] = ticket{n, now.Add(ticketTime)}
	return text
}

// take uses a ticket up; false if it is none, or not any more.
func (t *tickets) take(text string) (session, bool) {
	key := sha256.Sum256([]byte(text))
	t.mu.Lock()
	defer t.mu.Unlock()
	k, known := t.live[key]
	delete(t.live, key)
	return k.session, known && !t.now().After(k.until)
}
