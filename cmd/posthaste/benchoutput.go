package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	benchreport "posthaste/bench/report"
)

// benchFiles are what a report is written to beside the terminal.
type benchFiles struct {
	Out  string `group:"report" placeholder:"FILE" help:"Write the report as JSON to this file; bench-report reads it."`
	HTML string `name:"html" group:"report" placeholder:"FILE" help:"Write the report as one HTML page to this file."`
}

// check finds out before the work whether the files can be written.
func (f benchFiles) check() error {
	for flag, path := range map[string]string{"out": f.Out, "html": f.HTML} {
		if path == "" {
			continue
		}
		if dir, err := os.Stat(filepath.Dir(path)); err != nil || !dir.IsDir() {
			return usageError{fmt.Errorf("--%s %s: there is no directory %s", flag, path, filepath.Dir(path))}
		}
	}
	return nil
}

func (f benchFiles) write(r *benchreport.Report) error {
	return errors.Join(saveFile(f.Out, r.WriteJSON), saveFile(f.HTML, r.WriteHTML))
}

// saveFile writes a file anew; no path is none.
func saveFile(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// benchVersion is the version and, as far as it is known, the revision.
func benchVersion() string {
	v, revision := buildVersion()
	if revision == "unknown" {
		return v
	}
	return v + " (" + revision[:min(len(revision), 12)] + ")"
}

// benchCommand is the command line as it may be shown: the key, headers and a
// password in a URL are left out, and words that a shell would split are quoted.
func benchCommand(args []string) string {
	words := []string{"posthaste"}
	masked := false
	for _, arg := range args {
		name, value, joined := strings.Cut(arg, "=")
		switch {
		case masked:
			arg, masked = maskedKey, false
		case joined && slices.Contains(secretFlags, name):
			arg = name + "=" + maskedKey
		case slices.Contains(secretFlags, arg):
			masked = true
		case joined && strings.HasPrefix(name, "--"):
			arg = name + "=" + withoutPassword(value)
		default:
			arg = withoutPassword(arg)
		}
		words = append(words, shellWord(arg))
	}
	return strings.Join(words, " ")
}

const maskedKey = "***"

// secretFlags have values that are shown to nobody.
var secretFlags = []string{"--key", "--header"}

func withoutPassword(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return text
	}
	return u.Redacted()
}

// shellWord quotes what is not plainly one word.
func shellWord(word string) string {
	plain := word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-=+:,./@%*") == ""
	if plain {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
