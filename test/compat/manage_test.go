package compat

import (
	"net/url"
	"strings"
)

// projects makes two projects: the one that is worked on, and another.
func (w *world) projects() {
	config := object{
		"multiple_endpoint_subscriptions": true,
		"strategy":                        object{"type": "linear", "duration": 1, "retry_count": 1},
		"signature":                       object{"header": "X-Convoy-Signature", "versions": []object{{"hash": "SHA256", "encoding": "hex"}}},
		"ratelimit":                       object{"count": 1000, "duration": 60},
		"meta_event":                      object{"is_enabled": true, "type": "http", "url": w.hook.URL + "/meta", "secret": "meta-secret", "event_type": []string{"endpoint.created", "endpoint.updated"}},
	}
	body := object{"name": "compat", "type": "outgoing", "logo_url": "https://example.com/logo.png", "config": config}
	made := w.ok(ask{op: "CreateProject", query: "orgID=01HZZZZZZZZZZZZZZZZZZZZZZZ", body: body, key: rootKey}, 201, "Project created successfully", "models.CreateProjectResponse")
	if w.key = made.pick("api_key.key"); w.key == "" {
		w.t.Fatalf("no project to work on: %d %s", made.code, made.raw)
	}
	w.ids["projectID"] = made.pick("project.uid")
	other := w.send(ask{op: "CreateProject", body: object{"name": "other", "type": "incoming"}, key: rootKey})
	w.ids["other project"], w.ids["other key"] = other.pick("project.uid"), other.pick("api_key.key")
	w.check("CreateProject", other.code == 201 && other.pick("project.type") == "incoming", "an incoming project: %d %s", other.code, other.message)
	w.refused("no name", ask{op: "CreateProject", body: object{"type": "outgoing"}, key: rootKey}, 400, "~name")
	w.refused("bad type", ask{op: "CreateProject", body: object{"name": "x", "type": "sideways"}, key: rootKey}, 400, "~type")
	w.refused("sync_dynamic_event_ack", ask{op: "CreateProject", body: object{"name": "x", "type": "outgoing", "config": object{"sync_dynamic_event_ack": true}}, key: rootKey}, 400, "")

	all := w.ok(ask{op: "GetProjects", query: "orgID=", key: rootKey}, 200, "Projects fetched successfully", "[models.ProjectResponse]")
	w.check("GetProjects", len(all.list()) == 2, "%d projects, want 2", len(all.list()))
	one := w.ok(ask{op: "GetProject"}, 200, "Project fetched successfully", "models.ProjectResponse")
	for path, want := range map[string]string{
		"config.request_id_header": "X-Convoy-Idempotency-Key", "config.signature.header": "X-Convoy-Signature",
		"config.signature.versions.0.hash": "SHA256", "config.meta_event.url": w.hook.URL + "/meta", "type": "outgoing",
	} {
		w.check("GetProject", one.pick(path) == want, "%s is %q, want %q", path, one.pick(path), want)
	}
	changed := w.ok(ask{op: "UpdateProject", body: object{"name": "renamed", "config": object{"SSL": object{"enforce_secure_endpoints": false}, "max_payload_read_size": 100000}}}, 202, "Project updated successfully", "models.ProjectResponse")
	w.check("UpdateProject", changed.pick("name") == "renamed" && changed.pick("config.strategy.type") == "linear", "it changed what was not named")
}

