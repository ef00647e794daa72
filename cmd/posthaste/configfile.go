package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// configFile is a configuration file: a YAML mapping of settings to values. It
// resolves the flags that nothing of higher precedence sets.
type configFile struct {
	path    string
	entries map[string]configEntry
}

// configEntry is one setting of a file, as a flag would be given.
type configEntry struct {
	value string
	line  int
}

// readConfigFile reads a file whose keys must all be among known.
func readConfigFile(path string, known []string) (*configFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	entries, err := parseConfig(text, known)
	if err != nil {
		return nil, fmt.Errorf("--config: %s%w", path, err)
	}
	return &configFile{path: path, entries: entries}, nil
}

// parseConfig reads a file's text. Its errors begin with the line, as
// ":3: what is wrong".
func parseConfig(text []byte, known []string) (map[string]configEntry, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, fmt.Errorf(": %w", err)
	}
	pairs, err := configPairs(file)
	if err != nil {
		return nil, err
	}
	entries := make(map[string]configEntry, len(pairs))
	for _, p := range pairs {
		token := p.Key.GetToken()
		key, line := token.Value, token.Position.Line
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf(":%d: unknown key %q, did you mean %q?", line, key, nearest(key, known))
		}
		value, err := configValue(p.Value)
		if err != nil {
			return nil, fmt.Errorf(":%d: %s %w", line, key, err)
		}
		entries[key] = configEntry{value: value, line: line}
	}
	return entries, nil
}

// configPairs are the keys and values of a file's only document; none if the
// file is empty or all comment.
func configPairs(file *ast.File) ([]*ast.MappingValueNode, error) {
	var pairs []*ast.MappingValueNode
	for i, doc := range file.Docs {
		if i > 0 {
			return nil, fmt.Errorf(":%d: a second document begins, want one", doc.GetToken().Position.Line)
		}
		switch body := doc.Body.(type) {
		case nil, *ast.CommentGroupNode, *ast.NullNode:
		case *ast.MappingNode:
			pairs = body.Values
		case *ast.MappingValueNode:
			pairs = []*ast.MappingValueNode{body}
		default:
			return nil, fmt.Errorf(":%d: want lines of setting: value", body.GetToken().Position.Line)
		}
	}
	return pairs, nil
}

var errConfigValue = errors.New("must be one value or a list of values")

// configValue is a YAML value as a flag would be given: a list is joined by
// commas.
func configValue(node ast.Node) (string, error) {
	switch n := node.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	case *ast.SequenceNode:
		items := make([]string, len(n.Values))
		for i, item := range n.Values {
			value, err := configValue(item)
			if _, nested := item.(*ast.SequenceNode); err != nil || nested {
				return "", errConfigValue
			}
			items[i] = value
		}
		return strings.Join(items, ","), nil
	default:
		return "", errConfigValue
	}
}

// Validate has nothing to do: keys were checked when the file was read.
func (c *configFile) Validate(*kong.Application) error { return nil }

// Resolve gives the file's value of a setting that is neither a flag of the
// command line, which the parser sees to, nor a variable of the environment.
func (c *configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	entry, ok := c.entries[flag.Name]
	if _, set := environmentSet(flag); set || !ok {
		return nil, nil
	}
	if err := c.check(flag, entry); err != nil {
		return nil, fmt.Errorf("%w (%s:%d)", err, c.path, entry.line)
	}
	return entry.value, nil
}

// check reads a value on trial, so that the error can name the line.
func (c *configFile) check(flag *kong.Flag, entry configEntry) error {
	scan := kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: entry.value})
	trial := reflect.New(flag.Target.Type()).Elem()
	return flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, trial)
}
