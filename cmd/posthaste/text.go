package main

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// joined is a list as it is shown.
func joined(list []string) string { return strings.Join(list, ", ") }

// sentence is a message of the API's as a sentence.
func sentence(message string) string {
	message = clean(message)
	first, size := utf8.DecodeRuneInString(message)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(message[size:], ".") + "."
}

// hostOf is the host of a URL, or the text itself if it is none.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return text
	}
	return u.Host
}

// sentenceStart is a word as the first of a sentence.
func sentenceStart(word string) string { return strings.ToUpper(word[:1]) + word[1:] }
