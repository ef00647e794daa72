package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"posthaste/client"
)

// remote is the flags of every command that asks a server.
type remote struct {
	Server  string        `env:"POSTHASTE_SERVER" default:"http://127.0.0.1:5005" placeholder:"URL" group:"remote" help:"Where the server's API is (${default})."`
	Key     string        `env:"POSTHASTE_KEY" placeholder:"KEY" group:"remote" help:"API key of a project, or the instance's. A command line can be read by others on the machine: the variable or --key-file is better."`
	KeyFile string        `name:"key-file" placeholder:"FILE" group:"remote" help:"File with the key, such as data/instance.key."`
	Project string        `env:"POSTHASTE_PROJECT" placeholder:"ID" group:"remote" help:"The project, by its id or name. Without it: the only one there is."`
	JSON    bool          `name:"json" group:"remote" help:"Print the API's data as it is."`
	UTC     bool          `name:"utc" group:"remote" help:"Times in UTC."`
	Timeout time.Duration `default:"30s" placeholder:"TIME" group:"remote" help:"Time for one request (${default})."`
}

// remoteFlags are the flags of remote that may also stand in front of the command, and
// whether they take a value.
var remoteFlags = map[string]bool{
	"--server": true, "--key": true, "--key-file": true, "--project": true, "--timeout": true, "--json": false, "--utc": false,
}

// ProvideSession connects a command's flags to a server. The parser calls it for
// commands that ask for a session.
func (r *remote) ProvideSession(run *invocation, ctx *kong.Context) (*session, error) {
	if r.Timeout <= 0 {
		return nil, usageError{errors.New("--timeout must be more than 0")}
	}
	key, err := r.key(ctx)
	if err != nil {
		return nil, err
	}
	v, _ := buildVersion()
	c, err := client.New(client.Options{BaseURL: r.Server, Key: key, Timeout: r.Timeout, UserAgent: "posthaste/" + v})
	if err != nil {
		return nil, usageError{fmt.Errorf("--server, --key: %w", err)}
	}
	run.ends = append(run.ends, c.Close)
	s := &session{invocation: run, remote: r, client: c, location: run.location, ctx: run.context()}
	if r.UTC {
		s.location = time.UTC
	}
	return s, nil
}

// key is the key to use: a file that is named on the command line counts for more than
// the variable.
func (r *remote) key(ctx *kong.Context) (string, error) {
	if r.KeyFile == "" {
		return r.Key, nil
	}
	if onCommandLine(ctx, "key") {
		return "", usageError{errors.New("give either --key or --key-file")}
	}
	f, err := os.Open(r.KeyFile)
	if err != nil {
		return "", usageError{fmt.Errorf("--key-file: %w", err)}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFileBytes))
	if err != nil {
		return "", usageError{fmt.Errorf("--key-file: %w", err)}
	}
	key := strings.TrimSpace(string(text))
	if key == "" {
		return "", usageError{fmt.Errorf("--key-file: %s is empty", r.KeyFile)}
	}
	return key, nil
}

// onCommandLine reports whether a flag was given there, not by a variable.
func onCommandLine(ctx *kong.Context, name string) bool {
	for _, p := range ctx.Path {
		if p.Flag != nil && p.Flag.Name == name && !p.Resolved {
			return true
		}
	}
	return false
}

// afterCommand moves flags of remote that stand in front of the command behind it, where
// the parser knows them.
func afterCommand(args []string) []string {
	at := 0
	for at < len(args) && strings.HasPrefix(args[at], "-") {
		name, _, joined := strings.Cut(args[at], "=")
		takes, known := remoteFlags[name]
		if !known {
			return args
		}
		if at++; takes && !joined {
			at++
		}
	}
	if at == 0 || at >= len(args) {
		return args
	}
	moved := append([]string{args[at]}, args[:at]...)
	return append(moved, args[at+1:]...)
}