func (w *world) endpoints() {
	body := object{
		"url": w.hook.URL + "/ok", "name": "takes all", "secret": "endpoint-secret", "owner_id": "acme", "description": "the first",
		"advanced_signatures": true, "support_email": "ops@example.com", "slack_webhook_url": "https://hooks.example.com/s", "teams_webhook_url": "https://hooks.example.com/t",
		"is_disabled": false, "http_timeout": 20, "rate_limit": 0, "rate_limit_duration": 60, "content_type": "application/json",
		"authentication": object{"type": "api_key", "api_key": object{"header_name": "X-Key", "header_value": "of-the-receiver"}}, "appID": "",
	}
	const kind = "models.EndpointResponse"
	made := w.ok(ask{op: "CreateEndpoint", body: body}, 201, "Endpoint created successfully", kind)
	w.ids["endpointID"] = made.pick("uid")
	for path, want := range map[string]string{
		"status": "active", "owner_id": "acme", "name": "takes all", "content_type": "application/json", "project_id": w.ids["projectID"],
		"secrets.0.value": "endpoint-secret", "authentication.type": "api_key", "authentication.api_key.header_name": "X-Key", "support_email": "ops@example.com",
	} {
		w.check("CreateEndpoint", made.pick(path) == want, "%s is %q, want %q", path, made.pick(path), want)
	}
	fails := w.send(ask{op: "CreateEndpoint", body: object{"url": w.hook.URL + "/fail", "name": "fails", "rate_limit": 0}})
	w.ids["failing endpoint"] = fails.pick("uid")
	w.check("CreateEndpoint", len(fails.pick("secrets.0.value")) >= 20, "no secret was made: %s", fails.message)
	w.refused("no url", ask{op: "CreateEndpoint", body: object{"name": "x"}}, 400, "")
	w.refused("bad url", ask{op: "CreateEndpoint", body: object{"name": "x", "url": "gopher://x"}}, 400, "")

	all := w.ok(ask{op: "GetEndpoints", query: "perPage=10&sort=ASC"}, 200, "Endpoints fetched successfully", "page "+kind)
	w.check("GetEndpoints", len(all.list()) == 2 && all.field("uid")[0] == w.ids["endpointID"], "want the two, oldest first: %v", all.field("uid"))
	for query, want := range map[string]int{"ownerId=acme": 1, "ownerId=nobody": 0, "q=takes": 1, "q=nothing": 0, "q=" + url.QueryEscape("TAKES ALL"): 1} {
		got := w.send(ask{op: "GetEndpoints", query: query})
		w.check("GetEndpoints", len(got.list()) == want, "?%s finds %d, want %d", query, len(got.list()), want)
	}
	w.ok(ask{op: "GetEndpoint"}, 200, "", kind)
	w.endpointStates()
	w.secrets()

	oauth := object{"url": w.hook.URL + "/token", "client_id": "me", "client_secret": "mine", "grant_type": "client_credentials", "authentication_type": "shared_secret"}
	tested := w.ok(ask{op: "TestOAuth2Connection", body: object{"oauth2": oauth}}, 200, "", "models.TestOAuth2Response")
	w.check("TestOAuth2Connection", tested.pick("access_token") == "a-token" && tested.at("success") == true, "no token: %s", tested.raw)
}

func (w *world) endpointStates() {
	const kind = "models.EndpointResponse"
	changed := w.ok(ask{op: "UpdateEndpoint", body: object{"url": w.hook.URL + "/ok", "name": "renamed", "http_timeout": 15}}, 202, "~(?i)endpoint updated successfully", kind)
	w.check("UpdateEndpoint", changed.pick("name") == "renamed" && changed.pick("owner_id") == "acme", "name %q, owner %q", changed.pick("name"), changed.pick("owner_id"))
	for _, want := range []string{"paused", "active", "paused"} {
		got := w.ok(ask{op: "PauseEndpoint"}, 202, "endpoint status updated successfully", kind)
		w.check("PauseEndpoint", got.pick("status") == want, "status %q, want %q", got.pick("status"), want)
	}
	got := w.ok(ask{op: "ActivateEndpoint"}, 202, "endpoint status successfully activated", kind)
	w.check("ActivateEndpoint", got.pick("status") == "active", "status %q, want active", got.pick("status"))
}

