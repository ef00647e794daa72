package test

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
)

// useAll sends events to every endpoint, and waits until each delivery has an end, and each
// credential was used; and lets others' webhooks in, rightly and wrongly.
func (w *plantedWorld) useAll() {
	for _, ep := range w.endpoints {
		w.must(w.s, "POST events", w.intake, "POST", w.project+"/events", object{
			"endpoint_id": ep, "event_type": "t", "data": object{"text": w.payload}, "custom_headers": object{"X-Auth-Token": w.header},
		}, nil)
	}
	var page page[deliveryView]
	eventually(w.t, "every delivery ends", func() bool {
		w.must(w.s, "read GET eventdeliveries", w.reader, "GET", w.project+"/eventdeliveries?perPage=1000", nil, &page)
		ended := 0
		for _, d := range page.Content {
			if d.Status == "Success" || d.Status == "Failure" {
				ended++
			}
		}
		return ended >= len(w.endpoints)
	})
	for _, d := range page.Content {
		w.deliveries = append(w.deliveries, d.UID)
	}
	for _, mask := range w.sourceMasks {
		for _, header := range []string{"X-Sig", "X-Key", "Authorization"} {
			req, err := http.NewRequest("POST", "http://"+w.s.api+"/ingest/"+mask, strings.NewReader(`{"text":"`+w.payload+`"}`))
			if err != nil {
				w.t.Fatal(err)
			}
			req.Header.Set(header, "Basic bm90OnRoaXM=")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				w.t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			w.see("API others POST ingest", text)
		}
	}
}

