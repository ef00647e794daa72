package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// A sealed text:
//
//	+------------+-----------------+--------+-------+-----------------------+
//	| version, 1 | length of the   | key id | nonce | AES-256-GCM of the    |
//	| 1 byte     | key id, 1 byte  |        | 12    | plaintext, with a tag |
//	|            |                 |        | bytes | of 16 bytes           |
//	+------------+-----------------+--------+-------+-----------------------+
//
// The version and the key id are authenticated with the caller's data. Nonces are
// random: a key is good for 2^32 texts (NIST SP 800-38D section 8.3), which is a
// thousand rewrites of four million.
const (
	version   = 1
	nonceLen  = 12
	tagLen    = 16
	maxIDLen  = 32
	keyLen    = 32
	headerLen = 2 // version and length of the key id
)

// ErrDamaged is what Open says of a text that is not as it was sealed: changed,
// sealed for another object, or under another key of the same id.
var ErrDamaged = errors.New("the sealed text does not open: it was changed, or the key file has another key under its id")

// UnknownKeyError is what Open says of a text under a key that it was not given.
type UnknownKeyError struct{ ID string }

func (e *UnknownKeyError) Error() string {
	return fmt.Sprintf("sealed under the key %q, which is not in the key file: put its line back, below the first", e.ID)
}

// Key is a key and the name by which sealed texts refer to it.
type Key struct {
	ID    string // 1 to 32 of a-z, 0-9 and -
	Bytes [keyLen]byte
}

// String is the id, so that no key is ever printed.
func (k Key) String() string { return k.ID }

// GoString is the id.
func (k Key) GoString() string { return k.ID }

// Box seals and opens. It never changes: any goroutine may use it.
type Box struct {
	header []byte // of what it seals: version, length and text of the first key's id
	first  cipher.AEAD
	byID   map[string]cipher.AEAD
}

// Open makes a Box. The first key seals, all open.
func Open(keys []Key) (*Box, error) {
	if len(keys) == 0 {
		return nil, errors.New("seal: there is no key")
	}
	b := &Box{byID: make(map[string]cipher.AEAD, len(keys))}
	for i := range keys {
		k := &keys[i]
		if err := checkID(k.ID); err != nil {
			return nil, fmt.Errorf("seal: key %d: %w", i+1, err)
		}
		if b.byID[k.ID] != nil {
			return nil, fmt.Errorf("seal: there are two keys with the id %q", k.ID)
		}
		block, err := aes.NewCipher(k.Bytes[:])
		if err != nil {
			return nil, fmt.Errorf("seal: key %q: %w", k.ID, err)
		}
		if b.byID[k.ID], err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("seal: key %q: %w", k.ID, err)
		}
	}
	b.first = b.byID[keys[0].ID]
	b.header = append([]byte{version, byte(len(keys[0].ID))}, keys[0].ID...)
	return b, nil
}

// KeyID is the id of the key that seals.
func (b *Box) KeyID() string { return string(b.header[headerLen:]) }

// KeyIDs are the ids of all its keys, in no order.
func (b *Box) KeyIDs() []string { return slices.Collect(maps.Keys(b.byID)) }

// Opens reports whether b opens what other sealed, or would have sealed, under the key with
// this id: whether it has that very key, and not another one of its name.
func (b *Box) Opens(other *Box, id string) bool {
	theirs, ours := other.byID[id], b.byID[id]
	if theirs == nil || ours == nil {
		return false
	}
	nonce := make([]byte, nonceLen)
	_, _ = rand.Read(nonce) // never fails: it ends the process instead
	_, err := ours.Open(nil, nonce, theirs.Seal(nil, nonce, nil, nil), nil)
	return err == nil
}

// Seal appends plaintext, sealed, to dst. aad is what the text belongs to: it opens
// with the same aad only. dst and plaintext must not overlap.
func (b *Box) Seal(dst, plaintext, aad []byte) []byte {
	dst = append(dst, b.header...)
	at := len(dst)
	dst = append(dst, make([]byte, nonceLen)...)
	nonce := dst[at:]
	_, _ = rand.Read(nonce) // never fails: it ends the process instead
	return b.first.Seal(dst, nonce, plaintext, bind(b.header, aad))
}

// Open appends the plaintext of sealed to dst. The error is ErrDamaged or an
// UnknownKeyError. dst and sealed must not overlap.
func (b *Box) Open(dst, sealed, aad []byte) ([]byte, error) {
	id, err := KeyID(sealed)
	if err != nil {
		return dst, err
	}
	key := b.byID[id]
	if key == nil {
		return dst, &UnknownKeyError{ID: id}
	}
	header, rest := sealed[:headerLen+len(id)], sealed[headerLen+len(id):]
	out, err := key.Open(dst, rest[:nonceLen], rest[nonceLen:], bind(header, aad))
	if err != nil {
		return dst, ErrDamaged
	}
	return out, nil
}

// KeyID is the id of the key under which a text was sealed. It reads what is
// authenticated only when the text is opened.
func KeyID(sealed []byte) (string, error) {
	if len(sealed) < headerLen {
		return "", ErrDamaged
	}
	if sealed[0] != version {
		return "", fmt.Errorf("the sealed text has version %d, this program reads version %d: was it written by a newer one?", sealed[0], version)
	}
	n := int(sealed[1])
	if n == 0 || n > maxIDLen || len(sealed) < headerLen+n+nonceLen+tagLen {
		return "", ErrDamaged
	}
	return string(sealed[headerLen:][:n]), nil
}

// bind is what is authenticated beside the plaintext: the header, then aad. The
// header says its own length, so no two pairs give the same bytes.
func bind(header, aad []byte) []byte {
	return append(append(make([]byte, 0, headerLen+maxIDLen+len(aad)), header...), aad...)
}

func checkID(id string) error {
	if id == "" || len(id) > maxIDLen {
		return fmt.Errorf("its id has %d characters; it needs 1 to %d", len(id), maxIDLen)
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return errors.New("its id may have a-z, 0-9 and - only")
		}
	}
	return nil
}
