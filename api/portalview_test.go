package api

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"posthaste/event"
)

// pixel is the start of a PNG picture.
var pixel = base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n-the-rest"))

// A portal is told how it looks, who may show it, and how the project signs and retries.
func TestThePortalIsToldAboutItself(t *testing.T) {
	w := newWorld(t)
	_, err := w.catalog.UpdateProject(w.project, func(p *event.Project) error {
		p.Config.Strategy = event.Strategy{Type: event.StrategySchedule, Schedule: []int{5, 60}, RetryCount: 4}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.addEndpoint(w.project, 1)
	made := w.newLink(`{"name":"secret name","owner_id":"owner 1","can_manage_endpoint":true,
		"allowed_parents":["https://app.example.com","http://localhost:3000"],"brand":{"name":"Tern","accent":"#00AA77","logo":"` + pixel + `"}}`)
	shown := w.do("GET", "/portal-api/portal", "", as(made.field("token").(string))...)
	w.want(shown, 200, "Portal fetched successfully")
	brand := fmt.Sprint(shown.field("brand"))
	if brand != "map[accent:#00AA77 logo:"+pixel+" name:Tern]" || fmt.Sprint(shown.field("allowed_parents")) != "[https://app.example.com http://localhost:3000]" {
		t.Errorf("it looks like %s, shown by %v", brand, shown.field("allowed_parents"))
	}
	if got := fmt.Sprint(shown.field("retry")); !strings.Contains(got, "attempts:4") || !strings.Contains(got, "waits:[5 60 60]") {
		t.Errorf("it retries %s", got)
	}
	if shown.field("owner_id") != "owner 1" || shown.field("can_manage_endpoint") != true || strings.Contains(shown.body, "secret name") {
		t.Errorf("it is told %s", shown.Data)
	}
	one := w.in("/portal-links/%s", made.field("uid"))
	for body, want := range map[string]string{
		`{"allowed_parents":["https://app.example.com/x"]}`:                                "allowed_parents[0]",
		`{"allowed_parents":["*"]}`:                                                        "allowed_parents[0]",
		`{"allowed_parents":["https://a.example; script-src *"]}`:                          "allowed_parents[0]",
		`{"brand":{"accent":"red"}}`:                                                       "brand.accent",
		`{"brand":{"logo":"!"}}`:                                                           "brand.logo",
		`{"brand":{"logo":"` + base64.StdEncoding.EncodeToString([]byte("<svg/>")) + `"}}`: "brand.logo",
		`{"brand":{"name":"` + strings.Repeat("x", event.MaxNameBytes+1) + `"}}`:           "brand.name",
	} {
		if a := w.do("PUT", one, body); a.Code != 400 || !strings.HasPrefix(a.Message, want) {
			t.Errorf("%s: %d %s", body, a.Code, a.Message)
		}
	}
	w.want(w.do("PUT", one, `{"brand":{},"allowed_parents":[]}`), 202, "Portal link updated successfully")
	if a := w.do("GET", one, ""); a.field("brand") != nil || fmt.Sprint(a.field("allowed_parents")) != "[]" {
		t.Errorf("a plain link is %s", a.Data)
	}
}

// A portal sees the jobs that are over its own endpoints, and may end them.
func TestThePortalSeesItsOwnJobs(t *testing.T) {
	w := newPortalWorld(t)
	started := w.do("POST", "/portal-api/eventdeliveries/batchretry?status=Failure", "", as(w.grants["key"])...)
	w.want(started, 200, "Batch retry processing")
	id := w.jobs.jobs[w.around].ID.String()
	w.want(w.do("GET", "/portal-api/jobs/"+id, "", as(w.grants["reading key"])...), 200, "Job fetched successfully")
	w.want(w.do("PUT", "/portal-api/jobs/"+id+"/cancel", "", as(w.grants["reading key"])...), 403, `this key may not manage; it needs the scope "manage"`)
	w.want(w.do("PUT", "/portal-api/jobs/"+id+"/cancel", "", as(w.grants["key"])...), 200, "Job cancelled successfully")
	for _, j := range w.jobs.jobs[:w.around] {
		w.want(w.do("GET", "/portal-api/jobs/"+j.ID.String(), "", as(w.grants["key"])...), 404, "Resource not found")
		w.want(w.do("PUT", "/portal-api/jobs/"+j.ID.String()+"/cancel", "", as(w.grants["key"])...), 404, "Resource not found")
	}
}
