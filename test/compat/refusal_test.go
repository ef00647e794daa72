package compat

import (
	"slices"
	"strings"
)

const nobody = "01ARZ3NDEKTSV4RRFFQ69G5FAV" // an id that nothing has

// refusals asks of every operation what it has to refuse, with requests that are else
// as the ones that it took.
func (w *world) refusals() {
	for _, op := range operations {
		good := ask{op: op.ID, body: w.bodies[op.ID], query: w.queries[op.ID]}
		if op.Request != "" && good.body == nil {
			good.body = object{}
		}
		instance := op.ID == "GetProjects" || op.ID == "CreateProject"
		w.refused("no key", with(good, func(a *ask) { a.key = "-" }), 401, "Authentication required")
		w.refused("a key that is none", with(good, func(a *ask) { a.key = "CO.nosuchkey.nosuchsecret" }), 401, "authorization failed")
		w.refused("a scheme that is none", with(good, func(a *ask) {
			a.key, a.header = "-", map[string]string{"Authorization": "Basic Zm9vOmJhcg=="}
		}), 401, "authorization failed")
		w.wrongMethod(op, good)
		if instance {
			w.ofTheInstance(op, good)
			good.key = rootKey
		} else {
			w.refused("another project", with(good, func(a *ask) { a.path = map[string]string{"projectID": w.ids["other project"]} }), 404, "Resource not found")
			w.refused("a project that is not there", with(good, func(a *ask) { a.path = map[string]string{"projectID": nobody} }), 404, "Resource not found")
			w.unknownIDs(op, good)
		}
		if op.Request != "" {
			w.refused("text", with(good, func(a *ask) { a.header = map[string]string{"Content-Type": "text/plain"} }), 415, "")
		}
		if op.takes("startDate") {
			w.refused("bad startDate", with(good, func(a *ask) { a.query = "startDate=yesterday" }), 400, "please specify a startDate in the format 2006-01-02T15:04:05")
			w.refused("bad endDate", with(good, func(a *ask) { a.query = "endDate=2026-13-01T00:00:00" }), 400, "please specify an endDate in the format 2006-01-02T15:04:05")
		}
		if op.takes("next_page_cursor") && op.Method == "GET" && op.takes("perPage") {
			w.refused("bad cursor", with(good, func(a *ask) { a.query = "direction=next&next_page_cursor=forged" }), 400, "")
		}
	}
}

// ofTheInstance asks with a project's key, which sees its own project and makes none.
func (w *world) ofTheInstance(op operation, good ask) {
	if op.Method == "POST" {
		w.refused("a project's key", good, 403, "")
		return
	}
	got := w.send(good)
	w.check(op.ID, got.code == 200 && len(got.list()) == 1 && got.pick("0.uid") == w.ids["projectID"], "a project's key: %d, %d projects, want its own", got.code, len(got.list()))
}

func with(a ask, change func(*ask)) ask {
	change(&a)
	return a
}

func (w *world) wrongMethod(op operation, good ask) {
	good.method, good.body = "PATCH", nil
	if op.ID == "GetProjects" || op.ID == "CreateProject" {
		good.key = rootKey
	}
	got := w.refused("PATCH", good, 405, "")
	allow := strings.Split(strings.ReplaceAll(got.header.Get("Allow"), " ", ""), ",")
	w.check(op.ID, slices.Contains(allow, op.Method), "PATCH: Allow is %v, without %s", allow, op.Method)
}

// unknownIDs asks for what is not there, and for what another project has.
func (w *world) unknownIDs(op operation, good ask) {
	for _, name := range op.params() {
		if name == "projectID" || name == "eventType" {
			continue
		}
		for what, id := range map[string]string{"an unknown": nobody, "a malformed": "no-id"} {
			w.refused(what+" "+name, with(good, func(a *ask) { a.path = map[string]string{name: id} }), 404, "Resource not found")
		}
	}
	if len(op.params()) > 1 {
		w.refused("what is another project's", with(good, func(a *ask) {
			a.path, a.key = map[string]string{"projectID": w.ids["other project"]}, w.ids["other key"]
		}), 404, "Resource not found")
	}
}

// badBodies sends every operation that takes a body some that are none.
func (w *world) badBodies() {
	for _, op := range operations {
		if op.Request == "" {
			continue
		}
		key := ""
		if op.ID == "CreateProject" {
			key = rootKey
		}
		for what, body := range map[string]string{
			"no body": "", "half an object": `{"name":`, "a number": "7", "two objects": "{} {}", "not UTF-8": "{\"name\":\"\xff\"}",
		} {
			w.refused(what, ask{op: op.ID, body: []byte(body), key: key}, 400, "")
		}
		for _, field := range wrongKinds(op.Request) {
			w.refused("wrong kind of "+field, ask{op: op.ID, body: []byte(field), key: key}, 400, "")
		}
		withCharset := w.send(ask{op: op.ID, body: w.bodies[op.ID], query: w.queries[op.ID], key: key, header: map[string]string{"Content-Type": "application/json;charset=utf-8"}})
		w.check(op.ID, withCharset.code != 415, "application/json;charset=utf-8 is refused")
	}
}

// wrongKinds are bodies in which one field is of a kind that it must not be.
func wrongKinds(request string) (bodies []string) {
	s, listed := schemas[strings.Trim(request, "[]")], strings.HasPrefix(request, "[")
	for field, kind := range s.Fields {
		var body string
		switch kind {
		case "string":
			body = `{"` + field + `":{"a":1}}`
		case "boolean":
			body = `{"` + field + `":"perhaps"}`
		case "[string]":
			body = `{"` + field + `":{"a":1}}`
		default:
			continue
		}
		if slices.Contains(neverRead, request+":"+field) {
			continue
		}
		if listed {
			body = "[" + body + "]"
		}
		bodies = append(bodies, body)
	}
	return bodies
}

// neverRead are fields that no server does anything with, so that anything goes.
var neverRead = []string{"models.FunctionRequest:type", "models.UpdateFilterRequest:is_flattened", "models.BroadcastEvent:acknowledged_at"}
