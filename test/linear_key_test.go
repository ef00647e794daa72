package test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"
)

// revocation says that a key works until it is revoked, and never again.
var revocation = modelOf(false, func(revoked bool, q asked, a told) (bool, bool) {
	switch {
	case q.what == "revoke" && a.code == 0:
		return true, true
	case q.what == "revoke":
		return true, a.code == http.StatusOK && !revoked || a.code == http.StatusNotFound && revoked
	case a.code == 0:
		return revoked, true
	}
	return revoked, (a.code == http.StatusUnauthorized) == revoked
})

// badge is something that opens doors until it is revoked.
type badge struct {
	id     string
	key    string
	revoke string // path of its revocation
	read   string // path of something that it may read
	root   string // in front of that
	posts  bool   // it may post events
}

// newBadges makes a key of the project and a link to its portal.
func (p *project) newBadges() []badge {
	p.t.Helper()
	id, key := p.newKey(nil)
	var link struct{ UID, Token string }
	p.do("POST", "/portal-links", object{"name": "l", "owner_id": "ann", "auth_type": "static_token"}, &link)
	return []badge{
		{id: id, key: key, revoke: "/keys/" + id, read: "/endpoints", root: p.path, posts: true},
		{id: link.UID, key: p.portalKey(link.Token), revoke: "/portal-links/" + link.UID, read: "/endpoints", root: "/portal-api"},
	}
}

// portalKey is a key for the portal, by the token of a link.
func (p *project) portalKey(token string) string {
	p.t.Helper()
	var got struct{ Token string }
	(&project{p.server, "/portal-api", ""}).do("POST", "/token", object{"token": token}, &got)
	return got.Token
}

// use asks with the badge, or revokes it.
func (c *client) use(p *project, b badge, endpoint string) {
	holder := &project{p.server, b.root, b.key}
	switch n := c.rng.IntN(60); {
	case n == 0:
		c.ask(asked{"revoke", b.id, ""}, func() told { return c.tell(p, "DELETE", b.revoke, nil, onlyCode) })
	case n < 25 && b.posts:
		c.ask(asked{"post", b.id, ""}, func() told {
			body := object{"endpoint_id": endpoint, "event_type": "t", "data": 1}
			code, _, _ := c.send(context.Background(), holder, "POST", "/events", body)
			return told{code: code}
		})
	default:
		c.ask(asked{"read", b.id, ""}, func() told { return c.tell(holder, "GET", b.read, nil, onlyCode) })
	}
}

// TestRevocationIsLinearizable: once the revocation of a key, or of a portal link, is
// answered, no request by it succeeds, neither one that posts events nor one that reads,
// also after the server was killed.
func TestRevocationIsLinearizable(t *testing.T) {
	t.Parallel()
	const kills, perBadge = 2, 60
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	ep := p.add(in.URL, object{"owner_id": "ann"})
	again(t, func() {
		var all []badge
		for range 24 {
			all = append(all, p.newBadges()...)
		}
		h := newHistory(t)
		var mu sync.Mutex
		n := 0
		h.start(6, func(c *client) {
			mu.Lock()
			b := all[(n/perBadge+c.rng.IntN(2))%len(all)]
			n++
			mu.Unlock()
			c.use(p, b, ep)
		})
		h.killed(p.server, kills, afterTheEnd)
		h.end()
		h.check(revocation, afterTheEnd)
	})
}

// afterTheEnd spoils an answer to somebody who asked by a badge that was known to be
// revoked: it succeeds.
func afterTheEnd(ops []porcupine.Operation) (int, told) {
	refused := make(map[string]int64) // by badge: when that was first answered
	for i, op := range ops {
		of := op.Input.(asked).of
		if op.Output.(told).code != http.StatusUnauthorized {
			continue
		}
		if at, known := refused[of]; !known {
			refused[of] = op.Return
		} else if op.Call > at {
			return i, told{code: http.StatusOK}
		}
	}
	return -1, told{}
}

func TestTheModelOfRevocationFindsMistakes(t *testing.T) {
	t.Parallel()
	read, revoke := asked{"read", "k", ""}, asked{"revoke", "k", ""}
	ok, no, gone := told{code: 200}, told{code: 401}, told{code: 404}
	for name, c := range map[string]struct {
		want  porcupine.CheckResult
		lines []line
	}{
		"one after the other":             {porcupine.Ok, []line{{0, 1, read, ok}, {2, 3, revoke, ok}, {4, 5, read, no}, {6, 7, revoke, gone}}},
		"at once":                         {porcupine.Ok, []line{{0, 9, revoke, ok}, {1, 2, read, ok}, {3, 4, read, no}}},
		"revoked without an answer":       {porcupine.Ok, []line{{0, 99, revoke, told{}}, {2, 3, read, ok}, {4, 5, read, no}}},
		"it works after the answer":       {porcupine.Illegal, []line{{0, 1, revoke, ok}, {2, 3, read, ok}}},
		"it works again":                  {porcupine.Illegal, []line{{0, 99, revoke, told{}}, {2, 3, read, no}, {4, 5, read, ok}}},
		"refused before it is revoked":    {porcupine.Illegal, []line{{0, 1, read, no}, {2, 3, revoke, ok}}},
		"revoked twice":                   {porcupine.Illegal, []line{{0, 9, revoke, ok}, {1, 8, revoke, ok}}},
		"refused and nobody revoked it":   {porcupine.Illegal, []line{{0, 1, read, ok}, {2, 3, read, no}}},
		"gone although nobody revoked it": {porcupine.Illegal, []line{{0, 1, revoke, gone}}},
	} {
		t.Run(name, func(t *testing.T) { wantVerdict(t, revocation, c.want, c.lines...) })
	}
}
