package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"posthaste/internal/app"
)

// The files of the data directory that hold keys, each on one line but for the last.
const (
	instanceKeyFile = "instance.key"
	pepperFile      = "pepper.key"
	secretKeysFile  = "secrets.key"
)

// maxKeyFileBytes bounds what is read of a key file.
const maxKeyFileBytes = 16 << 10

// secrets are the keys a server needs beside its store.
type secrets struct {
	instanceKey string
	generated   bool // instanceKey is new: its owner has not seen it yet
	pepper      []byte
	secretKeys  []byte // the text of secretKeysFile
}

// openSecrets reads the keys of a data directory, and makes those that are
// missing. rootKey, if there is one, is the instance key instead of the file's.
func openSecrets(dir, rootKey string) (secrets, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return secrets{}, fmt.Errorf("--data: %w", err)
	}
	pepper, err := openPepper(dir)
	if err != nil {
		return secrets{}, err
	}
	// A store may be older than its first key file; so one is made for it, too. If a
	// file was lost, the store says so: it names the key that is missing.
	sealing, _, err := openKeyFile(filepath.Join(dir, secretKeysFile), func() string { return string(app.NewSecretKeys()) })
	if err != nil {
		return secrets{}, err
	}
	s := secrets{instanceKey: rootKey, pepper: pepper, secretKeys: []byte(sealing)}
	if rootKey == "" {
		s.instanceKey, s.generated, err = openKeyFile(filepath.Join(dir, instanceKeyFile), newInstanceKey)
	}
	return s, err
}

// openPepper refuses to make a pepper for a store that must have had one: under
// another pepper no API key would be known any more.
func openPepper(dir string) ([]byte, error) {
	path := filepath.Join(dir, pepperFile)
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && hasStore(dir) {
		return nil, fmt.Errorf("%s is missing, and without it no API key of the store works: bring it back from a backup", path)
	}
	text, _, err := openKeyFile(path, newPepper)
	if err != nil {
		return nil, err
	}
	pepper, err := hex.DecodeString(text)
	if err != nil || len(pepper) != app.PepperBytes {
		return nil, fmt.Errorf("%s is damaged: want %d hexadecimal digits; bring it back from a backup", path, 2*app.PepperBytes)
	}
	return pepper, nil
}

// hasStore reports whether a data directory holds a store: every Pebble
// database has a manifest, here or one level below.
func hasStore(dir string) bool {
	for _, pattern := range []string{"MANIFEST-*", "*/MANIFEST-*"} {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) > 0 {
			return true
		}
	}
	return false
}

// newInstanceKey is 260 bits of randomness in a form that secret scanners can
// be taught to find.
func newInstanceKey() string { return "ph_" + rand.Text() + rand.Text() }

func newPepper() string {
	pepper := make([]byte, app.PepperBytes)
	rand.Read(pepper) // never fails, by its documentation
	return hex.EncodeToString(pepper)
}

// openKeyFile reads a key, or makes one if there is no file.
func openKeyFile(path string, generate func() string) (key string, made bool, err error) {
	key, err = readKeyFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, false, err
	}
	key = strings.TrimSpace(generate())
	return key, true, writeKeyFile(path, key)
}

func readKeyFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by others (mode %04o), which a key must not: chmod 600 %s, and take a new key if it was seen", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFileBytes+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 || len(text) > maxKeyFileBytes {
		return "", fmt.Errorf("%s is damaged: want a key; bring it back from a backup", path)
	}
	return string(text), nil
}

// writeKeyFile writes a key that does not exist yet, whole or not at all, and
// durable when it returns: the file is written under another name, synced and
// linked. A file that came up meanwhile is an error and is left alone.
func writeKeyFile(path, key string) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(key + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
