package api

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"posthaste/event"
)

var errOnboardType = &httpError{http.StatusUnsupportedMediaType,
	"Content-Type: want application/json, text/csv, or multipart/form-data with a CSV in the field file"}

// readOnboarding reads the rows of a request, which come as JSON or as CSV.
func (a *API) readOnboarding(r *http.Request) ([]onboardItem, error) {
	mediaType, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, errOnboardType
	}
	switch mediaType {
	case "application/json":
		var in struct {
			Items []onboardItem `json:"items"`
		}
		err := a.readJSON(r, &in)
		return in.Items, err
	case "text/csv":
		body, err := a.readAll(r)
		if err != nil {
			return nil, err
		}
		return parseOnboarding(body)
	case "multipart/form-data":
		body, err := a.readAll(r)
		if err != nil {
			return nil, err
		}
		file, err := fileOf(body, params["boundary"])
		if err != nil {
			return nil, err
		}
		return parseOnboarding(file)
	}
	return nil, errOnboardType
}

// fileOf is the content of the field file of a form.
func fileOf(body []byte, boundary string) ([]byte, error) {
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, event.Invalid("file", "is missing; give a CSV")
		}
		if err != nil {
			return nil, event.Invalid("", "the form could not be read: %s", err)
		}
		if part.FormName() != "file" {
			continue
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, event.Invalid("file", "could not be read to its end")
		}
		return content, nil
	}
}

// onboardColumn is a column of a CSV and the field that it fills.
type onboardColumn struct {
	name  string
	field func(*onboardItem) *string
}

var onboardColumns = []onboardColumn{
	{"name", func(i *onboardItem) *string { return &i.Name }},
	{"url", func(i *onboardItem) *string { return &i.URL }},
	{"event_type", func(i *onboardItem) *string { return &i.EventType }},
	{"auth_username", func(i *onboardItem) *string { return &i.AuthUsername }},
	{"auth_password", func(i *onboardItem) *string { return &i.AuthPassword }},
}

// parseOnboarding reads a CSV (RFC 4180) whose first line names its columns, in any
// order. It stops one row behind the bound.
func parseOnboarding(text []byte) ([]onboardItem, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // a byte order mark, as spreadsheets write it
	if !utf8.Valid(text) {
		return nil, event.Invalid("file", "is not UTF-8")
	}
	lines := csv.NewReader(bytes.NewReader(text))
	header, err := lines.Read()
	if err != nil {
		return nil, event.Invalid("file", "has no header; the first line must be name,url,event_type,auth_username,auth_password")
	}
	fields, err := columnsOf(header)
	if err != nil {
		return nil, err
	}
	var items []onboardItem
	for len(items) <= maxOnboardRows {
		row, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return items, nil
		}
		if err != nil {
			return nil, event.Invalid("file", "%s", err)
		}
		var item onboardItem
		for i, field := range fields {
			*field(&item) = row[i]
		}
		item.Name, item.URL = strings.TrimSpace(item.Name), strings.TrimSpace(item.URL)
		item.EventType = strings.TrimSpace(item.EventType)
		items = append(items, item)
	}
	return items, nil
}

// columnsOf finds the field of each column.
func columnsOf(header []string) ([]func(*onboardItem) *string, error) {
	var fields []func(*onboardItem) *string
	var seen []string
	for _, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		at := slices.IndexFunc(onboardColumns, func(c onboardColumn) bool { return c.name == name })
		if at < 0 || slices.Contains(seen, name) {
			return nil, event.Invalid("file", "the header has the column %q, which is not known or comes twice; the columns are name,url,event_type,auth_username,auth_password", shortened(name))
		}
		fields, seen = append(fields, onboardColumns[at].field), append(seen, name)
	}
	for _, name := range []string{"name", "url"} {
		if !slices.Contains(seen, name) {
			return nil, event.Invalid("file", "the header has no column %s", name)
		}
	}
	return fields, nil
}
