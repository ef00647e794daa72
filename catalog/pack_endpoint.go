package catalog

import (
	"encoding/binary"
	"encoding/json"

	"posthaste/event"
	"posthaste/internal/seal"
)

// rareEndpoint holds the fields of an endpoint that few have. They are JSON, in the
// secret part of the record in front of the secret texts:
//
//	+----------------+------+--------------+
//	| length of JSON | JSON | secret texts |
//	| uvarint        |      | to the end   |
//	+----------------+------+--------------+
//
// The length is 0 for an endpoint that has none of them.
type rareEndpoint struct {
	Authentication *event.Authentication `json:"authentication,omitempty"`
	SignatureMode  string                `json:"signature_mode,omitempty"` // "": SignConvoy
	CustomHeaders  []event.Header        `json:"custom_headers,omitempty"`
	Strategy       *event.Strategy       `json:"strategy,omitempty"`
	MaxConcurrency int                   `json:"max_concurrency,omitempty"`
	ClientCert     *event.ClientCert     `json:"mtls_client_cert,omitempty"`
	CACert         string                `json:"ca_cert,omitempty"`
	StatusHistory  []event.StatusChange  `json:"status_history,omitempty"`
	AppID          *event.ID             `json:"app_id,omitempty"`
	Dynamic        bool                  `json:"dynamic,omitempty"`
}

// rareOf is nil if e has none of the rare fields.
func rareOf(e *event.Endpoint) *rareEndpoint {
	r := &rareEndpoint{
		Authentication: e.Authentication, CustomHeaders: e.CustomHeaders, Strategy: e.Strategy, MaxConcurrency: e.MaxConcurrency,
		ClientCert: e.ClientCert, CACert: e.CACert, StatusHistory: e.StatusHistory,
		AppID: e.AppID, Dynamic: e.Dynamic,
	}
	if e.SignatureMode != event.SignConvoy {
		r.SignatureMode = e.SignatureMode
	}
	if r.Authentication == nil && r.SignatureMode == "" && len(r.CustomHeaders) == 0 && r.Strategy == nil && r.MaxConcurrency == 0 &&
		r.ClientCert == nil && r.CACert == "" && len(r.StatusHistory) == 0 && r.AppID == nil && !r.Dynamic {
		return nil
	}
	return r
}

func (r *rareEndpoint) copyTo(e *event.Endpoint) {
	e.Authentication, e.CustomHeaders, e.Strategy, e.MaxConcurrency = r.Authentication, r.CustomHeaders, r.Strategy, r.MaxConcurrency
	e.ClientCert, e.CACert, e.StatusHistory = r.ClientCert, r.CACert, r.StatusHistory
	e.AppID, e.Dynamic = r.AppID, r.Dynamic
	if r.SignatureMode != "" {
		e.SignatureMode = r.SignatureMode
	}
}

func (e *Endpoint) encode(box *seal.Box) ([]byte, error) { return packEndpoint(box, &e.Endpoint) }

// packEndpoint and readEndpoint name the fields in the same order; so do the pairs
// below them, for the parts of an endpoint.
func packEndpoint(box *seal.Box, e *event.Endpoint) ([]byte, error) {
	var rare []byte
	if r := rareOf(e); r != nil {
		var err error
		if rare, err = json.Marshal(r); err != nil {
			return nil, err
		}
	}
	p := packer{secrets: append(binary.AppendUvarint(nil, uint64(len(rare))), rare...)}
	p.id(e.ID)
	p.id(e.ProjectID)
	p.text(e.OwnerID)
	p.text(e.URL)
	p.text(e.Name)
	p.text(e.Description)
	p.length(len(e.Secrets))
	for i := range e.Secrets {
		packSecret(&p, &e.Secrets[i])
	}
	p.bool(e.AdvancedSignatures)
	p.word(string(e.Status))
	p.int(e.HTTPTimeout)
	p.int(e.RateLimit)
	p.int(e.RateLimitDuration)
	p.word(e.ContentType)
	contacts := e.Reached()
	p.text(contacts.SupportEmail)
	p.text(contacts.SlackWebhookURL)
	p.text(contacts.TeamsWebhookURL)
	p.stamp(e.CreatedAt)
	p.stamp(e.UpdatedAt)
	p.optionalTime(nil) // the place of a time of deletion: older programs could write one
	return join(box, KindEndpoint, e.ID, p.open(), p.secrets), nil
}

