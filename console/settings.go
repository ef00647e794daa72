package console

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"posthaste/client"
)

// settingParts are the fields of a project's settings. Those in days are beside it.
var settingParts = []part{
	{"max_payload_read_size", aNumber}, {"search_policy", aTitle}, {"request_id_header", aTitle},
	{"add_event_id_trace_headers", aBox}, {"replay_attacks_prevention_enabled", aBox}, {"multiple_endpoint_subscriptions", aBox}, {"disable_endpoint", aBox},
	{"ssl.enforce_secure_endpoints", aBox},
	{"ratelimit.enabled", aBox}, {"ratelimit.count", aNumber}, {"ratelimit.duration", aNumber},
	{"strategy.type", aTitle}, {"strategy.retry_count", aNumber}, {"strategy.max_age", aZero}, {"strategy.no_retry_statuses", aCounts},
	{"signature.header", aTitle},
	{"dead_endpoint.strategy", aTitle}, {"dead_endpoint.count", aNumber}, {"dead_endpoint.window", aNumber},
	{"circuit_breaker.enabled", aBox}, {"circuit_breaker.sample_rate", aNumber}, {"circuit_breaker.error_timeout", aNumber},
	{"circuit_breaker.failure_threshold", aNumber}, {"circuit_breaker.success_threshold", aNumber}, {"circuit_breaker.minimum_request_count", aNumber},
	{"circuit_breaker.observability_window", aNumber}, {"circuit_breaker.consecutive_failure_threshold", aNumber},
	{"meta_event.is_enabled", aBox}, {"meta_event.url", aTitle}, {"meta_event.event_type", aList}, {"meta_event.secret", aTitle},
	{"retention.payload", aZero}, {"retention.history", aZero}, {"retention.max_bytes", aZero}, {"idempotency_window", aNumber},
}

// metaTypes are the types of operational events.
var metaTypes = []string{
	"endpoint.created", "endpoint.updated", "endpoint.deleted", "endpoint.disabled", "endpoint.enabled",
	"eventdelivery.updated", "eventdelivery.success", "eventdelivery.failed", "eventdelivery.exhausted",
}

// A form has room for so many ways of signing, and for one more than there are; no more
// than maxVersions are read.
const (
	someVersions = 3
	maxVersions  = 64
)

// settingsView is a project's settings.
type settingsView struct {
	ID, Name, Type string
	Form           form
	MetaTypes      []string
	MetaSecret     bool // one is set
	Version        string
	Rows           []int // of signature versions
}

// storedSettings is the form of what is stored. The list of projects is asked, which shows
// no secret: to look at settings is not to reveal one.
func (v *visit) storedSettings(ctx context.Context) (settingsView, error) {
	d := settingsView{MetaTypes: metaTypes}
	a, err := v.backend.Do(ctx, client.Request{Method: http.MethodGet, Path: instanceAPI + "/projects"})
	var all []struct {
		ID     string          `json:"uid"`
		Name   string          `json:"name"`
		Type   string          `json:"type"`
		Config json.RawMessage `json:"config"`
	}
	if err == nil {
		err = a.Into(&all)
	}
	if err != nil {
		return d, err
	}
	for _, one := range all {
		if one.ID != v.projectID() {
			continue
		}
		d.ID, d.Name, d.Type, d.Form = one.ID, one.Name, one.Type, formOf(one.Config)
		d.Form.values.Set("name", one.Name)
		fillStrategy(d.Form)
		d.fillVersions(one.Config)
		d.MetaSecret = d.Form.Get("meta_event.secret") != ""
		d.Form.values.Set("meta_event.secret", "")
		d.Form.values["meta_event.event_type"] = splitList(d.Form.Get("meta_event.event_type"))
		return d, nil
	}
	return d, &client.Error{Status: http.StatusNotFound, Message: "there is no such project"}
}

// fillStrategy makes one choice of a strategy's type and its schedule's name.
func fillStrategy(f form) {
	if name := f.Get("strategy.schedule_name"); name != "" {
		f.values.Set("strategy.type", name)
	}
	if f.Get("strategy.max_age") == "0" {
		f.values.Set("strategy.max_age", "")
	}
}

func (d *settingsView) fillVersions(config json.RawMessage) {
	var c struct {
		Signature struct {
			Versions []struct {
				ID       string `json:"uid"`
				Hash     string `json:"hash"`
				Encoding string `json:"encoding"`
			} `json:"versions"`
		} `json:"signature"`
	}
	_ = json.Unmarshal(config, &c)
	for i, version := range c.Signature.Versions {
		at := "version." + strconv.Itoa(i)
		d.Form.values.Set(at+".uid", version.ID)
		d.Form.values.Set(at+".sign", version.Hash+" "+version.Encoding)
	}
}

