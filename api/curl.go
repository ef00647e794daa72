package api

import (
	"net/http"
	"strconv"
	"strings"

	"posthaste/catalog"
	"posthaste/event"
)

// curlView is a delivery's request as a command for a shell.
type curlView struct {
	Command string   `json:"command"`
	Notes   []string `json:"notes"` // in what the command differs from what was, or will be, sent
}

// curlHeader is one header of the request; a hidden one has a mask in the place of
// its value.
type curlHeader struct {
	name, value string
}

var errMayNotReveal = &httpError{http.StatusForbidden, "this key may not see secrets; it needs the scope \"manage\". Leave reveal out"}

// curlOfDelivery answers with a command that repeats the request of a delivery's last
// attempt or, if none was made, makes the one that is to come, unsigned.
func (a *API) curlOfDelivery(c *call) (reply, error) {
	reveal, err := truthParam(c.r.URL.Query(), "reveal")
	if err != nil {
		return reply{}, err
	}
	if reveal && !c.mayManage() {
		return reply{}, errMayNotReveal
	}
	d, attempts, err := a.attempts(c)
	if err != nil {
		return reply{}, err
	}
	rows, err := a.eventCache(c).rows([]event.Delivery{d})
	if err != nil {
		return reply{}, err
	}
	b := curlBuilder{api: a, call: c, delivery: rows[0], endpoint: c.snap.Endpoint(d.EndpointID), reveal: reveal}
	if n := len(attempts); n > 0 {
		err = b.repeat(&attempts[n-1])
	} else {
		err = b.foresee()
	}
	if err != nil {
		return reply{}, err
	}
	if reveal {
		c.reveals("delivery", d.ID, "")
	}
	view := curlView{Command: b.command(), Notes: b.notes}
	rep, err := respond(http.StatusOK, "Curl command made successfully", view)
	if wantsText(c.r) {
		rep.text = view.Command + "\n"
	}
	return rep, err
}

// wantsText reports whether a request would rather have a plain text than JSON.
func wantsText(r *http.Request) bool {
	accept := strings.ToLower(r.Header.Get("Accept"))
	return strings.Contains(accept, "text/plain") && !strings.Contains(accept, "json")
}

// curlBuilder gathers what goes into a command.
type curlBuilder struct {
	api      *API
	call     *call
	delivery deliveryRow
	endpoint *catalog.Endpoint // nil: it is gone
	reveal   bool

	url     string
	headers []curlHeader
	body    []byte
	notes   []string
}

func (b *curlBuilder) note(text string) { b.notes = append(b.notes, text) }

// repeat makes the request of an attempt again.
func (b *curlBuilder) repeat(at *event.Attempt) error {
	b.url = at.URL
	sent := -1 // bytes of the body
	for line := range strings.Lines(string(at.RequestHeaders)) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if name, value = strings.TrimSpace(name), strings.TrimSpace(value); !ok || name == "" {
			continue
		}
		if strings.EqualFold(name, "Content-Length") { // curl counts by itself
			if n, err := strconv.Atoi(value); err == nil {
				sent = n
			}
			continue
		}
		b.add(name, value)
	}
	b.note("the signature is the one of this attempt: a receiver that checks its time refuses it later")
	if err := b.makeBody(); err != nil {
		return err
	}
	if b.delivery.event != nil && sent >= 0 && sent != len(b.body) {
		b.note("what was sent had " + strconv.Itoa(sent) + " bytes, this body has " + strconv.Itoa(len(b.body)) + ": the subscription's function or the endpoint changed since")
	}
	return nil
}

// foresee makes the request that a first attempt is going to make.
func (b *curlBuilder) foresee() error {
	if b.endpoint == nil {
		return event.Invalid("", "no attempt was made and the endpoint is gone: there is no request to show")
	}
	e, ev := b.endpoint, b.delivery.event
	b.url = e.URL
	b.add("Content-Type", e.ContentType)
	if auth := authenticationHeader(e.Authentication); auth.name != "" {
		b.add(auth.name, auth.value)
	}
	for _, h := range e.CustomHeaders {
		b.add(h.Name, h.Value)
	}
	if ev != nil {
		if name := b.call.project.Config.RequestIDHeader; ev.IdempotencyKey != "" {
			b.add(name, ev.IdempotencyKey)
		}
		for _, h := range ev.Headers {
			b.add(h.Name, h.Value)
		}
	}
	b.note("no attempt was made yet: the request is not signed")
	return b.makeBody()
}

// add adds a header, unless there is one of its name.
func (b *curlBuilder) add(name, value string) {
	for _, h := range b.headers {
		if strings.EqualFold(h.name, name) {
			return
		}
	}
	secret := value == masked || b.call.headerMask(b.delivery.EndpointID).hides(name)
	switch {
	case secret && !b.reveal:
		value = masked
	case value == masked:
		value = b.revealed(name)
	}
	b.headers = append(b.headers, curlHeader{name, value})
}

// revealed is the value that a header has by now which was not recorded, or its mask.
func (b *curlBuilder) revealed(name string) string {
	if e := b.endpoint; e != nil {
		if auth := authenticationHeader(e.Authentication); strings.EqualFold(auth.name, name) && auth.value != "" {
			return auth.value
		}
		for _, h := range e.CustomHeaders {
			if strings.EqualFold(h.Name, name) {
				return h.Value
			}
		}
	}
	if ev := b.delivery.event; ev != nil {
		for _, h := range ev.Headers {
			if strings.EqualFold(h.Name, name) {
				return h.Value
			}
		}
	}
	b.note("the value of " + name + " is not recorded; put it in the place of the mask")
	return masked
}
