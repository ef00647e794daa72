package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

// candidate is a word that may come next, and what it means.
type candidate struct{ word, help string }

// complete lists what the last of words may become. The others stand in front of it, the
// program's name left out.
func complete(root *kong.Node, words []string) []candidate {
	words = joinEquals(words)
	if len(words) == 0 {
		words = []string{""}
	}
	last := len(words) - 1
	node, pending := walkTo(root, words[:last])
	word := words[last]
	name, value, assigned := strings.Cut(word, "=")
	switch {
	case pending != nil:
		return matching(valuesOf(pending.Value, listed(pending.Value, word)), word)
	case assigned && strings.HasPrefix(name, "--"):
		if f := findFlag(node, name); f != nil {
			prefix := name + "="
			if value == bashMark || strings.HasSuffix(value, bashMark) {
				prefix, value = "", strings.TrimSuffix(value, bashMark)
			}
			return matching(valuesOf(f.Value, prefix+listed(f.Value, value)), prefix+value)
		}
		return nil
	case strings.HasPrefix(word, "-"):
		return matching(flagsOf(node), word)
	}
	return matching(append(commandsOf(node), argumentsOf(node)...), word)
}

// bashMark ends a word that bash had split at its equals sign: what is completed there
// is the value alone.
const bashMark = "\x00"

// joinEquals puts together what bash takes for three words: --status = Fail.
func joinEquals(words []string) []string {
	var out []string
	for i, w := range words {
		split := len(out) > 0 && strings.HasPrefix(out[len(out)-1], "--") && !strings.Contains(out[len(out)-1], "=")
		after := len(out) > 0 && strings.HasSuffix(out[len(out)-1], "="+bashMark)
		switch {
		case w == "=" && i > 0 && split:
			out[len(out)-1] += "=" + bashMark
		case after:
			out[len(out)-1] = strings.TrimSuffix(out[len(out)-1], bashMark) + w + bashMark
		default:
			out = append(out, w)
		}
	}
	return out
}

// walkTo follows words to the command that they name. pending is a flag whose value comes
// next; nil if none does.
func walkTo(node *kong.Node, words []string) (at *kong.Node, pending *kong.Flag) {
	for _, w := range words {
		switch {
		case pending != nil:
			pending = nil
		case strings.HasPrefix(w, "-"):
			if f := findFlag(node, w); f != nil && !f.IsBool() && !f.IsCounter() {
				pending = f
			} else if f == nil && node.Parent == nil && remoteFlags[w] {
				pending = &kong.Flag{Value: &kong.Value{}}
			}
		default:
			for _, child := range node.Children {
				if child.Name == w {
					node = child
					break
				}
			}
		}
	}
	return node, pending
}

// findFlag is the flag that a word names, without a value.
func findFlag(node *kong.Node, word string) *kong.Flag {
	for _, group := range node.AllFlags(false) {
		for _, f := range group {
			if "--"+f.Name == word || f.Short != 0 && "-"+string(f.Short) == word {
				return f
			}
		}
	}
	return nil
}

func flagsOf(node *kong.Node) []candidate {
	var found []candidate
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			found = append(found, candidate{"--" + f.Name, firstSentence(f.Help)})
		}
	}
	return found
}

func commandsOf(node *kong.Node) []candidate {
	var found []candidate
	for _, child := range node.Children {
		if !child.Hidden {
			found = append(found, candidate{child.Name, firstSentence(child.Help)})
		}
	}
	return found
}

func argumentsOf(node *kong.Node) []candidate {
	var found []candidate
	for _, arg := range node.Positional {
		found = append(found, valuesOf(arg, "")...)
	}
	return found
}

// valuesOf are the values that a flag or an argument may have, where they are few.
func valuesOf(v *kong.Value, prefix string) []candidate {
	var found []candidate
	if v.Enum == "" {
		return nil
	}
	for _, value := range v.EnumSlice() {
		if value != "" {
			found = append(found, candidate{prefix + value, ""})
		}
	}
	return found
}

// listed is what of word stands before the last item of a list.
func listed(v *kong.Value, word string) string {
	if v.Enum == "" || !v.IsSlice() {
		return ""
	}
	return word[:strings.LastIndexByte(word, ',')+1]
}

func matching(all []candidate, prefix string) []candidate {
	var found []candidate
	for _, c := range all {
		if strings.HasPrefix(c.word, prefix) {
			found = append(found, c)
		}
	}
	return found
}

// firstSentence is the beginning of a help text, on one line.
func firstSentence(help string) string {
	first, _, _ := strings.Cut(help, ". ")
	return strings.TrimSuffix(strings.Join(strings.Fields(first), " "), ".")
}
