package catalog

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"posthaste/event"
	"posthaste/internal/seal"
)

// A record's value, as the store keeps it. Keys, event types and applications, which
// are few and hold no secrets, are version 1, JSON of the event package's nouns; an absent field
// reads as its zero value, so fields may be added within a version:
//
//	+------------+--------+
//	| version, 1 | JSON   |
//	+------------+--------+
//
// All others are version 2, which has the secrets apart:
//
//	+------------+-------+----------------+------------+------------------+
//	| version, 2 | flags | length of open | open       | secret           |
//	| 1 byte     | 1     | uvarint        |            | to the end       |
//	+------------+-------+----------------+------------+------------------+
//
// Flag 1 says that secret is sealed (internal/seal), bound to the record's kind and
// id; without it secret is in clear. open is JSON, but packed for
// endpoints and subscriptions (pack.go), of which there are millions: read from
// JSON, a million endpoints took ten seconds and more to load; packed, they take
// two to three, and less than a third of the space (BenchmarkOpen).
//
// Version 1 of projects, endpoints and subscriptions, without secret and with other
// fields, is still read.
const (
	plainVersion = 1
	splitVersion = 2

	flagSealed = 1
)

var errTruncated = errors.New("the record is cut short")

func encodeJSON(noun any) ([]byte, error) {
	body, err := json.Marshal(noun)
	if err != nil {
		return nil, err
	}
	return append([]byte{plainVersion}, body...), nil
}

func decodeJSON(value []byte, noun any) error {
	version, body, err := takeVersion(value, plainVersion)
	if err != nil || version != plainVersion {
		return err
	}
	return json.Unmarshal(body, noun)
}

// marshal is json.Marshal that leaves the text of JSON within the noun as it is: it
// does not write <, > and & another way.
func marshal(noun any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(noun); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// takeVersion takes the version, 1 to newest, off a value.
func takeVersion(value []byte, newest byte) (version byte, body []byte, err error) {
	if len(value) == 0 {
		return 0, nil, errTruncated
	}
	if value[0] == 0 || value[0] > newest {
		return 0, nil, fmt.Errorf("record version %d is not known, this program reads versions 1 to %d: was it written by a newer one?", value[0], newest)
	}
	return value[0], value[1:], nil
}

// join makes a value of version 2. A nil box leaves the secret in clear.
func join(box *seal.Box, kind byte, id event.ID, open, secret []byte) []byte {
	sealed := box != nil && len(secret) > 0
	v := make([]byte, 0, 2+binary.MaxVarintLen32+len(open)+len(secret)+maxSealBytes)
	v = append(v, splitVersion, flags(sealed))
	v = binary.AppendUvarint(v, uint64(len(open)))
	v = append(v, open...)
	if !sealed {
		return append(v, secret...)
	}
	return box.Seal(v, secret, boundTo(kind, id))
}

// maxSealBytes is what sealing adds to a text, at the most.
const maxSealBytes = 64

func flags(sealed bool) byte {
	if sealed {
		return flagSealed
	}
	return 0
}

// split is a value of version 2 taken apart. Its slices are parts of the value.
type split struct {
	open, secret []byte
	sealed       bool
}

// splitBody reads what follows the version.
func splitBody(body []byte) (s split, err error) {
	if len(body) == 0 {
		return s, errTruncated
	}
	if body[0]&^flagSealed != 0 {
		return s, fmt.Errorf("the record has flags %#x, which this program does not know: was it written by a newer one?", body[0])
	}
	s.sealed = body[0] == flagSealed
	n, size := binary.Uvarint(body[1:])
	if size <= 0 || n > uint64(len(body)-1-size) {
		return s, errTruncated
	}
	s.open, s.secret = body[1+size:][:n], body[1+size:][n:]
	return s, nil
}

// appendSecret appends the secret of a record in clear.
func (s *split) appendSecret(dst []byte, box *seal.Box, kind byte, id event.ID) ([]byte, error) {
	if !s.sealed {
		return append(dst, s.secret...), nil
	}
	if box == nil {
		key, err := seal.KeyID(s.secret)
		if err != nil {
			return dst, err
		}
		return dst, fmt.Errorf("its secrets are sealed under the key %q, and no key file is configured: name the one that has this key", key)
	}
	return box.Open(dst, s.secret, boundTo(kind, id))
}

// boundTo is the data to which a record's sealed secrets are bound.
func boundTo(kind byte, id event.ID) []byte { return append([]byte{kind}, id[:]...) }

// hasSecrets reports whether records of a kind can have a secret part.
func hasSecrets(kind byte) bool {
	switch kind {
	case KindProject, KindEndpoint, KindSource, KindPortalLink:
		return true
	}
	return false
}

// needsSeal reports whether a value has secrets that box would seal, or seal under
// another key.
func needsSeal(box *seal.Box, kind byte, value []byte) (bool, error) {
	if !hasSecrets(kind) {
		return false, nil
	}
	version, body, err := takeVersion(value, splitVersion)
	if err != nil || version == plainVersion {
		return err == nil, err
	}
	s, err := splitBody(body)
	if err != nil || !s.sealed {
		return len(s.secret) > 0, err
	}
	key, err := seal.KeyID(s.secret)
	return key != box.KeyID(), err
}

// decodeSplit reads the open part of a value of version 2, which is JSON, into noun,
// and returns the secret part in clear.
func decodeSplit(box *seal.Box, kind byte, id event.ID, value []byte, noun any) (secret []byte, err error) {
	version, body, err := takeVersion(value, splitVersion)
	if err != nil {
		return nil, err
	}
	if version != splitVersion {
		return nil, fmt.Errorf("record version %d is not one that this kind ever had", version)
	}
	s, err := splitBody(body)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(s.open, noun); err != nil {
		return nil, err
	}
	return s.appendSecret(nil, box, kind, id)
}
