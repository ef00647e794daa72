package api

import "net/http"

// forProjectKeys are the routes of the instance that a project's key may use too, and
// what they answer then: what there is of its own project.
var forProjectKeys = map[string]func(*API, *call) (reply, error){
	"GET /api/v1/projects": (*API).listOwnProject,
	"GET /api/v1/groups":   (*API).listOwnProject,
}

// listOwnProject answers with the project that the key belongs to, as a list of one:
// Convoy's clients look their project up in it.
func (a *API) listOwnProject(c *call) (reply, error) {
	view := newProjectView(c.project, nil)
	view.Config.MetaEvent.Secret = maskSecret(view.Config.MetaEvent.Secret)
	return respond(http.StatusOK, "Projects fetched successfully", []projectView{view})
}
