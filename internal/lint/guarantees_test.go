package lint

import (
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"
)

// guaranteeWord is a package in backquotes, or a test.
var guaranteeWord = regexp.MustCompile("`([\\w/]+)`|(Test\\w+)")

// TestGuaranteesAreHeld: each test that docs/guarantees.md names is in the package that it
// names before it.
func TestGuaranteesAreHeld(t *testing.T) {
	text, err := os.ReadFile("../../docs/guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	have := make(map[string]bool) // by package and function
	for _, f := range loadTree(t) {
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.test && fn.Recv == nil {
				have[f.pkg+" "+fn.Name.Name] = true
			}
		}
	}
	named := 0
	for line := range strings.Lines(string(text)) {
		pkg := ""
		for _, word := range guaranteeWord.FindAllStringSubmatch(line, -1) {
			switch {
			case word[1] != "":
				pkg = word[1]
			case pkg == "" || !strings.HasPrefix(line, "|"):
			case pkg == "browsertest": // a module of its own
			case !have[pkg+" "+word[2]]:
				t.Errorf("%s has no %s", pkg, word[2])
			default:
				named++
			}
		}
	}
	if named < 50 {
		t.Errorf("%d tests are named; is the table another one now?", named)
	}
}
