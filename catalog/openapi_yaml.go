package catalog

import (
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"posthaste/event"
)

// Bounds of a document in YAML. The parser calls itself for each level, and compares
// each key of a mapping with all others: ten thousand keys take it half a second,
// forty thousand take ten. JSON has none of these bounds.
const (
	maxYAMLBytes  = 1 << 20
	maxYAMLTokens = 100_000
	maxYAMLKeys   = 10_000
	maxYAMLDepth  = 100 // of [ and {, and of what follows each other on a line, as in "- - -"
)

// readYAML reads a document. Anchors and aliases are refused: an alias can stand for
// any amount of text.
func readYAML(text string) (root any, err error) {
	if len(text) > maxYAMLBytes {
		return nil, event.Invalid("spec", "has %d bytes of YAML; at most %d are allowed, JSON may be longer", len(text), maxYAMLBytes)
	}
	// What the library does with a text that it does not expect is not ours to know.
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, event.Invalid("spec", "is YAML that cannot be read; give it as JSON")
		}
	}()
	tokens := lexer.Tokenize(text)
	if err := checkYAML(tokens); err != nil {
		return nil, event.Invalid("spec", "%s", err)
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, notYAML(err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, event.Invalid("spec", "has %d YAML documents; give one", len(file.Docs))
	}
	if err := yaml.NodeToValue(file.Docs[0].Body, &root); err != nil {
		return nil, notYAML(err)
	}
	return root, nil
}

func notYAML(err error) error {
	return event.Invalid("spec", "is neither a JSON object nor YAML: %s", yaml.FormatError(err, false, false))
}

// checkYAML bounds what parsing costs.
func checkYAML(tokens token.Tokens) error {
	if len(tokens) > maxYAMLTokens {
		return fmt.Errorf("has more than %d parts; give a document of this size as JSON", maxYAMLTokens)
	}
	keys, depth, row, line := 0, 0, 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return fmt.Errorf("has an anchor or an alias in line %d, which are not supported; give it as JSON", t.Position.Line)
		case token.MappingValueType:
			keys++
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		switch t.Type {
		case token.SequenceEntryType, token.MappingKeyType, token.TagType:
			if row++; t.Position.Line != line {
				row, line = 1, t.Position.Line
			}
		default:
			row = 0
		}
		if max(depth, row) > maxYAMLDepth {
			return fmt.Errorf("is nested more than %d deep in line %d", maxYAMLDepth, t.Position.Line)
		}
	}
	if keys > maxYAMLKeys {
		return fmt.Errorf("has %d keys; more than %d are read as JSON only", keys, maxYAMLKeys)
	}
	return nil
}
