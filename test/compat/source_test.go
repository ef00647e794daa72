package compat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
)

func (w *world) sources() {
	const kind = "models.SourceResponse"
	body := object{
		"name": "hooks of somebody", "type": "http", "provider": "", "event_type_location": "request.body.kind",
		"verifier":         object{"type": "hmac", "hmac": object{"header": "X-Sig", "hash": "SHA256", "secret": "src-secret", "encoding": "hex"}},
		"idempotency_keys": []string{"request.Header.X-Id"}, "custom_response": object{"body": "thanks", "content_type": "text/plain"},
	}
	made := w.ok(ask{op: "CreateSource", body: body}, 201, "Source created successfully", kind)
	w.ids["sourceID"] = made.pick("uid")
	w.check("CreateSource", made.pick("mask_id") != "" && made.pick("verifier.type") == "hmac", "%s", made.raw)
	where, err := url.Parse(made.pick("url"))
	w.check("CreateSource", err == nil && where.Path == "/ingest/"+made.pick("mask_id"), "url is %q", made.pick("url"))
	w.refused("no name", ask{op: "CreateSource", body: object{"type": "http"}}, 400, "")
	w.refused("bad type", ask{op: "CreateSource", body: object{"name": "x", "type": "pigeon"}}, 400, "")
	all := w.ok(ask{op: "LoadSourcesPaged"}, 200, "Sources fetched successfully", "page "+kind)
	w.check("LoadSourcesPaged", len(all.list()) == 1, "%d sources, want 1", len(all.list()))
	for query, want := range map[string]int{"type=http": 1, "type=pub_sub": 0, "provider=github": 0, "provider=&type=": 1} {
		got := w.send(ask{op: "LoadSourcesPaged", query: query})
		w.check("LoadSourcesPaged", got.code == 200 && len(got.list()) == want, "?%s finds %d, want %d", query, len(got.list()), want)
	}
	w.ok(ask{op: "GetSource"}, 200, "Source fetched successfully", kind)
	changed := w.ok(ask{op: "UpdateSource", body: object{"name": "renamed", "type": "http", "is_disabled": false, "forward_headers": []string{"X-Id"}, "verifier": body["verifier"], "idempotency_keys": []string{"request.Header.X-Id"}, "event_type_location": "request.body.kind"}}, 202, "Source updated successfully", kind)
	w.check("UpdateSource", changed.pick("name") == "renamed" && changed.pick("forward_headers.0") == "X-Id", "%s", changed.raw)
	if where != nil && where.Path != "" {
		w.inbound(where.Path)
	}
}

// inbound posts to a source as a provider does.
func (w *world) inbound(path string) {
	const about = "inbound /ingest/{maskID}"
	sub := w.send(ask{op: "CreateSubscription", body: object{"name": "of the source", "endpoint_id": w.ids["endpointID"], "source_id": w.ids["sourceID"], "filter_config": object{"event_types": []string{"*"}}}})
	w.check("CreateSubscription", sub.code == 201 && sub.pick("source_metadata.uid") == w.ids["sourceID"], "with a source: %d %s, source_metadata %q", sub.code, sub.message, sub.pick("source_metadata.uid"))
	body := []byte(`{"kind":"inbound.thing","n":1}`)
	mac := hmac.New(sha256.New, []byte("src-secret"))
	mac.Write(body)
	header := map[string]string{"X-Sig": hex.EncodeToString(mac.Sum(nil)), "X-Id": "once"}
	got := w.request("POST", path, body, "-", header)
	w.check(about, got.code == 200 && string(got.raw) == "thanks", "%d %.80s, want 200 and the custom response", got.code, got.raw)
	w.check(about, got.header.Get("Content-Type") == "text/plain", "Content-Type %q", got.header.Get("Content-Type"))
	bad := w.request("POST", path, body, "-", map[string]string{"X-Sig": "00"})
	w.check(about, bad.code == 400 && !bad.status, "a bad signature: %d, want 400", bad.code)
	gone := w.request("POST", "/ingest/nobodyhasthis", body, "-", header)
	w.check(about, gone.code == 404, "an unknown source: %d, want 404", gone.code)
	events := w.until(ask{op: "GetEventsPaged", query: "sourceId=" + w.ids["sourceID"]}, func(a answer) bool { return len(a.list()) > 0 })
	w.check(about, events.pick("content.0.event_type") == "inbound.thing", "the event's type is %q", events.pick("content.0.event_type"))
	w.check(about, events.pick("content.0.source_metadata.uid") == w.ids["sourceID"], "source_metadata is %v", events.at("content.0.source_metadata"))
	again := w.request("POST", path, body, "-", header)
	w.check(about, again.code == 200, "a duplicate: %d, want 200", again.code)
}

func (w *world) portalLinks() {
	const kind = "datastore.PortalLinkResponse"
	body := object{"name": "acme's", "owner_id": "acme", "can_manage_endpoint": true, "auth_type": "static_token", "endpoints": []string{}}
	made := w.ok(ask{op: "CreatePortalLink", body: body}, 201, "Portal link created successfully", kind)
	w.ids["portalLinkID"] = made.pick("uid")
	w.check("CreatePortalLink", made.pick("token") != "" && made.pick("url") != "", "no token or url")
	w.refused("no owner", ask{op: "CreatePortalLink", body: object{"name": "x"}}, 400, "~owner_id")
	old := w.send(ask{op: "CreatePortalLink", body: object{"name": "old", "endpoints": []string{w.ids["endpointID"]}}, header: map[string]string{"X-Convoy-Version": "2024-04-01"}})
	w.check("CreatePortalLink", old.code == 201, "without an owner in version 2024-04-01: %d %s", old.code, old.message)
	all := w.ok(ask{op: "LoadPortalLinksPaged"}, 200, "Portal links fetched successfully", "page "+kind)
	w.check("LoadPortalLinksPaged", len(all.list()) >= 1, "none")
	mine := w.send(ask{op: "LoadPortalLinksPaged", query: "ownerId=acme"})
	w.check("LoadPortalLinksPaged", len(mine.list()) == 1, "?ownerId=acme finds %d, want 1", len(mine.list()))
	w.ok(ask{op: "GetPortalLink"}, 200, "Portal link fetched successfully", kind)
	changed := w.ok(ask{op: "UpdatePortalLink", body: object{"name": "renamed", "owner_id": "acme", "auth_type": "refresh_token", "can_manage_endpoint": false}}, 202, "Portal link updated successfully", kind)
	w.check("UpdatePortalLink", changed.pick("name") == "renamed" && changed.pick("auth_type") == "refresh_token", "%s", changed.raw)
	token := w.ok(ask{op: "RefreshPortalLinkAuthToken"}, 200, "", "string")
	text, _ := token.data.(string)
	w.check("RefreshPortalLinkAuthToken", len(text) > 16, "the token is %q", text)
	doomed := w.send(ask{op: "CreatePortalLink", body: object{"name": "doomed", "owner_id": "acme"}})
	revoked := w.ok(ask{op: "RevokePortalLink", path: map[string]string{"portalLinkID": doomed.pick("uid")}}, 200, "Portal link revoked successfully", "stub")
	after := w.send(ask{op: "GetPortalLink", path: map[string]string{"portalLinkID": doomed.pick("uid")}})
	w.check("RevokePortalLink", revoked.code == 200 && after.code == 404, "a revoked link is answered with %d, want 404", after.code)
}
