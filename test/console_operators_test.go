package test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// typed is what a browser sends of the form on a page that is posted to a path.
func (v *visitor) typed(p shownPage, action string) url.Values {
	v.t.Helper()
	root, err := html.Parse(strings.NewReader(p.text))
	if err != nil {
		v.t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Data == "form" && attribute(n, "method") == "post" && attribute(n, "action") == action {
			return fieldsOf(n)
		}
	}
	v.t.Fatalf("%s has no form for %s\n%s", p.path, action, p.main())
	return nil
}

func fieldsOf(form *html.Node) url.Values {
	out := url.Values{}
	for n := range form.Descendants() {
		name := attribute(n, "name")
		if n.Type != html.ElementNode || name == "" {
			continue
		}
		switch n.Data {
		case "input":
			box := attribute(n, "type") == "checkbox"
			if value := attribute(n, "value"); !box {
				out.Add(name, value)
			} else if has(n, "checked") {
				if value == "" {
					value = "on"
				}
				out.Add(name, value)
			}
		case "textarea":
			if n.FirstChild != nil {
				out.Add(name, n.FirstChild.Data)
			} else {
				out.Add(name, "")
			}
		case "select":
			out.Add(name, chosen(n))
		}
	}
	return out
}

// chosen is the option that is selected, or the first.
func chosen(sel *html.Node) (value string) {
	first := true
	for n := range sel.Descendants() {
		if n.Data == "option" && (first || has(n, "selected")) {
			value, first = attribute(n, "value"), false
		}
	}
	return value
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// stored is an object as the API shows it, without its dates of change.
func (w *consoleWorld) stored(path string) map[string]any {
	w.t.Helper()
	var raw json.RawMessage
	w.s.must(rootKey, "GET", path, nil, &raw)
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		w.t.Fatal(err)
	}
	for _, name := range []string{"updated_at", "statistics", "endpoint_metadata", "source_metadata"} {
		delete(object, name)
	}
	return object
}

// TestConsoleFormsChangeNothingByThemselves: a form that is sent as it is shown leaves all
// as it was, secrets that it does not show included.
func TestConsoleFormsChangeNothingByThemselves(t *testing.T) {
	w := newConsoleWorld(t)
	in := "/p/" + w.project[strings.LastIndex(w.project, "/")+1:]
	w.want(w.signIn(rootKey), http.StatusOK)
	w.s.must(w.key, "PUT", w.project, object{"config": object{
		"strategy": object{"type": "schedule", "schedule": []int{7, 70, 700}}, "meta_event": object{"is_enabled": true, "url": w.recv.URL, "secret": "meta-secret-0123456789", "event_type": []string{"endpoint.created"}},
		"signature": object{"versions": []object{{"hash": "SHA512", "encoding": "base64"}, {"hash": "SHA3_224", "encoding": "hex"}}}, "retention": object{"payload": 7200, "history": 9000},
		"multiple_endpoint_subscriptions": true, "dead_endpoint": object{"strategy": "window", "count": 3, "window": 600}, "ratelimit": object{"enabled": true, "count": 77, "duration": 3},
	}}, nil)
	w.s.must(w.key, "PUT", w.project+"/endpoints/"+w.endpoint, object{
		"authentication": object{"type": "oauth2", "oauth2": object{"url": w.recv.URL, "client_id": "c", "grant_type": "client_credentials", "authentication_type": "shared_secret", "client_secret": "very secret"}},
		"custom_headers": object{"X-Region": "eu: west", "X-Api-Key": "header secret"}, "strategy": object{"type": "exponential", "duration": 3, "retry_count": 5, "max_duration": 99, "jitter": 0},
		"rate_limit": 0, "support_email": "a@example.com", "description": "two\nlines, \"and\" <more>",
	}, nil)
	var sub, src struct{ UID string }
	w.s.must(w.key, "POST", w.project+"/sources", object{"name": "gh", "provider": "github", "verifier": object{"hmac": object{"secret": "hook secret"}}, "idempotency_keys": []string{"request.header.X-GitHub-Delivery"}}, &src)
	w.s.must(w.key, "POST", w.project+"/subscriptions", object{"name": "s", "endpoint_id": w.endpoint, "source_id": src.UID, "function": "function transform(p) {\n  return p // <b>\n}",
		"filter_config": object{"event_types": []string{"push", "regex:^a+$"}, "filter": object{"body": object{"n": object{"$gt": 1.5}}, "headers": object{"x": "y"}}}}, &sub)
	for _, f := range []struct{ page, api string }{
		{"/settings", ""}, {"/endpoints/" + w.endpoint + "/edit", "/endpoints/" + w.endpoint}, {"/subscriptions/" + sub.UID, "/subscriptions/" + sub.UID}, {"/sources/" + src.UID, "/sources/" + src.UID},
	} {
		before := w.stored(w.project + f.api)
		form := w.typed(w.want(w.get(in+f.page), http.StatusOK), in+f.page)
		w.want(w.post(in+f.page, form), http.StatusOK, "Saved.")
		if after := w.stored(w.project + f.api); !reflect.DeepEqual(after, before) {
			t.Errorf("%s changed\n%v\nto\n%v", f.page, before, after)
		}
	}
	w.want(w.get(in+"/audit?range=1h"), http.StatusOK, "update endpoint", "update project")
}

// TestConsoleOfTheInstance: what an operator sees of the server, with the instance's key
// and with none of it.
func TestConsoleOfTheInstance(t *testing.T) {
	w := newConsoleWorld(t)
	in := "/p/" + w.project[strings.LastIndex(w.project, "/")+1:]
	w.want(w.signIn(rootKey), http.StatusOK)
	w.want(w.get("/system"), http.StatusOK, "Events are taken and delivered", "Settings in force", "127.0.0.0/8", "256 of 256 held")
	made := w.want(w.post("/system/keys", url.Values{"name": {"ada"}, "scopes": {"read"}}), http.StatusOK, "shown this once")
	key := strings.SplitN(strings.SplitN(made.text, `data-copy="`, 2)[1], `"`, 2)[0]
	w.want(w.get("/system/audit"), http.StatusOK, "create key", "ada")
	w.want(w.post("/projects", url.Values{"name": {"second"}}), http.StatusOK, "second", "Its first key")
	w.want(w.post(in+"/endpoints", url.Values{"name": {"Self"}, "url": {w.base + "/login"}}), http.StatusUnprocessableEntity, `role="alert"`)
	w.post("/logout", nil)
	w.want(w.signIn(key), http.StatusOK)
	w.want(w.get("/system"), http.StatusOK)
	w.want(w.post("/system/keys", url.Values{"name": {"eve"}}), http.StatusForbidden, "may not manage")
	w.post("/logout", nil)
	w.want(w.signIn(w.key), http.StatusOK)
	for _, path := range []string{"/system", "/system/keys", "/system/audit"} {
		w.want(w.get(path), http.StatusForbidden, "this needs the instance&#39;s key")
	}
	w.want(w.get("/projects"), http.StatusOK)
	if p := w.get("/projects"); strings.Contains(p.text, "second") {
		t.Error("a project's key is shown another project")
	}
}
