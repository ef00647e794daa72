package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// module is the path that our own imports begin with.
const module = "posthaste"

// sourceFile is one Go file of the module, parsed with its comments.
type sourceFile struct {
	path   string // from the module's root, with slashes
	pkg    string // its directory from the root: "wal", "internal/app"
	test   bool
	lines  int
	syntax *ast.File
	fset   *token.FileSet
}

// loadTree parses every Go file of the module, whatever its build tags.
func loadTree(t *testing.T) []*sourceFile {
	t.Helper()
	const root = "../.."
	var files []*sourceFile
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(p, d.Name(), root)
		}
		if filepath.Ext(p) != ".go" {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		f, err := parseSource(filepath.ToSlash(rel), string(text))
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go files found")
	}
	return files
}

// skipDir leaves out what the go command leaves out too.
func skipDir(path, name, root string) error {
	if path == root {
		return nil
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
		return filepath.SkipDir // a module of its own
	}
	if name == "testdata" || name == "vendor" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return filepath.SkipDir
	}
	return nil
}

func parseSource(name, text string) (*sourceFile, error) {
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &sourceFile{
		path: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
		lines: strings.Count(text, "\n"), syntax: syntax, fset: fset,
	}, nil
}

// imports are the paths that the file imports.
func (f *sourceFile) imports() []string {
	var paths []string
	for _, spec := range f.syntax.Imports {
		paths = append(paths, importPath(spec))
	}
	return paths
}

func importPath(spec *ast.ImportSpec) string {
	p, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
	return p
}

// localName is the name under which the file uses a package of the standard
// library; "" if it does not import it.
func (f *sourceFile) localName(pkg string) string {
	for _, spec := range f.syntax.Imports {
		if importPath(spec) != pkg {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(pkg)
	}
	return ""
}

// uses visits every place where the file names something of a package of the
// standard library, as in os.Exit.
func (f *sourceFile) uses(pkg string, visit func(name, at string)) {
	local := f.localName(pkg)
	if local == "" {
		return
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if id, ok := sel.X.(*ast.Ident); ok && id.Name == local {
			visit(sel.Sel.Name, f.fset.Position(sel.Pos()).String())
		}
		return true
	})
}
