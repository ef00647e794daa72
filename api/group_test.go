package api

import (
	"strings"
	"testing"
)

func TestGroups(t *testing.T) {
	w := newWorld(t)
	a := w.do("POST", "/api/v1/groups", `{"name":"New"}`)
	w.want(a, 201, "Group created successfully")
	uid, key := a.field("uid").(string), a.field("api_key", "key").(string)
	if a.field("name") != "New" || a.field("group", "uid") != uid || a.field("type") != "outgoing" {
		t.Errorf("created %s", a.body)
	}
	path, auth := "/api/v1/groups/"+uid, "Bearer "+key
	w.want(w.do("GET", path, "", "Authorization", auth), 200, "Group fetched successfully")
	u := w.do("PUT", path, `{"name":"Renamed"}`)
	w.want(u, 202, "Group updated successfully")
	if u.field("name") != "Renamed" {
		t.Errorf("updated %s", u.body)
	}
	l := w.do("GET", "/api/v1/groups", "")
	w.want(l, 200, "Groups fetched successfully")
	if n := strings.Count(string(l.Data), `"organisation_id"`); n != 2 {
		t.Errorf("%d are listed: %s", n, l.body)
	}
	l = w.do("GET", "/api/v1/groups", "", "Authorization", auth)
	w.want(l, 200, "Groups fetched successfully")
	if n := strings.Count(string(l.Data), `"organisation_id"`); n != 1 {
		t.Errorf("a project's key lists %d: %s", n, l.body)
	}
	if a := w.do("POST", "/api/v1/groups", `{"name":"x"}`, "Authorization", auth); a.Code != 403 {
		t.Errorf("a project's key makes groups: %d", a.Code)
	}
	w.want(w.do("DELETE", path, ""), 200, "Group deleted successfully")
	w.want(w.do("GET", path, ""), 404, "Resource not found")
}
