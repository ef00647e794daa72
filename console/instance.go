package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"posthaste/client"
)

// instancePages are the pages beside any project, by method and path. What they show is
// the instance's, or all that the key reaches.
var instancePages = map[string]handler{
	"GET /projects":                 (*Console).projects,
	"POST /projects":                (*Console).createProject,
	"GET /system":                   (*Console).systemPage,
	"GET /system/audit":             (*Console).auditPage,
	"GET /system/keys":              (*Console).keysPage,
	"POST /system/keys":             (*Console).createKey,
	"POST /system/keys/{id}/revoke": (*Console).revokeKey,
	"POST /system/secrets/reseal":   (*Console).reseal,
}

// instanceAPI is where the API's paths of the instance begin.
const instanceAPI = "/api/v1"

// forInstance serves a page that is about no project. Its links to those of a project lead
// to the one that was looked at last.
func (c *Console) forInstance(serve handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n := c.signedIn(w, r)
		if n == nil {
			return
		}
		r = r.WithContext(withRemote(r.Context(), r.RemoteAddr))
		serve(c, w, r, &visit{session: n, base: lastProject(r, n), api: instanceAPI})
	}
}

// lastProject is where the pages begin of the project that was looked at last; "" if it is
// not known.
func lastProject(r *http.Request, n *session) string {
	id := n.project
	if k, err := r.Cookie("ph_project"); err == nil && id == "" && len(k.Value) == idLength {
		id = k.Value
	}
	if id == "" {
		return ""
	}
	return "/p/" + url.PathEscape(id)
}

// whole reports whether the visit is about the instance, and not a project.
func (v *visit) whole() bool { return v.api == instanceAPI }

// own is where the pages begin that are about what the visit is about.
func (v *visit) own() string {
	if v.whole() {
		return "/system"
	}
	return v.base
}

// projectID is the project of the visit; "" for the instance.
func (v *visit) projectID() string {
	if v.whole() || v.portal {
		return ""
	}
	return strings.TrimPrefix(v.base, "/p/")
}

// projectName is what the bar says. It is asked for with every page: a project may be given
// another name at any time, by others and past the console.
func (c *Console) projectName(ctx context.Context, v *visit) string {
	id := strings.TrimPrefix(v.base, "/p/")
	if v.portal || id == "" {
		return v.name
	}
	var is struct {
		Name string `json:"name"`
	}
	a, err := v.backend.Do(ctx, client.Request{Method: http.MethodGet, Path: instanceAPI + "/projects/" + id, Query: url.Values{"masked": {"true"}}})
	if err == nil {
		err = a.Into(&is)
	}
	if err != nil && !v.instance {
		return v.name
	}
	return is.Name
}

// done are the sentences that a page shows after a form on it, by the parameter that the
// form's handler led back with.
var done = map[string]string{
	"saved": "Saved.", "made": "It is made.", "deleted": "Deleted.", "revoked": "Revoked. It opens nothing any more.",
	"imported": "The event types of the document are in the catalogue.", "begun": "It has begun.", "cancelled": "Cancelled. What it did stays done.",
}

// back leads to a page, after a form.
func back(w http.ResponseWriter, r *http.Request, to string) {
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
