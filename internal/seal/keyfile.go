package seal

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
)

// A key file is text. Empty lines and those that begin with # are passed over;
// every other line is a key, its id and the base64 of its 32 bytes:
//
//	k7f3q2mz4a tJ1x...=
//
// The first key seals, all open.
const preamble = `# Keys under which posthaste keeps secrets in its store.
# Whoever has this file and the store reads them all; without it nobody does.
# The first key is used for what is written, the others to read what is older.
`

// maxKeys is how many keys a file may have.
const maxKeys = 100

// ParseKeyFile reads a key file. Its errors name the line and show no key.
func ParseKeyFile(text []byte) ([]Key, error) {
	var keys []Key
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		k, err := parseKey(line)
		if err != nil {
			return nil, fmt.Errorf("key file, line %d: %w", i+1, err)
		}
		if keys = append(keys, k); len(keys) > maxKeys {
			return nil, fmt.Errorf("key file, line %d: there are more than %d keys", i+1, maxKeys)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("key file: there is no key in it")
	}
	return keys, nil
}

func parseKey(line string) (k Key, err error) {
	fields := strings.Fields(line)
	if len(fields) != 2 {
		return k, fmt.Errorf("want an id and the base64 of %d bytes, with a space between", keyLen)
	}
	if err := checkID(fields[0]); err != nil {
		return k, err
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(fields[1])
	if err != nil {
		return k, fmt.Errorf("the key %q is not base64", fields[0]) // the cause would show where it stops being that
	}
	if len(raw) != keyLen {
		return k, fmt.Errorf("the key %q has %d bytes, want %d", fields[0], len(raw), keyLen)
	}
	k.ID = fields[0]
	copy(k.Bytes[:], raw)
	return k, nil
}

// NewKeyFile is the text of a file with one new key.
func NewKeyFile() []byte { return []byte(preamble + newKey().line()) }

// Rotate is the text of a key file with a new key in front, which seals from then
// on. A key below it can go when nothing is sealed under it any more.
func Rotate(text []byte) ([]byte, error) {
	keys, err := ParseKeyFile(text)
	if err != nil {
		return nil, err
	}
	if len(keys) == maxKeys {
		return nil, fmt.Errorf("key file: there are %d keys already; remove those under which nothing is sealed any more", maxKeys)
	}
	out := preamble + newKey().line()
	for i := range keys {
		out += keys[i].line()
	}
	return []byte(out), nil
}

func newKey() *Key {
	k := &Key{ID: strings.ToLower(rand.Text()[:10])}
	_, _ = rand.Read(k.Bytes[:])
	return k
}

func (k *Key) line() string {
	return k.ID + " " + base64.StdEncoding.EncodeToString(k.Bytes[:]) + "\n"
}
