package match

import (
	"regexp/syntax"
	"testing"
)

// TestProgramSize: the estimate that keeps large expressions from being compiled
// is not far below the truth.
func TestProgramSize(t *testing.T) {
	for _, expr := range []string{
		`a`, `abc`, `(?i)abc`, `a|b|cd`, `[a-z0-9._%+-]+@example\.com$`, `^\d{3}-\d{2,5}$`, `(a?){20}a{20}`, `(a|b){2,}`, `\pL+`, `(?:(?:x{2}){3}){4}`, `a{0}`, `.*?x`, `(a*)*`,
	} {
		tree, err := syntax.Parse(expr, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		estimate := programSize(tree)
		program, err := syntax.Compile(tree.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		if actual := len(program.Inst); actual > 2*estimate+4 || estimate > 2*actual+100 {
			t.Errorf("%s: estimated %d instructions, has %d", expr, estimate, actual)
		}
	}
}
