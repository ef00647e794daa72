package main

import (
	"errors"
	"fmt"

	"posthaste/client"
)

// sendCmd posts events: one, or a file of them.
type sendCmd struct {
	Data string `arg:"" optional:"" help:"The event's data, any JSON. @FILE reads a file, - or nothing reads stdin."`

	Endpoint  string `group:"to" placeholder:"ID" help:"To this endpoint."`
	Owner     string `group:"to" placeholder:"ID" help:"To all endpoints of this owner."`
	Broadcast bool   `group:"to" help:"To every subscription that wants it."`
	URL       string `name:"url" group:"to" placeholder:"URL" help:"To this URL, whose endpoint is made if there is none."`
	Secret    string `group:"to" placeholder:"TEXT" help:"With --url: what is signed with."`

	Type           string            `placeholder:"TYPE" help:"The event's type."`
	Header         map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"A header that goes along; may be repeated."`
	IdempotencyKey string            `placeholder:"KEY" help:"An event with the same key is accepted once."`

	File        string  `group:"file" placeholder:"FILE" help:"Send the lines of this file, which may be gzip or zstd; - is stdin. With --type a line is an event's data; without, it is a whole event: {\"endpoint_id\",\"event_type\",\"data\"}."`
	Batch       int     `group:"file" default:"100" placeholder:"N" help:"Events of one request (${default})."`
	Concurrency int     `group:"file" default:"4" placeholder:"N" help:"Requests at once (${default})."`
	Rate        float64 `group:"file" placeholder:"N" help:"At most so many events a second."`
	Idempotency string  `group:"file" default:"off" enum:"off,line-hash" placeholder:"MODE" help:"line-hash: give each event a key made of its line and the line's number, so that sending the file again sends only what was not accepted (${default})."`

	remote
}

// Validate checks what belongs together. The parser calls it.
func (c *sendCmd) Validate() error {
	ways := 0
	for _, given := range []bool{c.Endpoint != "", c.Owner != "", c.Broadcast, c.URL != ""} {
		if given {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("give one of --endpoint, --owner, --broadcast and --url")
	case c.Secret != "" && c.URL == "":
		return errors.New("--secret goes with --url")
	case c.File != "":
		return c.validateFile(ways)
	case ways == 0:
		return errors.New("say whom the event is for: --endpoint, --owner, --broadcast or --url")
	case c.Type == "":
		return errors.New("give the event's --type, such as order.paid")
	case c.Idempotency != "off" || c.Rate != 0:
		return errors.New("--idempotency and --rate go with --file; one event has --idempotency-key")
	}
	return nil
}

func (c *sendCmd) validateFile(ways int) error {
	switch {
	case c.Data != "":
		return errors.New("give either data or --file")
	case c.IdempotencyKey != "":
		return errors.New("--idempotency-key is for one event; --file has --idempotency line-hash")
	case c.Type == "" && (ways > 0 || len(c.Header) > 0):
		return errors.New("without --type each line is a whole event and says itself whom it is for; give --type if lines are data")
	case c.Type != "" && ways == 0:
		return errors.New("say whom the events are for: --endpoint, --owner, --broadcast or --url")
	case c.Batch < 1 || c.Batch > 10_000:
		return errors.New("--batch must be 1 to 10000")
	case c.Concurrency < 1 || c.Concurrency > 64:
		return errors.New("--concurrency must be 1 to 64")
	case c.Rate < 0:
		return errors.New("--rate must be more than 0")
	}
	return nil
}

// Run posts.
func (c *sendCmd) Run(s *session) error {
	if c.File != "" {
		return c.sendFile(s)
	}
	if c.Data == "" && s.interactive {
		return usageError{errors.New("give the event's data: JSON, @FILE, or - to type it")}
	}
	if c.Data == "" {
		c.Data = "-"
	}
	data, err := s.readJSON("data", c.Data)
	if err != nil {
		return err
	}
	in, err := s.project()
	if err != nil {
		return err
	}
	a, out, err := in.Post(s.ctx, c.to(), c.envelope().event(data, c.IdempotencyKey), c.IdempotencyKey != "")
	if err != nil {
		return err
	}
	if out.ID == "" {
		return s.done(a.Data, "%s", sentence(out.Message))
	}
	if err := s.done(a.Data, "%s", out.ID); err != nil || s.remote.JSON {
		return err
	}
	return s.say("%s Follow it with: posthaste delivery list --event %s", sentence(out.Message), clean(out.ID))
}

// to is the way in which the events are posted.
func (c *sendCmd) to() string {
	switch {
	case c.Owner != "":
		return client.ToOwner
	case c.Broadcast:
		return client.ToAll
	case c.URL != "":
		return client.ToDynamic
	}
	return client.ToEndpoint
}

// envelope is what stands around the data of each event.
func (c *sendCmd) envelope(more ...member) *eventEnvelope {
	return newEnvelope(append(more,
		member{"endpoint_id", c.Endpoint}, member{"owner_id", c.Owner}, member{"url", c.URL}, member{"secret", c.Secret},
		member{"event_type", c.Type}, member{"custom_headers", c.Header},
	)...)
}

// refusedError says how many of a file's events were refused.
func refusedError(n int) error {
	if n == 1 {
		return errors.New("one event was refused")
	}
	return fmt.Errorf("%d events were refused", n)
}
