package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/sig"
)

// signatureView explains the signature of an attempt.
type signatureView struct {
	Mode       string           `json:"mode"`   // as the endpoint's signature_mode
	Header     string           `json:"header"` // its name
	Value      string           `json:"value"`  // as it was sent; "" if it is not recorded
	Signed     signedView       `json:"signed"`
	Signatures []signedPartView `json:"signatures"`
	Checked    *checkedView     `json:"checked"` // null if nothing was given to compare
}

// signedView is what was signed: a text, and then the body.
type signedView struct {
	Before     string   `json:"before"` // in front of the body; "" for a signature of the body alone
	BodyBytes  int      `json:"body_bytes"`
	BodySHA256 string   `json:"body_sha256"`
	Exact      bool     `json:"exact"` // the body is the one that was sent, as far as its length tells
	Notes      []string `json:"notes"` // in what it may differ
}

// signedPartView is one signature and what it was made with.
type signedPartView struct {
	Version     string    `json:"version"` // v1, v2 and so on; "" for a signature without
	Value       string    `json:"value"`
	Hash        string    `json:"hash"`
	Encoding    string    `json:"encoding"`
	SecretID    *event.ID `json:"secret_id"` // null: made with none of those that there are now
	SecretPrint string    `json:"secret_print"`
}

// checkedView says whether what a receiver computed is right, and if not, what it did
// instead, as far as that can be found out.
type checkedView struct {
	Matches     bool   `json:"matches"`
	SecretPrint string `json:"secret_print"`
	Text        string `json:"text"`
}

// maxComputed bounds what is given to compare.
const maxComputed = 1024

// explainSignature says what the signature of an attempt is over and which secret each
// part was made with. computed, what a receiver computed, is compared with it.
func (a *API) explainSignature(c *call) (reply, error) {
	id, err := pathID(c.r, "deliveryAttemptID")
	if err != nil {
		return reply{}, err
	}
	computed := strings.TrimSpace(c.r.URL.Query().Get("computed"))
	if len(computed) > maxComputed {
		return reply{}, event.Invalid("computed", "has %d bytes; a signature has at most %d", len(computed), maxComputed)
	}
	d, attempts, err := a.attempts(c)
	if err != nil {
		return reply{}, err
	}
	for i := range attempts {
		if attemptID(&attempts[i], d.ID) == id {
			return a.explain(c, d, &attempts[i], computed)
		}
	}
	return reply{}, event.ErrNotFound
}

func (a *API) explain(c *call, d event.Delivery, at *event.Attempt, computed string) (reply, error) {
	e := c.snap.Endpoint(d.EndpointID)
	if e == nil {
		return reply{}, event.Invalid("", "the endpoint is gone, and its secrets with it: the signature cannot be explained any more")
	}
	rows, err := a.eventCache(c).rows([]event.Delivery{d})
	if err != nil {
		return reply{}, err
	}
	b := curlBuilder{api: a, call: c, delivery: rows[0], endpoint: e}
	if err := b.repeat(at); err != nil {
		return reply{}, err
	}
	x := signatureExplainer{endpoint: e, project: c.project, body: b.body, headers: headersOf(at.RequestHeaders)}
	v := x.view()
	v.Signed.Exact = x.headers["content-length"] == strconv.Itoa(len(b.body))
	if !v.Signed.Exact {
		v.Signed.Notes = append(v.Signed.Notes, "the body that was sent had another length than the one that can be made now: the endpoint or its subscription changed since, or the content was deleted")
	}
	if computed != "" {
		v.Checked = x.check(&v, computed)
	}
	return respond(http.StatusOK, "Signature explained successfully", v)
}

