package main

import (
	"errors"

	"posthaste/client"
)

// sourceCmd is about sources.
type sourceCmd struct {
	remote
	List   sourceListCmd   `cmd:"" help:"List sources." example:"posthaste source list"`
	Get    sourceGetCmd    `cmd:"" help:"Show a source and its URL." example:"posthaste source get 01KAM4Z8V1V6W3J7C2Q9RZB5XN"`
	Create sourceCreateCmd `cmd:"" help:"Make a URL where webhooks of others come in." example:"posthaste source create github --provider github --secret s3cret"`
	Delete sourceDeleteCmd `cmd:"" help:"Delete a source." example:"posthaste source delete 01KAM4Z8V1V6W3J7C2Q9RZB5XN --yes"`
}

type sourceListCmd struct {
	Type     string `placeholder:"TYPE" help:"Only of this type, such as http."`
	Provider string `placeholder:"NAME" help:"Only of this provider."`
	Search   string `placeholder:"TEXT" help:"Only those with the text in their name."`
	listFlags
}

// Run prints the list.
func (c *sourceListCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	return listing[client.Source]{
		resource: in.Sources(),
		query:    named("type", c.Type, "provider", c.Provider, "q", c.Search),
		titles:   []string{"ID", "NAME", "TYPE", "PROVIDER", "VERIFIED BY", "URL"},
		cells: func(src client.Source) []string {
			return []string{src.ID, src.Name, src.Type, src.Provider, verifierOf(src), sourceURL(src)}
		},
		none: "No sources here yet. Make one: posthaste source create NAME",
	}.show(s, c.listFlags)
}

func verifierOf(src client.Source) string {
	if src.Verifier == nil {
		return ""
	}
	return src.Verifier.Type
}

// sourceURL is where a source takes webhooks.
func sourceURL(src client.Source) string {
	if src.URL == "" && src.MaskID != "" {
		return "/ingest/" + src.MaskID
	}
	return src.URL
}

type sourceGetCmd struct {
	ID string `arg:"" help:"The source."`
}

// Run prints the source.
func (c *sourceGetCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.Sources().Get(s.ctx, c.ID)
	if err != nil {
		return err
	}
	return showOne(s, row, s.sourceFields)
}

func (s *session) sourceFields(src client.Source) []field {
	return []field{
		{"ID", src.ID}, {"Name", src.Name}, {"URL", sourceURL(src)}, {"Type", src.Type}, {"Provider", src.Provider},
		{"Verified by", verifierOf(src)}, {"Disabled", yesNo(src.IsDisabled)}, {"Created", s.at(src.CreatedAt)},
	}
}

type sourceCreateCmd struct {
	Name     string `arg:"" help:"The source's name."`
	Provider string `enum:",github,shopify,twitter" default:"" placeholder:"NAME" help:"Who sends: github, shopify or twitter. Their signatures are known; give --secret."`
	Verifier string `enum:",noop,hmac,basic_auth,api_key" default:"" placeholder:"TYPE" help:"How others show who they are: noop, hmac, basic_auth or api_key."`
	Secret   string `placeholder:"TEXT" help:"With hmac or a provider: the secret. With basic_auth: the password. With api_key: the key."`
	Header   string `placeholder:"NAME" help:"With hmac or api_key: the header."`
	Hash     string `default:"SHA256" placeholder:"NAME" help:"With hmac: the hash (${default})."`
	Encoding string `default:"hex" enum:"hex,base64" placeholder:"NAME" help:"With hmac: hex or base64 (${default})."`
	User     string `placeholder:"NAME" help:"With basic_auth: the user's name."`
	Types    string `name:"type-from" placeholder:"SELECTOR" help:"Where a request says its event's type, such as req.header.X-GitHub-Event."`
	fieldsFlag
}

// Run makes the source and prints its URL.
func (c *sourceCreateCmd) Run(s *session) error {
	verifier, err := c.verifier()
	if err != nil {
		return err
	}
	flags := map[string]any{"name": c.Name, "type": "http"}
	if c.Provider != "" {
		flags["provider"] = c.Provider
	}
	if verifier != nil {
		flags["verifier"] = verifier
	}
	if c.Types != "" {
		flags["event_type_location"] = c.Types
	}
	body, err := c.body(s, flags)
	if err != nil {
		return err
	}
	in, err := s.project()
	if err != nil {
		return err
	}
	row, err := in.Sources().Create(s.ctx, body)
	if err != nil {
		return err
	}
	return showOne(s, row, s.sourceFields)
}

// verifier is the verifier that the flags describe; nil for none.
func (c *sourceCreateCmd) verifier() (map[string]any, error) {
	kind := c.Verifier
	if kind == "" && c.Provider != "" {
		kind = "hmac"
	}
	switch kind {
	case "":
		if c.Secret != "" {
			return nil, usageError{errors.New("--secret needs --verifier or --provider")}
		}
		return nil, nil
	case "hmac":
		return map[string]any{"type": kind, "hmac": map[string]any{
			"header": c.hmacHeader(), "hash": c.Hash, "secret": c.Secret, "encoding": c.hmacEncoding()}}, nil
	case "basic_auth":
		return map[string]any{"type": kind, "basic_auth": map[string]any{"username": c.User, "password": c.Secret}}, nil
	case "api_key":
		return map[string]any{"type": kind, "api_key": map[string]any{"header_name": c.Header, "header_value": c.Secret}}, nil
	}
	return map[string]any{"type": kind}, nil
}

// providerHeaders are where providers sign.
var providerHeaders = map[string]string{
	"github": "X-Hub-Signature-256", "shopify": "X-Shopify-Hmac-SHA256", "twitter": "X-Twitter-Webhooks-Signature",
}

func (c *sourceCreateCmd) hmacHeader() string {
	if c.Header == "" {
		return providerHeaders[c.Provider]
	}
	return c.Header
}

func (c *sourceCreateCmd) hmacEncoding() string {
	if c.Provider == "shopify" || c.Provider == "twitter" {
		return "base64"
	}
	return c.Encoding
}

type sourceDeleteCmd struct {
	ID string `arg:"" help:"The source."`
	yesFlag
}

// Run asks and deletes.
func (c *sourceDeleteCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	if err := s.confirm(c.Yes, "Delete source %s? What others send to its URL is refused from then on.", clean(c.ID)); err != nil {
		return err
	}
	a, err := in.Sources().Delete(s.ctx, c.ID)
	if err != nil {
		return err
	}
	return s.done(a.Data, "Source %s is deleted.", clean(c.ID))
}
