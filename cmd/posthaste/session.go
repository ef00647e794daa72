package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"posthaste/client"
)

// session is a command at work with a server.
type session struct {
	*invocation
	remote   *remote
	client   *client.Client
	location *time.Location // of the times that are shown and read
	ctx      context.Context
}

// idLength is the length of every id.
const idLength = 26

// project is what lies within the project that the flags name, or else within the only
// one there is.
func (s *session) project() (client.Scope, error) {
	id, err := s.projectID()
	return s.client.Project(id), err
}

func (s *session) projectID() (string, error) {
	named := s.remote.Project
	if isID(named) {
		return named, nil
	}
	page, err := s.client.Projects().List(s.ctx, nil)
	if err != nil {
		return "", s.withoutProjects(err)
	}
	if named == "" && len(page.Rows) == 1 {
		return page.Rows[0].Value.ID, nil
	}
	for _, row := range page.Rows {
		if named != "" && row.Value.Name == named {
			return row.Value.ID, nil
		}
	}
	return "", usageError{chooseProject(named, page.Rows)}
}

// withoutProjects says what to do where the projects cannot be listed.
func (s *session) withoutProjects(err error) error {
	var refused *client.Error
	if errors.As(err, &refused) && (refused.Status == http.StatusForbidden || refused.Status == http.StatusNotFound) {
		return usageError{fmt.Errorf("name the project's id with --project or POSTHASTE_PROJECT: this key cannot list projects: %w", err)}
	}
	return err
}

// chooseProject is the error that lists what there is to choose from.
func chooseProject(named string, rows []client.Row[client.Project]) error {
	if len(rows) == 0 {
		return errors.New("there is no project yet; make one: posthaste project create NAME")
	}
	var b strings.Builder
	if named == "" {
		fmt.Fprintf(&b, "there are %d projects; choose one with --project or POSTHASTE_PROJECT:", len(rows))
	} else {
		fmt.Fprintf(&b, "no project is called %s; there are:", clean(named))
	}
	for _, row := range rows {
		fmt.Fprintf(&b, "\n  %s  %s", row.Value.ID, clean(row.Value.Name))
	}
	return errors.New(b.String())
}

// isID reports whether a text has the form of an id.
func isID(text string) bool {
	return len(text) == idLength && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}
