package api

import "posthaste/event"

// inTwoPlaces makes two routes of one below a project: one there, and one directly
// below /api/v1, where older clients use it with a key whose project is implied.
func inTwoPlaces(method, path string, serve func(*API, *call) (reply, error)) []route {
	return []route{
		{method + " " + inProject + path, ofProject, serve},
		{method + " /api/v1" + path, ofInstance, withProjectInQuery(serve)},
	}
}

// withProjectInQuery serves a key of the instance, which has to say in the query which
// project it means. A project's key means its own.
func withProjectInQuery(serve func(*API, *call) (reply, error)) func(*API, *call) (reply, error) {
	return func(a *API, c *call) (reply, error) {
		if c.project != nil {
			return serve(a, c)
		}
		for _, name := range []string{"groupId", "groupID", "projectID", "projectId", "orgID"} {
			text := c.r.URL.Query().Get(name)
			if text == "" {
				continue
			}
			id, err := event.ParseID(text)
			if err != nil {
				return reply{}, event.Invalid(name, "%s", err)
			}
			if c.project = c.snap.Project(id); c.project == nil || c.project.IsMeta() {
				return reply{}, event.ErrNotFound
			}
			return serve(a, c)
		}
		return reply{}, event.Invalid("groupId", "is missing: the instance's key does not say which project is meant; give the project's id in the query")
	}
}

// The routes of the instance that mean the project of a project's key.
func init() {
	for _, rt := range applicationRoutes {
		if rt.scope == ofInstance {
			forProjectKeys[rt.pattern] = rt.serve
		}
	}
	forProjectKeys["GET /api/v1/groups"] = asGroup((*API).listOwnProject)
}