func (w *world) secrets() {
	got := w.ok(ask{op: "ExpireSecret", body: object{"secret": "second-secret", "expiration": 1}}, 200, "endpoint secret expired successfully", "models.EndpointResponse")
	values := []string{}
	secrets, _ := got.at("secrets").([]any)
	for _, s := range secrets {
		values = append(values, s.(object)["value"].(string))
	}
	w.check("ExpireSecret", strings.Join(values, " ") == "endpoint-secret second-secret", "secrets %v, want the old one and then the new", values)
	w.check("ExpireSecret", got.pick("secrets.0.expires_at") != "", "the old secret does not expire")
}

func (w *world) eventTypes() {
	const kind = "models.EventTypeResponse"
	made := w.ok(ask{op: "CreateEventType", body: object{"name": "order.paid", "category": "orders", "description": "an order was paid", "json_schema": object{"type": "object"}}}, 201, "Event type created successfully", kind)
	w.ids["eventTypeId"] = made.pick("uid")
	changed := w.ok(ask{op: "UpdateEventType", body: object{"category": "payments", "description": "paid", "json_schema": object{}}}, 201, "Event type created successfully", kind)
	w.check("UpdateEventType", changed.pick("name") == "order.paid" && changed.pick("category") == "payments", "%s", changed.raw)
	gone := w.ok(ask{op: "DeprecateEventType"}, 201, "Event type deprecated successfully", kind)
	w.check("DeprecateEventType", gone.pick("deprecated_at") != "", "deprecated_at is null")
	spec := `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{},"webhooks":{"order.shipped":{"post":{"description":"it left","requestBody":{"content":{"application/json":{"schema":{"type":"object"}}}}}}}}`
	w.ok(ask{op: "ImportOpenApiSpec", body: object{"spec": spec}}, 200, "Event types imported successfully", "[models.EventTypeResponse]")
	all := w.ok(ask{op: "GetEventTypes"}, 200, "Event types fetched successfully", "[models.EventTypeResponse]")
	names := " " + strings.Join(all.field("name"), " ") + " "
	for _, want := range []string{"*", "order.paid", "order.shipped"} {
		w.check("GetEventTypes", strings.Contains(names, " "+want+" "), "no %s among%s", want, names)
	}
	w.refused("no name", ask{op: "CreateEventType", body: object{"category": "x"}}, 400, "~name")
	w.refused("not a document", ask{op: "ImportOpenApiSpec", body: object{"spec": "}{"}}, 400, "")
}

func (w *world) onboard() {
	items := []object{
		{"name": "one", "url": w.hook.URL + "/ok", "event_type": "order.paid"},
		{"name": "two", "url": w.hook.URL + "/ok", "event_type": "*", "auth_username": "u", "auth_password": "p"},
	}
	dry := w.ok(ask{op: "BulkOnboard", query: "dry_run=true", body: object{"items": append(items, object{"name": "bad", "url": "nowhere"})}}, 200, "Dry run validation complete", "models.BulkOnboardDryRunResponse")
	errors, _ := dry.at("errors").([]any)
	w.check("BulkOnboard", len(errors) > 0, "the dry run finds nothing wrong with a bad url")
	done := w.ok(ask{op: "BulkOnboard", body: object{"items": items}}, 202, "Bulk onboard request accepted", "models.BulkOnboardAcceptedResponse")
	w.check("BulkOnboard", done.pick("message") != "" || done.at("total_items") != nil, "%s", done.raw)
	found := w.until(ask{op: "GetEndpoints", query: "q=two"}, func(a answer) bool { return len(a.list()) == 1 })
	w.check("BulkOnboard", len(found.list()) == 1, "the endpoint does not appear")
	csv := "name,url,event_type,auth_username,auth_password\nthree," + w.hook.URL + "/ok,*,,\n"
	form := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n" + csv + "\r\n--b--\r\n"
	got := w.send(ask{op: "BulkOnboard", query: "dry_run=true", body: []byte(form), header: map[string]string{"Content-Type": "multipart/form-data; boundary=b"}})
	w.check("BulkOnboard", got.code == 200, "a CSV file: %d %q, want 200", got.code, got.message)
}
