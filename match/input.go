package match

import (
	"net/url"
	"strings"

	"posthaste/event"
	"posthaste/internal/jsonscan"
)

// maxKeptNodes is how large an index of a document may be that an Input keeps
// for the next one.
const maxKeptNodes = 4096

// Input is an event as filters see it. It reads a part of the event once, when a
// filter first asks for it. Use it again for the next event by Reset: it then
// seldom allocates. It belongs to one goroutine.
type Input struct {
	ev      *event.Event
	docs    [parts]document
	ready   [parts]bool
	scratch []byte // for a text that has to be unquoted, until the next one
	buf     []byte // of the parts that are not JSON, one after the other
	steps   int    // what the regular expressions of this Match have cost
}

// Reset makes the input stand for another event, which nobody may change while
// it does. A nil event has nothing that a filter could find.
func (in *Input) Reset(ev *event.Event) {
	in.ev, in.ready, in.buf = ev, [parts]bool{}, in.buf[:0]
	for i := range in.docs {
		d := &in.docs[i]
		d.src, d.nodes = nil, d.nodes[:0]
		if cap(d.nodes) > maxKeptNodes {
			d.nodes = nil
		}
	}
	if cap(in.scratch) > maxKeptNodes {
		in.scratch = nil
	}
	if cap(in.buf) > maxKeptNodes {
		in.buf = nil
	}
}

// Type is the event's type.
func (in *Input) Type() string {
	if in.ev == nil {
		return ""
	}
	return in.ev.Type
}

// prepare is the document of a part, to be read into.
func (in *Input) prepare(part int) *document {
	d := &in.docs[part]
	d.text, d.fold = part != partBody, part == partHeaders
	return d
}

// document is a part of the event.
func (in *Input) document(part int) *document {
	if !in.ready[part] {
		in.ready[part] = true
		if in.ev != nil {
			in.prepare(part).read(in.source(part))
		}
	}
	return &in.docs[part]
}

// source is a part of the event as JSON.
func (in *Input) source(part int) []byte {
	from := len(in.buf)
	switch part {
	case partBody:
		return in.ev.Data
	case partHeaders:
		in.buf = appendHeaders(in.buf, in.ev.Headers)
	case partQuery:
		in.buf = appendQuery(in.buf, in.ev.Query)
	case partPath:
		if in.ev.Path != "" {
			in.buf = append(jsonscan.Quote(append(in.buf, `{"path":`...), in.ev.Path), '}')
		}
	}
	return in.buf[from:]
}

// appendHeaders writes headers as an object, each name once.
func appendHeaders(dst []byte, headers []event.Header) []byte {
	dst = append(dst, '{')
	var values []string
	for i := range headers {
		name := headers[i].Name
		if headerBefore(headers[:i], name) {
			continue
		}
		values = values[:0]
		for _, h := range headers[i:] {
			if strings.EqualFold(h.Name, name) {
				values = append(values, h.Value)
			}
		}
		dst = appendMember(dst, name, values)
	}
	return append(dst, '}')
}

func headerBefore(headers []event.Header, name string) bool {
	for i := range headers {
		if strings.EqualFold(headers[i].Name, name) {
			return true
		}
	}
	return false
}

// appendQuery writes the parameters of a query likewise. What is malformed is
// left out.
func appendQuery(dst []byte, query string) []byte {
	values, _ := url.ParseQuery(query)
	dst = append(dst, '{')
	for name, texts := range values {
		dst = appendMember(dst, name, texts)
	}
	return append(dst, '}')
}

// appendMember writes a name with its value, an array if there are several.
func appendMember(dst []byte, name string, values []string) []byte {
	dst = append(jsonscan.Quote(comma(dst), name), ':')
	if len(values) == 1 {
		return jsonscan.Quote(dst, values[0])
	}
	dst = append(dst, '[')
	for _, v := range values {
		dst = jsonscan.Quote(comma(dst), v)
	}
	return append(dst, ']')
}

// comma separates what follows from what dst ends in.
func comma(dst []byte) []byte {
	switch dst[len(dst)-1] {
	case '{', '[':
		return dst
	}
	return append(dst, ',')
}
