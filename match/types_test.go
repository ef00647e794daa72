package match

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"posthaste/event"
)

func TestTypes(t *testing.T) {
	for _, tc := range []struct {
		patterns, match, refuse []string
	}{
		{[]string{"*"}, []string{"", "a", "a.b"}, nil},
		{[]string{"a", "*"}, []string{"b"}, nil},
		{nil, nil, []string{"", "a"}},
		{[]string{"b", "a", "b"}, []string{"a", "b"}, []string{"", "A", "ab", "c"}},
		{[]string{"Invoice.Paid"}, []string{"Invoice.Paid"}, []string{"invoice.paid"}},
		{[]string{"invoice.*"}, []string{"invoice.", "invoice.paid", "invoice.a.b"}, []string{"invoice", "an.invoice.paid", "Invoice.paid"}},
		{[]string{"*.paid"}, []string{".paid", "a.paid", "a.b.paid"}, []string{"paid", "a.paid.", "a.paid.b"}},
		{[]string{"a*b*c"}, []string{"abc", "abbc", "abcbc", "a.b.c"}, []string{"ab", "acb", "abcd"}},
		{[]string{"**a**"}, []string{"a", "bab"}, []string{"", "b"}},
		{[]string{"a?c"}, []string{"abc", "aéc", "a.c", "a\xffc"}, []string{"ac", "abbc"}},
		{[]string{"é*é"}, []string{"éé", "éxé"}, []string{"é"}},
		{[]string{"v[0-9]"}, []string{"v0", "v9"}, []string{"v", "va", "v10"}},
		{[]string{"v[!0-9]", "w[^ab]"}, []string{"va", "vé", "wc"}, []string{"v0", "wa", "wb"}},
		{[]string{"[]-]", "[[*?]x"}, []string{"]", "-", "[x", "*x", "?x"}, []string{"", "x", "ax"}},
		{[]string{"[é-ü]"}, []string{"é", "ê", "ü"}, []string{"e", "z"}},
		{[]string{"regex:v[0-9]+|w"}, []string{"v1", "v10", "w"}, []string{"v", "xv1", "v1x", "wx", "v1w"}},
		{[]string{"regex:(?i)a.b"}, []string{"a.b", "AxB"}, []string{"a\nb", "ab"}},
		{[]string{"regex:^a$"}, []string{"a"}, []string{"a\n"}},
		{[]string{"exact", "g*b", "regex:r+"}, []string{"exact", "glob", "rrr"}, []string{"exac", "lob", ""}},
	} {
		types, err := CompileTypes(tc.patterns)
		if err != nil {
			t.Errorf("%q: %v", tc.patterns, err)
			continue
		}
		for _, text := range tc.match {
			if !types.Match(text) {
				t.Errorf("%q does not match %q", tc.patterns, text)
			}
		}
		for _, text := range tc.refuse {
			if types.Match(text) {
				t.Errorf("%q matches %q", tc.patterns, text)
			}
		}
	}
}

func TestTypesRefused(t *testing.T) {
	tooMany := make([]string, MaxTypes+1)
	regexes := make([]string, MaxTypes)
	for i := range tooMany {
		tooMany[i] = "a"
	}
	for i := range regexes {
		regexes[i] = "regex:a{20}"
	}
	for _, tc := range []struct {
		patterns      []string
		field, reason string
	}{
		{tooMany, "", "1001 entries, more than 1000"},
		{[]string{"a", ""}, "[1]", "is empty"},
		{[]string{strings.Repeat("a", event.MaxNameBytes+1)}, "[0]", "257 bytes, more than 256"},
		{[]string{"a[b"}, "[0]", "[ without its ]"},
		{[]string{"a*["}, "[0]", "[ without its ]"},
		{[]string{"[]"}, "[0]", "[ without its ]"},
		{[]string{"*", "[!]"}, "[1]", "[ without its ]"},
		{[]string{"regex:"}, "[0]", "empty regular expression"},
		{[]string{"regex:a("}, "[0]", "missing closing )"},
		{[]string{"regex:(?=a)"}, "[0]", "invalid or unsupported Perl syntax"},
		{[]string{"regex:" + strings.Repeat("a", MaxRegexBytes+1)}, "[0]", "1025 bytes, more than 1024"},
		{[]string{"regex:(a{99}b){10}"}, "[0]", "more than 1000 instructions"},
		{[]string{"regex:((((a{50}){50}){50}){50}){50}"}, "[0]", "invalid repeat count"},
		{regexes, "[476]", "one regular expression too many"},
	} {
		_, err := CompileTypes(tc.patterns)
		wantInvalid(t, fmt.Sprintf("%d: %.60s", len(tc.patterns), tc.patterns[len(tc.patterns)-1]), err, tc.field, tc.reason)
	}
}

// wantInvalid checks an event.InvalidError.
func wantInvalid(t *testing.T, what string, err error, field, reason string) {
	t.Helper()
	var invalid *event.InvalidError
	if !errors.As(err, &invalid) || invalid.Field != field || !strings.Contains(invalid.Reason, reason) {
		t.Errorf("%s: got %v, want %s: ...%s...", what, err, field, reason)
	}
}

func TestAllTypesAreOne(t *testing.T) {
	a, _ := CompileTypes([]string{"*"})
	b, _ := CompileTypes([]string{"x", "*", "y*"})
	if a != b {
		t.Error("two lists of all types take memory of their own")
	}
}

func TestManyTypes(t *testing.T) {
	patterns := make([]string, MaxTypes)
	for i := range patterns {
		patterns[i] = fmt.Sprintf("type.%d", i*7919%MaxTypes)
	}
	types, err := CompileTypes(patterns)
	if err != nil {
		t.Fatal(err)
	}
	for i := range MaxTypes {
		if !types.Match(fmt.Sprintf("type.%d", i)) {
			t.Errorf("type.%d does not match", i)
		}
	}
	if types.Match("type.1000") || types.Match("type") {
		t.Error("matches what is not in the list")
	}
}
