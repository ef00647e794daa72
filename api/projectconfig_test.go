package api

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"posthaste/event"
)

// Each step is laid over what the steps before it left.
func TestProjectConfig(t *testing.T) {
	for _, c := range []struct {
		name  string
		part  string
		steps [][2]string // what is sent, and the part of the config that is shown then
	}{
		{"strategy", "strategy", [][2]string{
			{`{"strategy":{"duration":"1m"}}`, `{"duration":60,"retry_count":10,"type":"linear"}`},
			{`{"strategy":{"type":"default","retry_count":4}}`, `{"duration":60,"retry_count":4,"type":"linear"}`},
			{`{"strategy":{"type":"exponential","max_duration":"2h","jitter":10}}`,
				`{"duration":60,"jitter":10,"max_duration":7200,"retry_count":4,"type":"exponential"}`},
			{`{"strategy":{"no_retry_statuses":[400,422],"max_age":"24h"}}`,
				`{"duration":60,"jitter":10,"max_age":86400,"max_duration":7200,"no_retry_statuses":[400,422],"retry_count":4,"type":"exponential"}`},
			{`{"strategy":{"schedule":[5,"1m",600]}}`,
				`{"duration":0,"max_age":86400,"no_retry_statuses":[400,422],"retry_count":4,"schedule":[5,60,600],"type":"schedule"}`},
			{`{"strategy":{"schedule":[5]}}`,
				`{"duration":0,"max_age":86400,"no_retry_statuses":[400,422],"retry_count":2,"schedule":[5],"type":"schedule"}`},
			{`{"strategy":{"schedule_name":"convoy","no_retry_statuses":[]}}`,
				`{"duration":0,"max_age":86400,"retry_count":8,"schedule":[10,30,60,180,300,600,900],"schedule_name":"convoy","type":"schedule"}`},
			{`{"strategy":{"retry_count":3}}`,
				`{"duration":0,"max_age":86400,"retry_count":3,"schedule":[10,30,60,180,300,600,900],"schedule_name":"convoy","type":"schedule"}`},
			{`{"strategy":{"type":"linear","max_age":0}}`, `{"duration":100,"retry_count":10,"type":"linear"}`},
			{`{"strategy":{"type":"exponential-backoff"}}`,
				`{"duration":0,"retry_count":8,"schedule":[10,30,60,180,300,600,900],"schedule_name":"convoy","type":"schedule"}`},
			{`{"strategy":null}`, `{"duration":0,"retry_count":8,"schedule":[10,30,60,180,300,600,900],"schedule_name":"convoy","type":"schedule"}`},
		}},
		{"dead endpoints", "dead_endpoint", [][2]string{
			{`{}`, `{"count":10,"strategy":"exhausted","window":432000}`},
			{`{"dead_endpoint":{"strategy":"window","window":"48h"}}`, `{"count":10,"strategy":"window","window":172800}`},
			{`{"dead_endpoint":{"count":3}}`, `{"count":3,"strategy":"window","window":172800}`},
		}},
		{"circuit breaker", "circuit_breaker", [][2]string{
			{`{}`, `{"consecutive_failure_threshold":10,"enabled":false,"error_timeout":30,"failure_threshold":70,"minimum_request_count":10,"observability_window":5,"sample_rate":30,"success_threshold":5}`},
			{`{"circuit_breaker":{"enabled":true,"failure_threshold":50}}`, `{"consecutive_failure_threshold":10,"enabled":true,"error_timeout":30,"failure_threshold":50,"minimum_request_count":10,"observability_window":5,"sample_rate":30,"success_threshold":5}`},
			{`{"circuit_breaker":null}`, `{"consecutive_failure_threshold":10,"enabled":true,"error_timeout":30,"failure_threshold":50,"minimum_request_count":10,"observability_window":5,"sample_rate":30,"success_threshold":5}`},
		}},
		{"operational events", "meta_event", [][2]string{
			{`{}`, `{"event_type":[],"is_enabled":false,"pub_sub":null,"secret":"","type":"http","url":""}`},
			{`{"meta_event":{"is_enabled":true,"url":"https://x.example/m","secret":"0123456789abcdefgh","event_type":["endpoint.created"],"type":"","pub_sub":null}}`,
				`{"event_type":["endpoint.created"],"is_enabled":true,"pub_sub":null,"secret":"0123456789abcdefgh","type":"http","url":"https://x.example/m"}`},
			{`{"meta_event":{"secret":"****efgh","event_type":[]}}`,
				`{"event_type":[],"is_enabled":true,"pub_sub":null,"secret":"0123456789abcdefgh","type":"http","url":"https://x.example/m"}`},
			{`{"meta_event":{"is_enabled":false,"secret":""}}`,
				`{"event_type":[],"is_enabled":false,"pub_sub":null,"secret":"0123456789abcdefgh","type":"http","url":"https://x.example/m"}`},
		}},
		{"retention", "retention", [][2]string{
			{`{}`, `{"history":0,"max_bytes":0,"payload":0}`},
			{`{"retention":{"payload":"720h","history":7776000}}`, `{"history":7776000,"max_bytes":0,"payload":2592000}`},
			{`{"retention":{"max_bytes":10000000000}}`, `{"history":7776000,"max_bytes":10000000000,"payload":2592000}`},
		}},
		{"idempotency", "idempotency_window", [][2]string{
			{`{}`, `86400`}, {`{"idempotency_window":"48h"}`, `172800`}, {`{"idempotency_window":60}`, `60`},
			{`{"idempotency_window":null}`, `60`}, {`{"idempotency_window":0}`, `86400`},
		}},
		{"rate limit", "ratelimit", [][2]string{
			{`{"ratelimit":{"count":5}}`, `{"count":5,"duration":60,"enabled":false}`},
			{`{"ratelimit":{"duration":"1h"}}`, `{"count":5,"duration":3600,"enabled":false}`},
			{`{"ratelimit":{"enabled":true}}`, `{"count":5,"duration":3600,"enabled":true}`},
			{`{"ratelimit":{"count":7}}`, `{"count":7,"duration":3600,"enabled":true}`},
		}},
		{"dynamic events", "verify_dynamic_events", [][2]string{
			{`{"verify_dynamic_events":true}`, `true`}, {`{"verify_dynamic_events":null}`, `true`}, {`{"verify_dynamic_events":false}`, `false`},
		}},
		{"unmatched URLs", "allow_unmatched_dynamic_urls", [][2]string{{`{"allow_unmatched_dynamic_urls":true}`, `true`}, {`{}`, `true`}}},
		{"TLS", "ssl", [][2]string{
			{`{"SSL":{"enforce_secure_endpoints":true}}`, `{"enforce_secure_endpoints":true}`},
			{`{"ssl":{"enforce_secure_endpoints":false}}`, `{"enforce_secure_endpoints":false}`},
		}},
		{"request id header", "request_id_header", [][2]string{{`{"request_id_header":"X-Request-Ref"}`, `"X-Request-Ref"`}, {`{}`, `"X-Request-Ref"`}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			for _, step := range c.steps {
				a := w.do("PUT", w.in(""), `{"config":`+step[0]+`}`)
				w.want(a, 202, "Project updated successfully")
				if got := a.json("config", c.part); got != step[1] {
					t.Errorf("after %s\n%s is %s\nwant %s", step[0], c.part, got, step[1])
				}
				w.projectRoundTrip(a)
			}
		})
	}
}

