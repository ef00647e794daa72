package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"

	"posthaste/internal/app"
)

// secretsCmd is about the keys under which the store keeps secrets.
type secretsCmd struct {
	Rotate secretsRotateCmd `cmd:"" help:"Put a new key in front of secrets.key. Reseal, or the next start, writes every secret anew under it."`
	Reseal secretsResealCmd `cmd:"" help:"Have a running server read secrets.key again and write every secret anew under its first key." example:"posthaste secrets reseal --key-file data/instance.key"`
}

// secretsRotateCmd makes a new key. The old ones stay in the file: a server that
// runs, and a backup of the store, still need them.
type secretsRotateCmd struct {
	Data string `env:"POSTHASTE_DATA" default:"./data" placeholder:"DIR" help:"Directory of the store and its keys (${default})."`
}

// Run replaces the file as a whole or not at all.
func (c *secretsRotateCmd) Run(ctx *kong.Context) error {
	path := filepath.Join(c.Data, secretKeysFile)
	old, err := readKeyFile(path)
	if err != nil {
		return err
	}
	text, err := app.RotateSecretKeys([]byte(old))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := replaceFile(path, text); err != nil {
		return err
	}
	fmt.Fprintf(ctx.Stdout, "%s has a new key in front. A server that runs takes it with posthaste secrets reseal, or a SIGHUP, and any other when it starts. Keep the old keys until it says that they may go, and for as long as there are backups.\n", path)
	return nil
}

// replaceFile writes a file anew, durable when it returns.
func replaceFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
