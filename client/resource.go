package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// apiPath is where the API begins.
const apiPath = "/api/v1"

// rowsPerPage is how many rows All asks for at a time where nobody says.
const rowsPerPage = 100

// Row is one object: decoded, and as the server sent it.
type Row[T any] struct {
	Value T
	Raw   json.RawMessage
}

// Page is a stretch of a listing.
type Page[T any] struct {
	Rows []Row[T]
	Pagination
	Raw json.RawMessage // the answer's data
}

// Pagination says how a listing goes on.
type Pagination struct {
	PerPage        int    `json:"per_page"`
	HasNextPage    bool   `json:"has_next_page"`
	HasPrevPage    bool   `json:"has_prev_page"`
	PrevPageCursor string `json:"prev_page_cursor"`
	NextPageCursor string `json:"next_page_cursor"`
	// Looked and LookedUntil are set where a search ended a page early: how many rows it
	// read, and how far back it came. The cursors lead on.
	Looked      int        `json:"looked"`
	LookedUntil *time.Time `json:"looked_until"`
	// Search is set where deliveries were searched by a query.
	Search *Search `json:"search"`
}

// Search is what the server made of a search of deliveries.
type Search struct {
	Terms []struct {
		Term  string `json:"term"`  // as it was written
		Means string `json:"means"` // in words
	} `json:"terms"`
	Looked int `json:"looked"` // rows that were read for this page
}

// Resource is one kind of object: a collection and what is done to its members.
type Resource[T any] struct {
	client *Client
	path   string
}

// List reads one page. query holds filters and a page's parameters by the API's names.
// A listing without pages is one page.
func (r Resource[T]) List(ctx context.Context, query url.Values) (*Page[T], error) {
	a, err := r.client.Do(ctx, Request{Method: http.MethodGet, Path: r.path, Query: query, Again: true})
	if err != nil {
		return nil, err
	}
	return readPage[T](a)
}

func readPage[T any](a *Answer) (*Page[T], error) {
	p := &Page[T]{Raw: a.Data}
	var content []json.RawMessage
	if len(a.Data) > 0 && a.Data[0] == '[' {
		if err := a.Into(&content); err != nil {
			return nil, err
		}
	} else {
		var data struct {
			Content    []json.RawMessage `json:"content"`
			Pagination Pagination        `json:"pagination"`
		}
		if err := a.Into(&data); err != nil {
			return nil, err
		}
		content, p.Pagination = data.Content, data.Pagination
	}
	p.Rows = make([]Row[T], len(content))
	for i, raw := range content {
		row, err := newRow[T](raw)
		if err != nil {
			return nil, err
		}
		p.Rows[i] = row
	}
	return p, nil
}

func newRow[T any](raw json.RawMessage) (row Row[T], err error) {
	row.Raw = raw
	if err := json.Unmarshal(raw, &row.Value); err != nil {
		return row, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return row, nil
}

// All reads the whole listing, page by page as it is asked for. It ends with the first
// error. It changes nothing in query.
func (r Resource[T]) All(ctx context.Context, query url.Values) iter.Seq2[Row[T], error] {
	return func(yield func(Row[T], error) bool) {
		q := url.Values{"perPage": {strconv.Itoa(rowsPerPage)}}
		for name, values := range query {
			q[name] = values
		}
		for {
			p, err := r.List(ctx, q)
			if err != nil {
				yield(Row[T]{}, err)
				return
			}
			for _, row := range p.Rows {
				if !yield(row, nil) {
					return
				}
			}
			if !p.HasNextPage {
				return
			}
			if p.NextPageCursor == "" || p.NextPageCursor == q.Get("next_page_cursor") {
				yield(Row[T]{}, fmt.Errorf("%w: the listing at %s does not go on", ErrAnswer, r.path))
				return
			}
			q.Set("next_page_cursor", p.NextPageCursor)
		}
	}
}

// Get reads one object.
func (r Resource[T]) Get(ctx context.Context, id string) (Row[T], error) {
	return r.one(ctx, Request{Method: http.MethodGet, Path: r.at(id), Again: true})
}

// Create makes an object. It is not repeated by itself: that could make two.
func (r Resource[T]) Create(ctx context.Context, body any) (Row[T], error) {
	return r.one(ctx, Request{Method: http.MethodPost, Path: r.path, Body: body})
}

// Update changes what body names of an object.
func (r Resource[T]) Update(ctx context.Context, id string, body any) (Row[T], error) {
	return r.one(ctx, Request{Method: http.MethodPut, Path: r.at(id), Body: body, Again: true})
}

// Delete takes an object away.
func (r Resource[T]) Delete(ctx context.Context, id string) (*Answer, error) {
	return r.client.Do(ctx, Request{Method: http.MethodDelete, Path: r.at(id), Again: true})
}

// Act does something to an object and returns what came of it: method on
// .../{id}/{action}. It is not repeated by itself.
func (r Resource[T]) Act(ctx context.Context, method, id, action string, body any) (*Answer, error) {
	return r.client.Do(ctx, Request{Method: method, Path: r.at(id) + "/" + action, Body: body})
}

// Change is Act for what answers with the object.
func (r Resource[T]) Change(ctx context.Context, method, id, action string, body any) (Row[T], error) {
	return r.one(ctx, Request{Method: method, Path: r.at(id) + "/" + action, Body: body})
}

func (r Resource[T]) at(id string) string { return r.path + "/" + url.PathEscape(id) }

func (r Resource[T]) one(ctx context.Context, req Request) (Row[T], error) {
	a, err := r.client.Do(ctx, req)
	if err != nil {
		return Row[T]{}, err
	}
	return newRow[T](a.Data)
}
