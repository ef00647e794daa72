package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Endpoints are made in rounds: the share of a round that will get events one by
// one, with the secret that the receiver knows, the rest by bulk onboarding, each
// with a secret that the server makes up.
const (
	idleAwake = 1000   // endpoints of a store that get events, spread over all rounds; at most a tenth
	idleRound = 10_000 // endpoints, the most that one onboarding request may have
)

// idleStore is a data directory with one project in it.
type idleStore struct {
	dir          string
	project, key string
	endpoints    int
	awake        []string // ids of those that get events, oldest first

	oneByOne, onboarded idleCreation
}

// idleCreation is how many endpoints, with a subscription each, were made in
// which time.
type idleCreation struct {
	endpoints int
	took      time.Duration
}

func (c *idleCreation) add(endpoints int, since time.Time) {
	c.endpoints += endpoints
	c.took += time.Since(since)
}

func (c *idleCreation) rate() float64 {
	if c.took == 0 {
		return 0
	}
	return float64(c.endpoints) / c.took.Seconds()
}

// makeStore makes a store with n endpoints, each with its subscription, and stops
// the server that made it.
func (s *idleStudy) makeStore(ctx context.Context, n int) (_ *idleStore, err error) {
	dir, err := os.MkdirTemp(s.r.DataRoot, "data-*")
	if err != nil {
		return nil, err
	}
	s.leg.undo = append(s.leg.undo, func() error { return os.RemoveAll(dir) })
	store := &idleStore{dir: dir}
	server, err := s.r.StartServer(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	root := NewClient(server.URL, server.RootKey)
	defer root.Close()
	if store.project, store.key, err = root.CreateProject(ctx, "bench"); err != nil {
		return nil, err
	}
	task := s.r.progress.Start(fmt.Sprintf("idle: create %d", n), n)
	defer task.Finish("")
	for store.endpoints < n {
		if err := s.round(ctx, server, store, n); err != nil {
			return nil, err
		}
		task.Set(store.endpoints)
	}
	task.Finish(fmt.Sprintf("%d endpoints in %.1f s", n, (store.oneByOne.took + store.onboarded.took).Seconds()))
	return store, nil
}

// round makes the next endpoints of a store that is to have n.
func (s *idleStudy) round(ctx context.Context, server *Server, store *idleStore, n int) error {
	size := min(idleRound, n-store.endpoints)
	awake := awakeOf(n)
	share := awake*(store.endpoints+size)/n - awake*store.endpoints/n
	start := time.Now()
	ids, err := s.createOneByOne(ctx, server, store, share)
	if err != nil {
		return err
	}
	store.oneByOne.add(share, start)
	store.awake = append(store.awake, ids...)
	if rest := size - share; rest > 0 {
		client := NewClient(server.URL, store.key)
		defer client.Close()
		start = time.Now()
		if err := client.onboard(ctx, store.project, s.onboarding(store.endpoints+share, rest)); err != nil {
			return err
		}
		store.onboarded.add(rest, start)
	}
	store.endpoints += size
	return nil
}

// awakeOf is how many of n endpoints get events.
func awakeOf(n int) int { return min(max(n/10, 1), idleAwake) }

// createOneByOne makes n endpoints, with two requests each, over many
// connections, and returns their ids.
func (s *idleStudy) createOneByOne(ctx context.Context, server *Server, store *idleStore, n int) ([]string, error) {
	ids := make([]string, n)
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(idleConnections, n) {
		group.Go(func() error {
			client := NewClient(server.URL, store.key)
			defer client.Close()
			for i := int(next.Add(1) - 1); i < n; i = int(next.Add(1) - 1) {
				name, url := s.endpointNumbered(store.endpoints + i)
				id, err := client.CreateEndpoint(ctx, store.project, name, url, s.r.secret)
				if err != nil {
					return err
				}
				ids[i] = id
			}
			return nil
		})
	}
	return ids, group.Wait()
}

// onboarding describes n endpoints from the one with number first on.
func (s *idleStudy) onboarding(first, n int) []onboardItem {
	items := make([]onboardItem, n)
	for i := range items {
		items[i].Name, items[i].URL = s.endpointNumbered(first + i)
	}
	return items
}

func (s *idleStudy) endpointNumbered(n int) (name, url string) {
	number := strconv.Itoa(n)
	return "bench " + number, "http://" + s.leg.rig.receiver.addr + "/e/" + number
}
