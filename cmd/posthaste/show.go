package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"posthaste/client"
)

// maxLimit is the longest page that the API gives.
const maxLimit = 1000

// listFlags are the flags of every paged listing.
type listFlags struct {
	Limit int  `default:"20" placeholder:"N" help:"The newest so many, up to 1000 (${default})."`
	All   bool `help:"All of them. With --json: one object a line."`
}

// Validate checks the limit. The parser calls it.
func (f *listFlags) Validate() error {
	if f.Limit < 1 || f.Limit > maxLimit {
		return fmt.Errorf("--limit must be 1 to %d; --all is for more", maxLimit)
	}
	return nil
}

// listing is what a command lists and how it is shown.
type listing[T any] struct {
	resource client.Resource[T]
	query    url.Values
	titles   []string
	cells    func(T) []string
	none     string // what to say if there is nothing, and what to do next
}

// show prints the listing.
func (l listing[T]) show(s *session, f listFlags) error {
	if f.All {
		return l.showAll(s)
	}
	query := url.Values{"perPage": {strconv.Itoa(f.Limit)}}
	for name, values := range l.query {
		query[name] = values
	}
	page, err := l.resource.List(s.ctx, query)
	if err != nil {
		return err
	}
	if s.remote.JSON {
		return s.print(page.Raw)
	}
	if len(page.Rows) == 0 && !page.HasNextPage {
		return s.say("%s", l.none)
	}
	t := newTable(s.stdout, l.titles...)
	for _, row := range page.Rows {
		if err := t.row(l.cells(row.Value)...); err != nil {
			return err
		}
	}
	if err := t.close(); err != nil || !page.HasNextPage {
		return err
	}
	return s.say("There are more: --limit takes up to %d, --all shows every one.", maxLimit)
}

func (l listing[T]) showAll(s *session) error {
	var t *table
	for row, err := range l.resource.All(s.ctx, l.query) {
		switch {
		case err != nil:
		case s.remote.JSON:
			err = s.print(row.Raw)
		default:
			if t == nil {
				t = newTable(s.stdout, l.titles...)
			}
			err = t.row(l.cells(row.Value)...)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case t != nil:
		return t.close()
	case s.remote.JSON:
		return nil
	}
	return s.say("%s", l.none)
}

// showOne prints one object.
func showOne[T any](s *session, row client.Row[T], fields func(T) []field) error {
	if s.remote.JSON {
		return s.print(row.Raw)
	}
	return showFields(s.stdout, fields(row.Value))
}

// done prints what was done, or with --json what the API answered.
func (s *session) done(data json.RawMessage, format string, args ...any) error {
	if s.remote.JSON {
		return s.print(data)
	}
	_, err := fmt.Fprintf(s.stdout, format+"\n", args...)
	return err
}

// print writes JSON as the server sent it, and ends the line.
func (s *session) print(data json.RawMessage) error {
	if len(data) == 0 {
		data = json.RawMessage("null")
	}
	_, err := s.stdout.Write(append(data[:len(data):len(data)], '\n'))
	return err
}

// say writes a line for people beside the output.
func (s *session) say(format string, args ...any) error {
	_, err := fmt.Fprintf(s.stderr, format+"\n", args...)
	return err
}
