package api

import (
	"strings"

	"posthaste/event"
)

// headerMask reads recorded headers and hides what should not be read by everybody
// who may see an attempt.
type headerMask struct {
	own string // the header that the endpoint authenticates with, in lower case; "" for none
}

// headerMask is the mask for the attempts at an endpoint. It knows the header that
// the endpoint uses now, and recognises others by their names.
func (c *call) headerMask(endpoint event.ID) headerMask {
	e := c.snap.Endpoint(endpoint)
	if e == nil || e.Authentication == nil || e.Authentication.APIKey == nil {
		return headerMask{}
	}
	return headerMask{own: strings.ToLower(e.Authentication.APIKey.HeaderName)}
}

// parse reads "Name: value" lines. Values of one name are joined by a comma. What
// is no header, as the rest of a line that was cut within its name, is left out.
func (m headerMask) parse(lines []byte) map[string]string {
	headers := make(map[string]string)
	for line := range strings.Lines(string(lines)) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			continue
		}
		value = strings.TrimSpace(value)
		if m.hides(name) {
			value = masked
		} else if before, repeated := headers[name]; repeated {
			value = before + ", " + value
		}
		headers[name] = strings.ToValidUTF8(value, "\uFFFD")
	}
	return headers
}

func (m headerMask) hides(name string) bool {
	return strings.ToLower(name) == m.own || event.SecretHeader(name)
}

// conceal hides, of how an event came in, what the caller should not see: from those who
// may not manage, the values of headers whose names say that they open something; from a
// portal, the path and the query, since who knows them may post to the source.
func (c *call) conceal(headers map[string][]string, path, query *string) {
	if c.grant.Portal {
		*path, *query = "", ""
	}
	if c.mayManage() {
		return
	}
	for name, values := range headers {
		for i := range values {
			if event.SecretHeader(name) {
				values[i] = masked
			}
		}
	}
}
