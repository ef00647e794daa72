package api

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Groups are what Convoy called projects before its version 0.9.
const inGroup = "/api/v1/groups/{projectID}"

// asGroup answers as a route of projects does, and says Group in the place of Project.
func asGroup(serve func(*API, *call) (reply, error)) func(*API, *call) (reply, error) {
	return func(a *API, c *call) (reply, error) {
		rep, err := serve(a, c)
		rep.message = strings.Replace(rep.message, "Project", "Group", 1)
		return rep, err
	}
}

// createGroup answers with the new group itself, as the oldest clients expect it, and
// inside of it with its key and with the group once more, for those after them.
func (a *API) createGroup(c *call) (reply, error) {
	rep, err := a.createProject(c)
	if err != nil {
		return reply{}, err
	}
	var made struct {
		APIKey  json.RawMessage `json:"api_key"`
		Project json.RawMessage `json:"project"`
	}
	if err := json.Unmarshal(rep.data, &made); err != nil {
		return reply{}, fmt.Errorf("read a new project's answer: %w", err)
	}
	rep.data, err = appendObject(nil, verbatim(made.Project), member{"api_key", made.APIKey}, member{"group", made.Project})
	return rep, err
}
