package api

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxShellArgument is how long an argument of a program may be. The kernel's bound is
// 128 KiB in Linux; printf is no program but a part of the shell.
const maxShellArgument = 100 << 10

// command is the request as a command for a POSIX shell. What curl would send on its
// own account is turned off.
func (b *curlBuilder) command() string {
	var text strings.Builder
	asText := isShellText(b.body)
	direct := asText && len(b.body) <= maxShellArgument
	switch {
	case direct:
	case asText:
		text.WriteString("printf '%s' " + quoteShell(string(b.body)) + " | ")
	default:
		text.WriteString("printf '" + octal(b.body) + "' | ")
	}
	text.WriteString("curl --globoff --request POST " + quoteShell(b.url))
	for _, h := range b.headers {
		text.WriteString(" \\\n  --header " + quoteShell(headerArgument(h)))
	}
	for _, name := range []string{"Accept", "User-Agent", "Expect"} {
		if !slices.ContainsFunc(b.headers, func(h curlHeader) bool { return strings.EqualFold(h.name, name) }) {
			text.WriteString(" \\\n  --header " + quoteShell(name+":"))
		}
	}
	body := "@-"
	if direct {
		body = string(b.body)
	}
	text.WriteString(" \\\n  --data-binary " + quoteShell(body))
	return text.String()
}

// headerArgument is a header as curl takes it: one without a value ends with a
// semicolon, for with a colon it would be left out.
func headerArgument(h curlHeader) string {
	if h.value == "" {
		return h.name + ";"
	}
	return h.name + ": " + h.value
}

// quoteShell quotes a text for a POSIX shell. Within single quotes all stands for
// itself but the quote.
func quoteShell(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// isShellText reports whether a body can be an argument: a text, without the @ that
// makes curl read a file.
func isShellText(body []byte) bool {
	if len(body) > 0 && body[0] == '@' || !utf8.Valid(body) {
		return false
	}
	return !slices.ContainsFunc(body, func(c byte) bool { return c < ' ' && c != '\t' && c != '\n' })
}

// octal is bytes as the format of printf.
func octal(body []byte) string {
	var text strings.Builder
	for _, c := range body {
		fmt.Fprintf(&text, `\%03o`, c)
	}
	return text.String()
}
