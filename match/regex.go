package match

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
)

// Limits of regular expressions. RE2 takes time in proportion to the text and to
// the compiled expression, and a short expression can compile to a large one.
const (
	MaxRegexBytes = 1024
	MaxRegexSize  = 1000 // of one, in instructions
)

// regexBudget bounds the regular expressions of one list or filter together.
type regexBudget struct{ left int }

// compile compiles an expression, anchored at both ends or not. It returns its
// size in instructions, near enough, or says what is wrong with it.
func (b *regexBudget) compile(expr string, whole bool) (re *regexp.Regexp, size int, reason string) {
	if expr == "" {
		return nil, 0, "has an empty regular expression"
	}
	if len(expr) > MaxRegexBytes {
		return nil, 0, fmt.Sprintf("has a regular expression of %d bytes, more than %d", len(expr), MaxRegexBytes)
	}
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, 0, "is not a regular expression in RE2's syntax: " + syntaxReason(err)
	}
	if size = programSize(tree); size > MaxRegexSize {
		return nil, 0, fmt.Sprintf("has a regular expression that compiles to more than %d instructions: use smaller counts in {}", MaxRegexSize)
	}
	if b.left -= size; b.left < 0 {
		return nil, 0, "has one regular expression too many: together they compile to too many instructions"
	}
	if whole {
		expr = `\A(?:` + expr + `)\z`
	}
	if re, err = regexp.Compile(expr); err != nil {
		return nil, 0, "is not a regular expression in RE2's syntax: " + syntaxReason(err)
	}
	return re, size, ""
}

func syntaxReason(err error) string {
	var bad *syntax.Error
	if errors.As(err, &bad) {
		return bad.Code.String() + " at " + bad.Expr
	}
	return err.Error()
}

// programSize is about how many instructions an expression compiles to, told
// without compiling it.
func programSize(re *syntax.Regexp) int {
	size := 0
	for _, sub := range re.Sub {
		size = min(size+programSize(sub), math.MaxInt32)
	}
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass:
		return 1 + len(re.Rune)/16 // a large class costs memory, not time
	case syntax.OpRepeat:
		return min(size*max(re.Min, re.Max)+1, math.MaxInt32)
	}
	return size + 1
}