// projectRoundTrip writes back what is shown, and expects that it changes nothing.
func (w *world) projectRoundTrip(shown answer) {
	w.t.Helper()
	before := w.catalog.Snapshot().Project(w.project).Config
	w.want(w.do("PUT", w.in(""), string(shown.Data)), 202, "Project updated successfully")
	if after := w.catalog.Snapshot().Project(w.project).Config; !reflect.DeepEqual(before, after) {
		w.t.Errorf("what was shown, written back, changes\n%+v\nto\n%+v", before, after)
	}
}

// What the catalog refuses names the field as the request does.
func TestRefusedProjectConfig(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ field, config string }{
		{"dead_endpoint.strategy", `{"dead_endpoint":{"strategy":"x"}}`},
		{"dead_endpoint.count", `{"dead_endpoint":{"count":-1}}`},
		{"dead_endpoint.window", `{"dead_endpoint":{"window":"1s"}}`},
		{"circuit_breaker.failure_threshold", `{"circuit_breaker":{"failure_threshold":101}}`},
		{"meta_event.url", `{"meta_event":{"is_enabled":true}}`},
		{"meta_event.type", `{"meta_event":{"type":"pub_sub"}}`},
		{"meta_event.event_type[0]", `{"meta_event":{"event_type":["x"]}}`},
		{"retention.payload", `{"retention":{"payload":"1s"}}`},
		{"retention.history", `{"retention":{"payload":7200,"history":3600}}`},
		{"retention.max_bytes", `{"retention":{"max_bytes":-1}}`},
		{"idempotency_window", `{"idempotency_window":"1000h"}`},
	} {
		a := w.do("PUT", w.in(""), `{"config":`+c.config+`}`)
		if field, reason, _ := strings.Cut(a.Message, ": "); a.Code != 400 || field != "config."+c.field || reason == "" {
			t.Errorf("%s: %d %q, want config.%s", c.config, a.Code, a.Message, c.field)
		}
	}
}

