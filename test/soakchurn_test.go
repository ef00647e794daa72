package test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// churn makes, uses, changes and removes what an instance is configured with, again and again.
type churn struct {
	p       *project // the standing one
	mob     *mob
	tokens  *tokens
	nobody  string // an address where nobody listens
	rounds  atomic.Int64
	objects atomic.Int64 // made and removed
	failed  atomic.Pointer[string]
}

// run makes rounds until stop is closed, and ends with the round that it is in.
func (c *churn) run(stop <-chan struct{}) {
	for n := 0; c.failed.Load() == nil; n++ {
		select {
		case <-stop:
			return
		case <-time.After(50 * time.Millisecond):
		}
		if n%5 == 0 {
			c.wholeProject()
		} else {
			c.round(c.p)
		}
		c.rounds.Add(1)
	}
}

// ask sends a request that has to succeed, from any goroutine.
func (c *churn) ask(p *project, method, path string, body any) (made struct {
	UID string
	Key string
}) {
	code, a, _, err := p.request(method, path, body)
	if err == nil && code/100 != 2 {
		err = fmt.Errorf("%d %s", code, a.Message)
	}
	if err == nil && len(a.Data) > 0 && a.Data[0] == '{' {
		err = unmarshal(a.Data, &made)
	}
	if err != nil {
		text := fmt.Sprintf("%s %s: %v", method, path, err)
		c.failed.CompareAndSwap(nil, &text)
	}
	return made
}

// wholeProject is a round in a project that is made for it, and removed.
func (c *churn) wholeProject() {
	root := &project{c.p.server, "", rootKey}
	code, a, _, err := root.request("POST", "/api/v1/projects?orgID=ignored", object{"name": "passing", "type": "outgoing", "config": linear(1, 3)})
	var made struct {
		APIKey  struct{ Key string } `json:"api_key"`
		Project struct{ UID string } `json:"project"`
	}
	if err == nil && code/100 == 2 {
		err = unmarshal(a.Data, &made)
	}
	if err != nil || code/100 != 2 {
		text := fmt.Sprintf("make a project: %d %s %v", code, a.Message, err)
		c.failed.CompareAndSwap(nil, &text)
		return
	}
	p := &project{c.p.server, "/api/v1/projects/" + made.Project.UID, made.APIKey.Key}
	c.round(p)
	c.ask(p, "DELETE", "", nil)
	c.objects.Add(2) // with its key
}

// round makes endpoints of several kinds, with subscriptions and a key, uses them, changes them
// and removes them, some while there is work for them.
func (c *churn) round(p *project) {
	key := c.ask(p, "POST", "/keys", object{"name": "passing", "role": object{"type": "api"}})
	user := &project{p.server, p.path, key.Key}
	bodies := []object{
		{"url": c.mob.URL + "/churn/plain"},
		{"url": "http://" + c.nobody + "/"},
		{"url": c.mob.URL + "/churn/limited", "rate_limit": 2, "rate_limit_duration": 60},
		{"url": c.mob.URL + "/churn/token", "authentication": object{"type": "oauth2", "oauth2": object{
			"url": c.tokens.URL, "client_id": "client-1", "client_secret": "client secret", "authentication_type": "shared_secret"}}},
	}
	for i, body := range bodies {
		body["name"], body["secret"] = fmt.Sprint("passing ", i), "a secret that passes"
		ep := c.ask(user, "POST", "/endpoints", body).UID
		sub := c.ask(user, "POST", "/subscriptions", object{"name": "passing", "endpoint_id": ep,
			"filter_config": object{"event_types": []string{"t", "u"}, "filter": object{"body": object{"n": object{"$gte": 0}}}}}).UID
		for range 5 {
			c.ask(user, "POST", "/events", object{"endpoint_id": ep, "event_type": "t", "data": object{"n": i}})
		}
		body["name"] = "changed"
		c.ask(user, "PUT", "/endpoints/"+ep, body)
		c.ask(user, "PUT", "/endpoints/"+ep+"/expire_secret", object{"secret": "another", "expiration": 1})
		c.ask(user, "PUT", "/subscriptions/"+sub, object{"name": "changed", "endpoint_id": ep, "filter_config": object{"event_types": []string{"*"}}})
		if i%2 == 0 {
			c.ask(user, "PUT", "/endpoints/"+ep+"/pause", nil)
			c.ask(user, "PUT", "/endpoints/"+ep+"/pause", nil)
		}
		c.ask(user, "DELETE", "/subscriptions/"+sub, nil)
		c.ask(user, "DELETE", "/endpoints/"+ep, nil)
		c.objects.Add(2)
	}
	c.ask(p, "DELETE", "/keys/"+key.UID, nil)
	if code, _, _, err := user.request("GET", "", nil); err != nil || code != http.StatusUnauthorized {
		text := fmt.Sprintf("a key that was revoked: %d %v", code, err)
		c.failed.CompareAndSwap(nil, &text)
	}
	c.objects.Add(1)
}
