package console

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"posthaste/client"
)

// auditRow is a record of the audit log as the API tells of it.
type auditRow client.Audit

var actorTexts = map[string]string{
	"instance_key": "the instance's first key", "api_key": "a key", "portal_link": "a portal link",
	"server": "the server itself", "nobody": "nobody that is known",
}

// Who is the actor in words.
func (a auditRow) Who() string {
	switch {
	case a.ActorName != "" && a.ActorKind == "portal_link":
		return a.ActorName + ", a portal link"
	case a.ActorName != "":
		return a.ActorName
	case actorTexts[a.ActorKind] != "":
		return actorTexts[a.ActorKind]
	}
	return a.ActorKind
}

// By is what the filter for the actor takes.
func (a auditRow) By() string {
	if a.ActorID != "" {
		return a.ActorID
	}
	return a.ActorKind
}

// Done is the action in words: "endpoint.create" is "create endpoint".
func (a auditRow) Done() string {
	kind, verb, cut := strings.Cut(a.Action, ".")
	if !cut {
		return a.Action
	}
	return verb + " " + strings.ReplaceAll(kind, "_", " ")
}

// Made reports whether the object was made then: all of its fields are changes.
func (a auditRow) Made() bool {
	return strings.HasSuffix(a.Action, ".create") || a.Action == "job.start"
}

// What is the object's name, or the end of its id.
func (a auditRow) What() string {
	switch {
	case a.ObjectName != "":
		return a.ObjectName
	case a.ObjectID != "":
		return "…" + cutID(a.ObjectID)
	}
	return strings.ReplaceAll(a.ObjectKind, "_", " ")
}

// objectPages are where the objects of a kind are shown: by id, or all of them.
var objectPages = map[string]string{
	"endpoint": "/endpoints/*", "secret": "/endpoints/*", "subscription": "/subscriptions/*", "event": "/events/*",
	"delivery": "/deliveries/*", "job": "/jobs/*", "source": "/sources/*", "event_type": "/event-types", "key": "/keys",
	"portal_link": "/portal-links/*", "project": "/settings",
}

// Href is the page of the object; "" if it has none.
func (a auditRow) Href() string {
	page := objectPages[a.ObjectKind]
	switch {
	case a.ProjectID == "" && a.ObjectKind == "key":
		return "/system/keys"
	case a.ProjectID == "" || page == "" || strings.HasSuffix(a.Action, ".delete") || a.Action == "portal_link.revoke":
		return ""
	}
	at, byID := strings.CutSuffix(page, "*")
	if byID && a.ObjectID == "" {
		return ""
	}
	if byID {
		at += url.PathEscape(a.ObjectID)
	}
	return "/p/" + url.PathEscape(a.ProjectID) + at
}

// auditActions are the kinds of action that the filter offers.
var auditActions = []option{
	{"", "any action"}, {"endpoint.", "endpoints"}, {"secret.", "secrets: rotated, shown"}, {"secret.reveal", "secrets shown"},
	{"subscription.", "subscriptions"}, {"source.", "sources"}, {"event_type.", "event types"}, {"key.", "keys"},
	{"portal_link.", "portal links"}, {"project.", "the project"}, {"delivery.", "deliveries: resent"}, {"event.", "events: replayed, erased"},
	{"job.", "jobs"}, {"server.", "the server"}, {"secrets.", "keys for secrets"},
}

// auditView is the list.
type auditView struct {
	W                              window
	Windows                        []window
	Actor, Action, Object, Outcome string
	Actions                        []option
	Rows                           []auditRow
	Self                           string // the page's path
	Whole                          bool   // the instance's
	Next, Newest                   string
	First                          bool
}

// auditPage lists who did what, in a project or, for a key of the instance, in all.
func (c *Console) auditPage(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "audit", "Audit log")
	q := r.URL.Query()
	d := auditView{
		W: windowOf(r, c.o.Now(), "30d"), Windows: windows, Actor: q.Get("actor"), Action: q.Get("action"), Object: q.Get("object"), Outcome: q.Get("outcome"),
		Actions: auditActions, Self: v.own() + "/audit", Whole: v.whole(), First: q.Get("cursor") == "",
	}
	ask, self := d.W.query(), url.Values{}
	if d.W.Key == custom || q.Has("range") {
		self, _ = url.ParseQuery(d.W.Params())
	}
	ask.Set("perPage", strconv.Itoa(rowsPerPage))
	for name, value := range map[string]string{"actor": d.Actor, "action": d.Action, "object": d.Object, "outcome": d.Outcome} {
		if value = strings.TrimSpace(value); value != "" {
			ask.Set(name, value)
			self.Set(name, value)
		}
	}
	if cursor := q.Get("cursor"); cursor != "" {
		ask.Set("next_page_cursor", cursor)
	}
	var paging client.Pagination
	var err error
	if d.Rows, paging, err = list[auditRow](r.Context(), v, "/audit", ask); err != nil {
		c.failed(w, r, p, err)
		return
	}
	d.Newest = d.Self + "?" + self.Encode()
	if paging.HasNextPage {
		self.Set("cursor", paging.NextPageCursor)
		d.Next = d.Self + "?" + self.Encode()
	}
	p.D = d
	c.render(w, r, "audit.html", p)
}

// auditOf is the latest of what was done to one object. That it cannot be read is no
// reason to refuse a page that is about something else.
func (v *visit) auditOf(ctx context.Context, object string, more url.Values) []auditRow {
	q := url.Values{"object": {object}, "perPage": {"8"}}
	for name, values := range more {
		q[name] = values
	}
	rows, _, err := list[auditRow](ctx, v, "/audit", q)
	if err != nil {
		return nil
	}
	return rows
}