// An update that is read over a project leaves the values of the snapshot before alone.
func TestUpdatesShareNoMemory(t *testing.T) {
	w := newWorld(t)
	w.do("PUT", w.in(""), `{"config":{"strategy":{"schedule":[1,2,3],"no_retry_statuses":[400,401]},"meta_event":{"event_type":["endpoint.created","endpoint.deleted"]}}}`)
	before := w.catalog.Snapshot().Project(w.project)
	text := fmt.Sprintf("%+v", before.Config)
	a := w.do("PUT", w.in(""), `{"config":{"strategy":{"schedule":[9,8],"no_retry_statuses":[404]},"meta_event":{"event_type":["endpoint.updated"]}}}`)
	w.want(a, 202, "Project updated successfully")
	if now := fmt.Sprintf("%+v", before.Config); now != text {
		t.Errorf("the snapshot changed from\n%s\nto\n%s", text, now)
	}
}

// A listing of projects masks what one project shows in clear.
func TestProjectListingMasksSecrets(t *testing.T) {
	w := newWorld(t)
	const secret = "0123456789abcdefgh"
	w.want(w.do("PUT", w.in(""), `{"config":{"meta_event":{"is_enabled":true,"url":"https://x.example","secret":"`+secret+`"}}}`), 202, "Project updated successfully")
	list := w.do("GET", "/api/v1/projects", "")
	var rows []projectView
	if err := decode(list.Data, &rows); err != nil || len(rows) != 1 || rows[0].Config.MetaEvent.Secret != "****efgh" {
		t.Errorf("listed %s", list.body)
	}
}

// The project that stands for another's operational events is nobody's to see.
func TestOperationalProjectsAreHidden(t *testing.T) {
	w := newWorld(t)
	w.want(w.do("PUT", w.in(""), `{"config":{"meta_event":{"is_enabled":true,"url":"https://x.example","secret":"s"}}}`), 202, "Project updated successfully")
	if w.catalog.Snapshot().Project(event.MetaProject(w.project)) == nil {
		t.Fatal("there is none to hide")
	}
	w.want(w.do("GET", "/api/v1/projects/"+event.MetaProject(w.project).String(), ""), 404, "Resource not found")
	w.want(w.do("GET", w.in("/endpoints/%s", event.MetaEndpoint(w.project)), ""), 404, "Resource not found")
}

func TestBadProjectConfig(t *testing.T) {
	w := newWorld(t)
	const wantSeconds = `: want whole seconds: a number like 30 or a text like "30s"`
	for _, c := range []struct{ config, message string }{
		{`{"strategy":{"duration":"soon"}}`, "config.strategy.duration" + wantSeconds},
		{`{"strategy":{"duration":1.5}}`, "config.strategy.duration" + wantSeconds},
		{`{"strategy":{"schedule":[1,{}]}}`, "config.strategy.schedule" + wantSeconds},
		{`{"strategy":{"schedule":[1,0]}}`, "config.strategy.schedule[1]: is 0; it must be 1 to 2592000 seconds"},
		{`{"strategy":{"schedule":"convoy"}}`, "config.strategy.schedule: want an array, got string (at byte 53)"},
		{`{"strategy":{"schedule_name":"mine"}}`, `config.strategy.schedule_name: is none that is known; it must be "convoy" or "standard-webhooks", or empty for a list in schedule`},
		{`{"strategy":{"type":"fibonacci"}}`, `config.strategy.type: is none that is known; it must be "linear", "exponential" or "schedule"`},
		{`{"strategy":{"jitter":"much"}}`, "config.strategy.jitter: want a whole number, got string"},
		{`{"strategy":{"jitter":101}}`, "config.strategy.jitter: is 101; it must be 0 to 100 percent of the wait"},
		{`{"strategy":{"no_retry_statuses":[200]}}`, "config.strategy.no_retry_statuses[0]: is 200; it must be 100 to 199 or 300 to 599"},
		{`{"retention":{"payload":"1.5s"}}`, "config.retention.payload" + wantSeconds},
		{`{"idempotency_window":true}`, "config.idempotency_window" + wantSeconds},
		{`{"meta_event":{"pub_sub":{"type":"sqs"}}}`, "config.meta_event.pub_sub: operational events go to a url only; leave it out"},
		{`{"circuit_breaker":{"failure_threshold":"70"}}`, "config.circuit_breaker.failure_threshold: want a whole number, got string (at byte 65)"},
	} {
		w.want(w.do("PUT", w.in(""), `{"name":"x","config":`+c.config+`}`), 400, c.message)
	}
}
