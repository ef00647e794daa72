package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// shop is what a demonstration leaves running to be looked at in the console: a project
// with customers whose endpoints do well, badly and not at all, and events that come for
// as long as somebody looks.
type shop struct {
	samples  []Sample
	receiver *httpServer
	client   *Client
	project  string
	key      string
	portal   string // the path of a portal link: one customer's view
}

// shopEndpoints are its customers' endpoints. The path says how one behaves.
var shopEndpoints = []struct {
	owner, name, path string
	paused            bool
}{
	{"tern", "Order service", "/well", false},
	{"tern", "Warehouse", "/at-times", false},
	{"heron", "Billing", "/slow", false},
	{"heron", "CRM sync", "/unauthorized", false},
	{"wren", "Search index", "/well", false},
	{"wren", "Mailer", "/overloaded", false},
	{"gannet", "Analytics", "/well", true},
	{"gannet", "Old data centre", shopGone, false},
}

// shopGone is the path of an endpoint where nobody listens.
const shopGone = "/webhooks"

// shopPace is the time between two events.
const shopPace = 400 * time.Millisecond

// startShop makes the project and its endpoints.
func startShop(ctx context.Context, server *Server, samples []Sample) (*shop, error) {
	root := NewClient(server.URL, server.RootKey)
	defer root.Close()
	s := &shop{samples: samples}
	var err error
	if s.project, s.key, err = root.createProject(ctx, "shop", object{"type": "exponential", "duration": 20, "retry_count": 5}); err != nil {
		return nil, err
	}
	if s.receiver, err = startHTTP("127.0.0.1", answerShop); err != nil {
		return nil, fmt.Errorf("receiver of the shop: %w", err)
	}
	s.client = NewClient(server.URL, s.key)
	if err := s.furnish(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *shop) close() {
	s.client.Close()
	_ = s.receiver.close()
}

// furnish makes the endpoints, and what the other pages show.
func (s *shop) furnish(ctx context.Context) error {
	root := "/projects/" + s.project
	nobody, err := freePorts(1)
	if err != nil {
		return err
	}
	for _, e := range shopEndpoints {
		url := "http://" + s.receiver.addr + e.path
		if e.path == shopGone {
			url = "http://" + nobody[0] + e.path
		}
		made, err := s.client.MakeEndpoint(ctx, s.project, NewEndpoint{Name: e.name, URL: url, Secret: randomHex(16), OwnerID: e.owner})
		if err != nil {
			return err
		}
		if e.paused {
			if err := s.client.do(ctx, http.MethodPut, root+"/endpoints/"+made.ID+"/pause", nil, nil); err != nil {
				return err
			}
		}
	}
	for _, sample := range s.samples[:min(len(s.samples), 6)] {
		category, _, _ := strings.Cut(sample.EventType, ".")
		if err := s.client.do(ctx, http.MethodPost, root+"/event-types", object{"name": sample.EventType, "category": category, "description": "As the shop sends it."}, nil); err != nil {
			return err
		}
	}
	var link struct{ Token string }
	err = s.client.do(ctx, http.MethodPost, root+"/portal-links", object{"name": "Tern Ltd", "owner_id": "tern", "can_manage_endpoint": true}, &link)
	s.portal = "/portal?token=" + link.Token
	return err
}

// run sends events to customers, to some more than to others, until ctx is done. Most are
// of few types, as in life. What cannot be sent now is not sent.
func (s *shop) run(ctx context.Context) {
	owners := []string{"tern", "wren", "tern", "heron", "tern", "wren", "tern", "wren", "tern", "gannet"}
	for i := 0; sleep(ctx, time.Duration((0.5+rand.Float64())*float64(shopPace))) == nil; i++ {
		sample := s.samples[min(rand.IntN(len(s.samples)), rand.IntN(len(s.samples)))]
		_ = s.client.do(ctx, http.MethodPost, "/projects/"+s.project+"/events/fanout",
			object{"owner_id": owners[i%len(owners)], "event_type": sample.EventType, "data": sample.Data}, nil)
	}
}

// answerShop answers as the path says.
func answerShop(ctx *fasthttp.RequestCtx) {
	ctx.SetContentType("application/json")
	ctx.Response.Header.Set("Server", "shop/1.4")
	chance := rand.IntN(100)
	switch path := string(ctx.Path()); {
	case path == "/unauthorized":
		ctx.Error(`{"error":"invalid_token","message":"The API key was revoked on 3 March."}`, http.StatusUnauthorized)
	case path == "/at-times" && (chance < 2 || time.Now().Minute()%20 < 3):
		ctx.Error(fmt.Sprintf(`{"error":"upstream","message":"connection pool is empty","request_id":"req_%06x","queued":%d}`, rand.IntN(1<<24), 200+rand.IntN(80)), http.StatusServiceUnavailable)
	case path == "/overloaded" && chance < 20:
		ctx.Response.Header.Set("Retry-After", "8")
		ctx.Error(`{"error":"too many requests","limit":"10/s"}`, http.StatusTooManyRequests)
	default:
		if path == "/slow" {
			_ = sleep(context.Background(), time.Duration(60+rand.IntN(400))*time.Millisecond)
		}
		ctx.SetBodyString(fmt.Sprintf(`{"received":true,"id":"evt_%06x"}`, rand.IntN(1<<24)))
	}
}