// fail sends what is refused, with a secret in the middle of it: the refusal must not say
// it again.
func (w *plantedWorld) fail() {
	bad := func(kind string) string { return w.plant(kind + " that is refused") }
	body := func(extra object) object { return with(object{"name": "n", "url": w.in.URL}, extra) }
	long := strings.Repeat("x", 70_000)
	for _, b := range []any{
		body(object{"secret": bad("secret") + long}),
		body(object{"secret": "whsec_" + bad("secret") + "!", "signature_mode": "standard-webhooks"}),
		body(object{"secret": []string{bad("secret")}}),
		body(object{"authentication": object{"type": "basic_auth", "basic_auth": object{"username": "", "password": bad("password") + long}}}),
		body(object{"authentication": object{"type": "bearer", "bearer": object{"token": bad("token") + "\r\nX: y"}}}),
		body(object{"authentication": object{"type": "bearer", "bearer": bad("token")}}),
		body(object{"authentication": object{"type": "magic", "bearer": object{"token": bad("token")}}}),
		body(object{"authentication": object{"type": "api_key", "api_key": object{"header_name": "a b", "header_value": bad("header")}}}),
		body(object{"authentication": object{"type": "oauth2", "oauth2": object{"url": "ftp://x", "client_id": "", "client_secret": bad("client secret")}}}),
		body(object{"authentication": object{"type": "oauth2", "oauth2": object{"url": w.idp.URL, "client_id": "c", "authentication_type": "client_assertion",
			"signing_algorithm": "ES256", "signing_key": object{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": bad("key")}}}}),
		body(object{"mtls_client_cert": object{"client_cert": "none", "client_key": "-----BEGIN PRIVATE KEY-----\n" + bad("PEM") + "\n-----END PRIVATE KEY-----\n"}}),
		body(object{"custom_headers": object{"X-Token": bad("header") + "\x00"}}),
		[]byte(`{"name":"n","secret":"` + bad("secret") + `",}`),
		[]byte(`{"name":"n","secret":"` + bad("secret")),
		[]byte(`"` + bad("secret") + `"`),
	} {
		code, a := w.ask(w.s, "refused POST endpoints", w.key, "POST", w.project+"/endpoints", b)
		if code/100 != 4 {
			w.t.Errorf("%.200v: %d %s", b, code, a.Message)
		}
	}
	for _, c := range []struct {
		key, method, path string
		body              any
	}{
		{w.key + "x", "GET", w.project, nil},
		{bad("key"), "GET", w.project, nil},
		{"CO.0123456789abcdef." + bad("key"), "GET", w.project, nil},
		{bad("key"), "POST", w.project + "/events", object{"data": w.payload}},
		{w.intake, "POST", w.project + "/events", []byte(`{"event_type":"t","data":{"a":"` + w.payload)},
		{w.intake, "POST", w.project + "/events", object{"event_type": "t", "data": w.payload, "custom_headers": object{"a b": w.header}}},
		{w.intake, "POST", w.project + "/events", object{"endpoint_id": "none", "event_type": "t", "data": w.payload}},
		{"", "POST", "/portal-api/token", object{"token": bad("portal token")}},
		{w.key, "POST", w.project + "/endpoints/oauth2/test", object{"oauth2": object{"url": w.idp.URL + "/echo", "client_id": "c", "client_secret": bad("client secret")}}},
		{w.key, "POST", w.project + "/subscriptions/test_function", object{"payload": object{"a": w.payload}, "function": "function transform(p) { throw new Error('no') }"}},
		{w.key, "POST", w.project + "/sources", object{"name": "s", "type": "http", "verifier": object{"type": "hmac", "hmac": object{"header": "", "hash": "none", "secret": bad("secret")}}}},
		{w.key, "PUT", w.project, object{"name": "p", "config": object{"meta_event": object{"is_enabled": true, "url": "ftp://x", "secret": bad("secret")}}}},
		{w.reader, "DELETE", w.project + "/endpoints/" + w.endpoints[0], nil},
	} {
		w.ask(w.s, fmt.Sprintf("refused %s %s", c.method, strings.TrimPrefix(c.path, w.project)), c.key, c.method, c.path, c.body)
	}
}

// look reads everything that there is to read, with every kind of key.
func (w *plantedWorld) look() {
	lists := []string{"", "/endpoints", "/subscriptions", "/events", "/eventdeliveries", "/sources", "/keys", "/portal-links", "/meta-events", "/jobs", "/event-types", "/applications", "/audit"}
	for _, path := range lists {
		w.ask(w.s, "read GET "+path, w.reader, "GET", w.project+path+"?perPage=1000", nil)
		w.ask(w.s, "owner GET "+path, w.owners, "GET", w.project+path+"?perPage=1000", nil)
		w.ask(w.s, "portal GET "+path, w.portal, "GET", w.project+path+"?perPage=1000", nil)
	}
	for i, ep := range w.endpoints {
		w.ask(w.s, "read GET endpoint", w.reader, "GET", w.project+"/endpoints/"+ep, nil)
		w.ask(w.s, "owner GET endpoint", w.owners, "GET", w.project+"/endpoints/"+ep, nil)
		label := "portal GET endpoint"
		if i < 2 {
			label = "portal GET own endpoint"
		}
		w.ask(w.s, label, w.portal, "GET", w.project+"/endpoints/"+ep, nil)
		w.ask(w.s, "manage GET endpoint", w.key, "GET", w.project+"/endpoints/"+ep, nil)
		w.ask(w.s, "manage PUT endpoint", w.key, "PUT", w.project+"/endpoints/"+ep, object{"name": fmt.Sprint("changed ", i)})
	}
	for _, d := range w.deliveries {
		for _, path := range []string{"", "/deliveryattempts", "/curl"} {
			w.ask(w.s, "read GET delivery"+path, w.reader, "GET", w.project+"/eventdeliveries/"+d+path, nil)
			w.ask(w.s, "portal GET delivery"+path, w.portal, "GET", w.project+"/eventdeliveries/"+d+path, nil)
		}
		w.ask(w.s, "manage GET delivery", w.key, "GET", w.project+"/eventdeliveries/"+d, nil)
	}
	w.ask(w.s, "manage GET project", w.key, "GET", w.project, nil)
	w.ask(w.s, "manage GET portal-links", w.key, "GET", w.project+"/portal-links/"+w.link, nil)
	if _, a := w.ask(w.s, "manage GET portal session", w.key, "GET", w.project+"/portal-links/"+w.link+"/refresh_token", nil); len(a.Data) > 2 {
		w.remember("portal session", strings.Trim(string(a.Data), `"`))
	}
	w.must(w.s, "manage POST oauth2 test", w.key, "POST", w.project+"/endpoints/oauth2/test", object{"oauth2": object{
		"url": w.idp.URL + "/token", "client_id": "me", "client_secret": "x", "authentication_type": "shared_secret"}}, nil)
	w.ask(w.s, "audit of the project", w.reader, "GET", w.project+"/audit?perPage=1000", nil)
	w.must(w.s, "audit of all", w.root, "GET", "/api/v1/audit?perPage=1000", nil, nil)
	w.ask(w.s, "instance keys", w.root, "GET", "/api/v1/keys", nil)
	w.ask(w.s, "instance projects", w.root, "GET", "/api/v1/projects", nil)
	w.ask(w.s, "instance secrets", w.root, "GET", "/api/v1/secrets", nil)
}

// commands runs what shows something on a terminal. They are given the key as they should:
// in their environment.
func (w *plantedWorld) commands() {
	for _, c := range []struct{ key, args string }{
		{w.reader, "endpoint list"}, {w.reader, "endpoint get " + w.endpoints[0]}, {w.reader, "key list"}, {w.reader, "source list"},
		{w.reader, "portal-link list"}, {w.reader, "event list"}, {w.reader, "delivery list"}, {w.reader, "project list"},
		{w.reader, "audit --all"}, {w.reader, "audit --all --json"}, {w.root, "audit --instance --all"},
		{"", "endpoint list"}, {w.key + "x", "endpoint list"}, {"", "config print"},
	} {
		args := strings.Fields(c.args)
		cmd := exec.Command(binary, args...)
		if args[0] != "config" {
			cmd.Args = append(cmd.Args, "--server", "http://"+w.s.api)
			cmd.Env = append(cmd.Environ(), "POSTHASTE_KEY="+c.key)
			if !strings.Contains(c.args, "--instance") {
				cmd.Args = append(cmd.Args, "--project", strings.TrimPrefix(w.project, "/api/v1/projects/"))
			}
		}
		text, err := cmd.CombinedOutput()
		if bad := c.key == "" || c.key == w.key+"x"; err != nil && !bad {
			w.t.Errorf("%s: %v: %s", c.args, err, text)
		}
		w.see("command "+c.args, text)
	}
}
