package bench

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
)

// growthStock is the project that is filled: its endpoints, and what else a
// listing may be filtered by.
type growthStock struct {
	client  *Client
	url     string // of the API
	project string
	key     string

	singles                  []string // endpoint ids
	failing, waiting, paused string
	subscription             string // of the first of the singles
	source                   string
	inlet                    string // the source's URL
}

// The endpoints of the fan-out receiver that answer 500: far from those of an
// owner.
const (
	growthFailsFrom = 500
	growthFailsTo   = 502
)

// makeStock makes the endpoints. Those of one kind share their receivers:
// single is the address of that of the singles, fanout of that of the owners'
// endpoints and of those that fail.
func makeStock(ctx context.Context, load *Load, secret, single, fanout string) (*growthStock, error) {
	s := &growthStock{client: NewClient(load.URL, load.Key), url: load.URL, project: load.Project, key: load.Key}
	if err := s.makeEndpoints(ctx, secret, single, fanout); err != nil {
		s.client.Close()
		return nil, err
	}
	return s, nil
}

func (s *growthStock) makeEndpoints(ctx context.Context, secret, single, fanout string) error {
	maker := endpointMaker{ctx: ctx, client: s.client, project: s.project, secret: secret}
	for i := range growthSingles {
		id, subscription := maker.make(single, i, "", nil)
		s.singles = append(s.singles, id)
		if i == 0 {
			s.subscription = subscription
		}
	}
	for o := range growthOwners {
		for i := range growthPerOwner {
			maker.make(fanout, i, growthOwnerPrefix+strconv.Itoa(o), nil)
		}
	}
	s.failing, _ = maker.make(fanout, growthFailsFrom, "", object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1}})
	s.waiting, _ = maker.make(fanout, growthFailsFrom+1, "", object{"strategy": object{"type": "linear", "duration": 7200, "retry_count": 10}})
	s.paused, _ = maker.make(fanout, growthFailsTo, "", nil)
	if maker.err != nil {
		return maker.err
	}
	root := "/projects/" + s.project
	if err := s.client.do(ctx, http.MethodPut, root+"/endpoints/"+s.paused+"/pause", nil, nil); err != nil {
		return err
	}
	var source struct {
		UID    string
		MaskID string `json:"mask_id"`
	}
	in := object{"name": "bench", "type": "http", "verifier": object{"type": "noop"}}
	if err := s.client.do(ctx, http.MethodPost, root+"/sources", in, &source); err != nil {
		return err
	}
	s.source, s.inlet = source.UID, s.url+"/ingest/"+source.MaskID
	return nil
}

// endpointMaker makes endpoints until the first error, which it keeps.
type endpointMaker struct {
	ctx             context.Context
	client          *Client
	project, secret string
	err             error
}

// make makes endpoint n of a receiver, with a subscription to every event type,
// and returns the ids of the two. owner may be empty and settings nil.
func (m *endpointMaker) make(receiver string, n int, owner string, settings object) (id, subscription string) {
	if m.err != nil {
		return "", ""
	}
	client := *m.client
	client.endpointSettings = settings
	number := strconv.Itoa(n)
	made, err := client.MakeEndpoint(m.ctx, m.project, NewEndpoint{
		Name: "stock " + number, URL: "http://" + receiver + "/e/" + number, Secret: m.secret, OwnerID: owner,
	})
	if m.err = err; err == nil && (made.ID == "" || made.SubscriptionID == "") {
		m.err = fmt.Errorf("endpoint %s: the answer lacks data.uid", number)
	}
	return made.ID, made.SubscriptionID
}
