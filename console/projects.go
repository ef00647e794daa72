package console

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// projectRow is a project as the API tells of it.
type projectRow struct {
	ID        string    `json:"uid"`
	Name      string    `json:"name"`
	Type      string    `json:"type"`
	CreatedAt time.Time `json:"created_at"`
}

// projectLine is a project with what happened in it.
type projectLine struct {
	projectRow
	Counted bool
	Total   counts
	Current bool // it was looked at last
}

// maxCounted is how many projects of the page are counted: each is a question of its own.
const maxCounted = 50

// projectsView is the list with the form for another.
type projectsView struct {
	Rows []projectLine
	Form form
	Q    string
	All  int
	Made *madeProject // just now: its key is shown this once
}

// madeProject is a new project's first key.
type madeProject struct{ ID, Name, Key string }

// toProjects leads from where the page was to where it is.
func (c *Console) toProjects(w http.ResponseWriter, r *http.Request, _ *visit) {
	back(w, r, "/projects")
}

// projects lists what the key reaches. As a part of another page it is the switcher.
func (c *Console) projects(w http.ResponseWriter, r *http.Request, v *visit) {
	d := projectsView{Form: newForm("type", "outgoing")}
	if made, ok := c.flashed(v.session, r.URL.Query().Get("made")).(madeProject); ok {
		d.Made = &made
	}
	c.renderProjects(w, r, v, d)
}

func (c *Console) renderProjects(w http.ResponseWriter, r *http.Request, v *visit, d projectsView) {
	p := c.page(r, v, "projects", "Projects")
	d.Q = strings.TrimSpace(r.URL.Query().Get("q"))
	all, _, err := list[projectRow](r.Context(), v, "/projects", nil)
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	d.All = len(all)
	last := strings.TrimPrefix(v.base, "/p/")
	for _, row := range all {
		if d.Q == "" || row.ID == d.Q || strings.Contains(strings.ToLower(row.Name), strings.ToLower(d.Q)) {
			d.Rows = append(d.Rows, projectLine{projectRow: row, Current: row.ID == last})
		}
	}
	slices.SortStableFunc(d.Rows, func(a, b projectLine) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	d.Rows = d.Rows[:min(len(d.Rows), 500)]
	if d.Form.Problem != "" {
		p.Code = http.StatusUnprocessableEntity
	}
	if partial(r) {
		p.D = d
		c.render(w, r, "project-switch", p)
		return
	}
	if err := d.count(r.Context(), v, c.o.Now()); err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.D = d
	c.render(w, r, "projects.html", p)
}

// count asks what happened in the last day, for the first projects of the page.
func (d *projectsView) count(ctx context.Context, v *visit, now time.Time) error {
	day := latest(now, 24*time.Hour, 24*time.Hour)
	for i := range d.Rows[:min(len(d.Rows), maxCounted)] {
		line := &d.Rows[i]
		of := visit{session: v.session, api: v.api + "/projects/" + url.PathEscape(line.ID)}
		s, err := of.statistics(ctx, &day, nil)
		if codeOf(err) == http.StatusNotFound {
			continue // it was deleted a moment ago
		}
		if err != nil {
			return err
		}
		line.Counted, line.Total = true, s.Total
	}
	return nil
}

// createProject makes a project. The page after it shows its first key, once.
func (c *Console) createProject(w http.ResponseWriter, r *http.Request, v *visit) {
	f := readForm(r)
	kind := f.text("type")
	if kind == "" {
		kind = "outgoing"
	}
	a, err := v.backend.Projects().Create(r.Context(), map[string]any{"name": f.text("name"), "type": kind})
	var made struct {
		Project struct {
			ID   string `json:"uid"`
			Name string `json:"name"`
		} `json:"project"`
		Key struct {
			Key string `json:"key"`
		} `json:"api_key"`
	}
	if err == nil {
		err = json.Unmarshal(a.Raw, &made)
	}
	switch {
	case refused(err):
		f.refuse(err)
		v.api = instanceAPI // the form may have been on a project's page
		c.renderProjects(w, r, v, projectsView{Form: f})
	case err != nil:
		c.failed(w, r, c.page(r, v, "projects", "Projects"), err)
	default:
		shown := madeProject{made.Project.ID, made.Project.Name, made.Key.Key}
		back(w, r, "/projects?made="+c.flash(v.session, shown))
	}
}
