package main

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"posthaste/client"
)

// projectCmd is about projects.
type projectCmd struct {
	remote
	List   projectListCmd   `cmd:"" help:"List the projects. Needs the instance key." example:"posthaste project list"`
	Get    projectGetCmd    `cmd:"" help:"Show a project." example:"posthaste project get"`
	Create projectCreateCmd `cmd:"" help:"Make a project, and a key for it." example:"posthaste project create shop"`
	Update projectUpdateCmd `cmd:"" help:"Change a project." example:"posthaste project update --name shop-2 --config '{\"strategy\":{\"type\":\"exponential\",\"duration\":10,\"retry_count\":12}}'"`
	Delete projectDeleteCmd `cmd:"" help:"Delete a project and all that is in it." example:"posthaste project delete 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
}

type projectListCmd struct{}

// Run prints the list.
func (*projectListCmd) Run(s *session) error {
	return listing[client.Project]{
		resource: s.client.Projects(),
		titles:   []string{"ID", "NAME", "TYPE", "CREATED"},
		cells: func(p client.Project) []string {
			return []string{p.ID, p.Name, p.Type, s.at(p.CreatedAt)}
		},
		none: "No projects yet. Make one: posthaste project create NAME",
	}.show(s, listFlags{Limit: maxLimit})
}

type projectGetCmd struct {
	ID string `arg:"" optional:"" help:"The project; as with --project if it is left out."`
}

// Run prints the project.
func (c *projectGetCmd) Run(s *session) error {
	id, err := s.namedProject(c.ID)
	if err != nil {
		return err
	}
	row, err := s.client.Projects().Get(s.ctx, id)
	if err != nil {
		return err
	}
	return showOne(s, row, s.projectFields)
}

// namedProject is the project of an argument, or else that of the flags.
func (s *session) namedProject(id string) (string, error) {
	if id != "" {
		s.remote.Project = id
	}
	return s.projectID()
}

func (s *session) projectFields(p client.Project) []field {
	strategy := p.Config.Strategy
	fields := []field{
		{"ID", p.ID}, {"Name", p.Name}, {"Type", p.Type},
		{"Retries", fmt.Sprintf("%s, %d attempts, %s", strategy.Type, strategy.RetryCount, time.Duration(strategy.Duration)*time.Second)},
		{"Signature", p.Config.Signature.Header},
	}
	for i, v := range p.Config.Signature.Versions {
		fields = append(fields, field{"  version " + strconv.Itoa(i+1), v.Hash + " " + v.Encoding})
	}
	return append(fields, field{"Created", s.at(p.CreatedAt)}, field{"Updated", s.at(p.UpdatedAt)})
}

// projectFlags are what can be set of a project.
type projectFlags struct {
	Config string `placeholder:"JSON" help:"Fields of the project's configuration, as a JSON object; @FILE reads a file."`
	fieldsFlag
}

func (f *projectFlags) body(s *session, name, kind string) (map[string]any, error) {
	flags := map[string]any{}
	if f.Config != "" {
		config, err := s.readJSON("--config", f.Config)
		if err != nil {
			return nil, err
		}
		flags["config"] = config
	}
	if name != "" {
		flags["name"] = name
	}
	if kind != "" {
		flags["type"] = kind
	}
	return f.fieldsFlag.body(s, flags)
}

type projectCreateCmd struct {
	Name string `arg:"" help:"The project's name."`
	Type string `default:"outgoing" enum:"outgoing,incoming" placeholder:"TYPE" help:"outgoing, or incoming for one that takes webhooks of others (${default})."`
	projectFlags
}

// Run makes the project and prints its key, which nobody can see again.
func (c *projectCreateCmd) Run(s *session) error {
	body, err := c.body(s, c.Name, c.Type)
	if err != nil {
		return err
	}
	a, err := s.client.Do(s.ctx, client.Request{Method: http.MethodPost, Path: "/api/v1/projects", Body: body})
	if err != nil {
		return err
	}
	if s.remote.JSON {
		return s.print(a.Data)
	}
	var made client.NewProject
	if err := a.Into(&made); err != nil {
		return err
	}
	if err := showFields(s.stdout, []field{{"Project", made.Project.ID}, {"Name", made.Project.Name}, {"Key", made.APIKey.Key}}); err != nil {
		return err
	}
	return s.say("The key is shown this once. It reaches this project only: export POSTHASTE_KEY=... POSTHASTE_PROJECT=%s", made.Project.ID)
}

type projectUpdateCmd struct {
	ID   string `arg:"" optional:"" help:"The project; as with --project if it is left out."`
	Name string `placeholder:"NAME" help:"Another name."`
	projectFlags
}

// Run changes the project.
func (c *projectUpdateCmd) Run(s *session) error {
	body, err := c.body(s, c.Name, "")
	if err != nil {
		return err
	}
	if len(body) == 0 {
		return errNoChange
	}
	id, err := s.namedProject(c.ID)
	if err != nil {
		return err
	}
	row, err := s.client.Projects().Update(s.ctx, id, body)
	if err != nil {
		return err
	}
	return showOne(s, row, s.projectFields)
}

type projectDeleteCmd struct {
	ID string `arg:"" help:"The project."`
	yesFlag
}

// Run asks, by the project's name, and deletes.
func (c *projectDeleteCmd) Run(s *session) error {
	row, err := s.client.Projects().Get(s.ctx, c.ID)
	if err != nil {
		return err
	}
	name := cmp.Or(row.Value.Name, c.ID)
	if err := s.confirm(c.Yes, "Delete project %s with its endpoints, keys and events?", clean(name)); err != nil {
		return err
	}
	a, err := s.client.Projects().Delete(s.ctx, c.ID)
	if err != nil {
		return err
	}
	return s.done(a.Data, "Project %s is deleted.", clean(name))
}