// headersOf reads recorded lines, by names in lower case.
func headersOf(lines []byte) map[string]string {
	headers := make(map[string]string)
	for line := range strings.Lines(string(lines)) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			headers[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return headers
}

// signatureExplainer makes signatures of a request again, to find out how each was made.
type signatureExplainer struct {
	endpoint *catalog.Endpoint
	project  *catalog.Project
	body     []byte
	headers  map[string]string
}

func (x *signatureExplainer) view() signatureView {
	sum := sha256.Sum256(x.body)
	v := signatureView{
		Mode: x.endpoint.SignatureMode, Header: x.project.Config.Signature.Header, Signatures: []signedPartView{},
		Signed: signedView{BodyBytes: len(x.body), BodySHA256: hex.EncodeToString(sum[:]), Notes: []string{}},
	}
	if v.Mode == event.SignStandard {
		v.Header = "webhook-signature"
	}
	v.Value = x.headers[strings.ToLower(v.Header)]
	if v.Value == "" {
		v.Signed.Notes = append(v.Signed.Notes, "the attempt has no such header on record: it was made before the endpoint signed in this way")
		return v
	}
	switch {
	case v.Mode == event.SignStandard:
		x.standard(&v)
	case strings.HasPrefix(v.Value, "t="):
		x.advanced(&v)
	default:
		x.simple(&v)
	}
	return v
}

// advanced explains t=<unix>,v1=<signature>,...
func (x *signatureExplainer) advanced(v *signatureView) {
	parts := strings.Split(v.Value, ",")
	stamp := strings.TrimPrefix(parts[0], "t=")
	v.Signed.Before = stamp + ","
	unix, _ := strconv.ParseInt(stamp, 10, 64)
	versions := x.project.Config.Signature.Versions
	for _, part := range parts[1:] {
		name, value, _ := strings.Cut(part, "=")
		p := signedPartView{Version: name, Value: value}
		if n, err := strconv.Atoi(strings.TrimPrefix(name, "v")); err == nil && n >= 1 && n <= len(versions) {
			version := sig.Version{Hash: versions[n-1].Hash, Encoding: versions[n-1].Encoding}
			p.Hash, p.Encoding = version.Hash, version.Encoding
			x.findSecret(&p, func(secret string) string {
				signer, err := sig.New([]sig.Version{version}, []string{secret}, true)
				if err != nil {
					return ""
				}
				_, made, _ := strings.Cut(string(signer.Append(nil, time.Unix(unix, 0), x.body)), ",v1=")
				return made
			})
		}
		v.Signatures = append(v.Signatures, p)
	}
}

// simple explains a signature of the body alone, by the last version.
func (x *signatureExplainer) simple(v *signatureView) {
	p := signedPartView{Value: v.Value}
	if versions := x.project.Config.Signature.Versions; len(versions) > 0 {
		last := versions[len(versions)-1]
		p.Hash, p.Encoding = last.Hash, last.Encoding
		x.findSecret(&p, func(secret string) string {
			signer, err := sig.New([]sig.Version{{Hash: last.Hash, Encoding: last.Encoding}}, []string{secret}, false)
			if err != nil {
				return ""
			}
			return string(signer.Append(nil, time.Time{}, x.body))
		})
	}
	v.Signatures = append(v.Signatures, p)
}

// standard explains the signatures of Standard Webhooks.
func (x *signatureExplainer) standard(v *signatureView) {
	id, stamp := x.headers["webhook-id"], x.headers["webhook-timestamp"]
	v.Signed.Before = id + "." + stamp + "."
	unix, _ := strconv.ParseInt(stamp, 10, 64)
	for part := range strings.FieldsSeq(v.Value) {
		name, value, _ := strings.Cut(part, ",")
		p := signedPartView{Version: name, Value: value, Hash: "SHA256", Encoding: sig.Base64}
		if name == "v1a" {
			p.Hash = "ed25519"
		}
		x.findSecret(&p, func(secret string) string {
			signer, err := sig.NewStandard([]string{secret})
			if err != nil {
				return ""
			}
			return strings.TrimPrefix(string(signer.Append(nil, id, time.Unix(unix, 0), x.body)), name+",")
		})
		v.Signatures = append(v.Signatures, p)
	}
}

// findSecret finds the secret with which sign makes the signature.
func (x *signatureExplainer) findSecret(p *signedPartView, sign func(secret string) string) {
	for i := range x.endpoint.Secrets {
		s := &x.endpoint.Secrets[i]
		if s.DeletedAt == nil && sign(s.Value) == p.Value {
			p.SecretID, p.SecretPrint = &s.ID, secretPrint(s.Value)
			return
		}
	}
}