// strategyBody is the part of a request that a form's choice of strategy makes.
func strategyBody(f form, strategy map[string]any) {
	wait, longest := wholeOr(f.text("strategy.duration")), wholeOr(f.text("strategy.max_duration"))
	switch kind := f.text("strategy.type"); kind {
	case "convoy", "standard-webhooks":
		strategy["type"], strategy["schedule_name"] = "schedule", kind
	case "schedule":
		strategy["schedule"] = f.counts("strategy.schedule")
	default:
		if wait != "" {
			strategy["duration"] = wait
		}
		if longest != "" && kind == "exponential" {
			strategy["max_duration"] = longest
		}
	}
	if text := f.text("strategy.jitter"); text != "" {
		strategy["jitter"] = wholeOr(text)
	} else {
		strategy["jitter"] = nil // its default
	}
}

func (c *Console) settings(w http.ResponseWriter, r *http.Request, v *visit) {
	d, err := v.storedSettings(r.Context())
	if err != nil {
		c.failed(w, r, c.page(r, v, "settings", "Settings"), err)
		return
	}
	c.renderSettings(w, r, v, d)
}

func (c *Console) renderSettings(w http.ResponseWriter, r *http.Request, v *visit, d settingsView) {
	p := c.page(r, v, "settings", "Settings")
	if d.Form.Problem != "" {
		p.Code = http.StatusUnprocessableEntity
	}
	d.Version = c.o.Version
	for i := range maxVersions {
		if i >= someVersions && d.Form.Get("version."+strconv.Itoa(i-1)+".sign") == "" {
			break
		}
		d.Rows = append(d.Rows, i)
	}
	p.D = d
	c.render(w, r, "settings.html", p)
}

// changeSettings writes what the form has; what it lacks stays.
func (c *Console) changeSettings(w http.ResponseWriter, r *http.Request, v *visit) {
	f := readForm(r)
	_, err := v.change(r.Context(), http.MethodPut, "", nil, settingsBody(f))
	switch {
	case refused(err):
		c.refuseSettings(w, r, v, f, err)
	case err != nil:
		c.failed(w, r, c.page(r, v, "settings", "Settings"), err)
	default:
		back(w, r, v.base+"/settings?done=saved")
	}
}

// refuseSettings shows the form again, with what was typed.
func (c *Console) refuseSettings(w http.ResponseWriter, r *http.Request, v *visit, f form, because error) {
	d, err := v.storedSettings(r.Context())
	if err != nil {
		c.failed(w, r, c.page(r, v, "settings", "Settings"), err)
		return
	}
	d.Form = f
	d.Form.refuse(because)
	d.Form.values.Set("meta_event.secret", "")
	c.renderSettings(w, r, v, d)
}

// settingsBody is the request for a form.
func settingsBody(f form) map[string]any {
	types := f.values["meta_event.event_type"]
	f.values["meta_event.event_type"] = []string{strings.Join(types, "\n")}
	config := f.body(settingParts)
	f.values["meta_event.event_type"] = types
	if f.text("meta_event.secret") == "" {
		if meta, ok := config["meta_event"].(map[string]any); ok {
			delete(meta, "secret")
		}
	}
	if strategy, ok := config["strategy"].(map[string]any); ok {
		strategyBody(f, strategy)
	}
	if versions := versionsOf(f); versions != nil {
		put(config, "signature.versions", versions)
	}
	return map[string]any{"name": f.text("name"), "config": config}
}

// versionsOf are the ways of signing that were chosen, in their order; nil if the form has
// none of them.
func versionsOf(f form) []any {
	var out []any
	for i := range maxVersions {
		at := "version." + strconv.Itoa(i)
		hash, encoding, both := strings.Cut(f.text(at+".sign"), " ")
		if both {
			out = append(out, map[string]any{"uid": f.text(at + ".uid"), "hash": hash, "encoding": encoding})
		}
	}
	return out
}

// deleteProject deletes the project if its name was typed.
func (c *Console) deleteProject(w http.ResponseWriter, r *http.Request, v *visit) {
	f := readForm(r)
	d, err := v.storedSettings(r.Context())
	if err == nil && f.text("confirm") != d.Name {
		d.Form.Problem = "The name that was typed is not this project's, so it was not deleted."
		d.Form.wrong = map[string]string{"confirm": "type " + d.Name}
		c.renderSettings(w, r, v, d)
		return
	}
	if err == nil {
		_, err = v.change(r.Context(), http.MethodDelete, "", nil, nil)
	}
	if err != nil {
		c.failed(w, r, c.page(r, v, "settings", "Settings"), err)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "ph_project", Path: "/", MaxAge: -1})
	back(w, r, "/projects?done=deleted")
}
