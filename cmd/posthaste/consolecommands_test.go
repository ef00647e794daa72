package main

import (
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var (
	shownCommand = regexp.MustCompile(`(?:<span class="l">|<code>)(posthaste [^<]*)`)
	templateCode = regexp.MustCompile(`\{\{[^}]*\}\}`)
	quotedText   = regexp.MustCompile(`'[^']*'`)
	longFlag     = regexp.MustCompile(`--[a-z][a-z-]*`)
)

// TestCommandsOnPagesExist: what the console's pages tell people to copy is a command, with
// flags that it has.
func TestCommandsOnPagesExist(t *testing.T) {
	cleanEnvironment(t)
	pages, err := filepath.Glob("../../console/templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	parser, err := newParser(&cli{}, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shownCommand.FindAllStringSubmatch(string(text), -1) {
			line := templateCode.ReplaceAllString(html.UnescapeString(m[1]), " ")
			checkShownCommand(t, parser, filepath.Base(page), quotedText.ReplaceAllString(line, "x"))
			seen++
		}
	}
	if seen < 10 {
		t.Errorf("only %d commands were found on %d pages", seen, len(pages))
	}
}

// checkShownCommand follows a line's words down the commands as far as they go.
func checkShownCommand(t *testing.T, parser *kong.Kong, page, line string) {
	node, words := parser.Model.Node, strings.Fields(line)[1:]
	for len(words) > 0 && len(node.Children) > 0 {
		at := slices.IndexFunc(node.Children, func(n *kong.Node) bool { return n.Name == words[0] })
		if at < 0 {
			break
		}
		node, words = node.Children[at], words[1:]
	}
	if node.Type != kong.CommandNode || len(node.Children) > 0 {
		t.Errorf("%s: %q is no command", page, line)
		return
	}
	known := map[string]bool{}
	for _, group := range node.AllFlags(false) {
		for _, flag := range group {
			known["--"+flag.Name] = true
		}
	}
	for _, flag := range longFlag.FindAllString(line, -1) {
		if !known[flag] {
			t.Errorf("%s: %q has no flag %s", page, node.Path(), flag)
		}
	}
}