// endpointReader reads the records of endpoints, one after the other: what it needs
// for one it uses for the next.
type endpointReader struct {
	box             *seal.Box
	secret, scratch []byte
}

func (r *endpointReader) read(id event.ID, value []byte) (e event.Endpoint, err error) {
	version, body, err := takeVersion(value, splitVersion)
	if err != nil {
		return e, err
	}
	if version == plainVersion {
		e, r.scratch, err = unpackEndpoint1(body, r.scratch)
		return e, err
	}
	s, err := splitBody(body)
	if err != nil {
		return e, err
	}
	if r.secret, err = s.appendSecret(r.secret[:0], r.box, KindEndpoint, id); err != nil {
		return e, err
	}
	n, size := binary.Uvarint(r.secret)
	if size <= 0 || n > uint64(len(r.secret)-size) {
		return e, errTruncated
	}
	rare, secrets := r.secret[size:][:n], r.secret[size:][n:]
	var u unpacker
	if u, r.scratch, err = unpack(s.open, secrets, r.scratch); err != nil {
		return e, err
	}
	unpackEndpoint2(&u, &e)
	if err = u.finish(); err == nil && len(rare) > 0 {
		err = readRare(rare, &e)
	}
	return e, err
}

func readRare(text []byte, e *event.Endpoint) error {
	var rare rareEndpoint
	if err := json.Unmarshal(text, &rare); err != nil {
		return err
	}
	for i := range rare.StatusHistory {
		h := &rare.StatusHistory[i]
		h.From, h.To = event.EndpointStatus(shared([]byte(h.From))), event.EndpointStatus(shared([]byte(h.To)))
	}
	rare.copyTo(e)
	return nil
}

func unpackEndpoint2(u *unpacker, e *event.Endpoint) {
	e.ID = u.id()
	e.ProjectID = u.id()
	e.OwnerID = u.text()
	e.URL = u.text()
	e.Name = u.text()
	e.Description = u.text()
	e.Secrets = make([]event.Secret, u.count())
	for i := range e.Secrets {
		unpackSecret(u, &e.Secrets[i])
	}
	e.AdvancedSignatures = u.bool()
	e.SignatureMode = event.SignConvoy
	e.Status = event.EndpointStatus(u.word())
	e.HTTPTimeout = u.int()
	e.RateLimit = u.int()
	e.RateLimitDuration = u.int()
	e.ContentType = u.word()
	e.Reach(unpackContacts(u))
	e.CreatedAt = u.stamp()
	e.UpdatedAt = u.stamp()
	u.optionalTime() // of deletion, see packEndpoint
}

func unpackContacts(u *unpacker) (c event.Contacts) {
	c.SupportEmail = u.text()
	c.SlackWebhookURL = u.text()
	c.TeamsWebhookURL = u.text()
	return c
}

func packSecret(p *packer, s *event.Secret) {
	p.id(s.ID)
	p.secret(s.Value)
	p.stamp(s.CreatedAt)
	p.stamp(s.UpdatedAt)
	p.optionalTime(s.ExpiresAt)
	p.optionalTime(s.DeletedAt)
}

func unpackSecret(u *unpacker, s *event.Secret) {
	s.ID = u.id()
	s.Value = u.secret()
	s.CreatedAt = u.stamp()
	s.UpdatedAt = u.stamp()
	s.ExpiresAt = u.optionalTime()
	s.DeletedAt = u.optionalTime()
}
