package transform

import (
	"errors"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/parser"
)

const (
	functionName = "transform"
	sourceName   = "function" // of the user's text, among the sources that positions are in
)

// compile compiles a function's source. A source map that the source names is
// not looked for: that would read files.
func compile(source string) (*goja.Program, *Error) {
	tree, err := parser.ParseFile(nil, sourceName, source, 0, parser.WithDisableSourceMaps)
	if err != nil {
		return nil, syntaxError(err)
	}
	if !declares(tree) {
		return nil, fail(KindSyntax, "has no function %s(payload)", functionName)
	}
	program, err := goja.CompileAST(tree, false)
	if err != nil {
		return nil, syntaxError(err)
	}
	return program, nil
}

func syntaxError(err error) *Error {
	var list parser.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		return failAt(KindSyntax, list[0].Position, list[0].Message)
	}
	var bad *goja.CompilerSyntaxError
	if errors.As(err, &bad) && bad.File != nil {
		return failAt(KindSyntax, bad.File.Position(bad.Offset), bad.Message)
	}
	return fail(KindSyntax, "%s", err)
}

// failAt is fail with the place in front.
func failAt(kind Kind, at file.Position, message string) *Error {
	if at.Line == 0 {
		return fail(kind, "%s", message)
	}
	return fail(kind, "%d:%d: %s", at.Line, at.Column, message)
}

// declares reports whether the source declares transform or assigns to it, at its
// top level. What it is turns out when it runs.
func declares(tree *ast.Program) bool {
	for _, statement := range tree.Body {
		switch s := statement.(type) {
		case *ast.FunctionDeclaration:
			if s.Function.Name != nil && s.Function.Name.Name == functionName {
				return true
			}
		case *ast.VariableStatement:
			if binds(s.List) {
				return true
			}
		case *ast.LexicalDeclaration:
			if binds(s.List) {
				return true
			}
		case *ast.ExpressionStatement:
			if assigns(s.Expression) {
				return true
			}
		}
	}
	return false
}

func binds(list []*ast.Binding) bool {
	for _, b := range list {
		switch target := b.Target.(type) {
		case *ast.Identifier:
			if target.Name == functionName {
				return true
			}
		case ast.Pattern:
			return true // it may
		}
	}
	return false
}

func assigns(e ast.Expression) bool {
	assignment, ok := e.(*ast.AssignExpression)
	if !ok {
		return false
	}
	switch left := assignment.Left.(type) {
	case *ast.Identifier:
		return left.Name == functionName
	case *ast.DotExpression:
		return left.Identifier.Name == functionName // of globalThis, or so
	}
	return false
}

// Bounds of the programs that a child keeps compiled, by their sources.
const (
	maxCachedPrograms = 64
	maxCachedBytes    = 256 << 10
)

// programs are compiled programs by their source.
type programs struct {
	bySource map[string]*goja.Program
	bytes    int
}

// get compiles a source, if that was not done before. Programs that are in the
// way go, any of them.
func (p *programs) get(source string) (*goja.Program, *Error) {
	if program := p.bySource[source]; program != nil {
		return program, nil
	}
	program, err := compile(source)
	if err != nil {
		return nil, err
	}
	for other := range p.bySource {
		if len(p.bySource) < maxCachedPrograms && p.bytes+len(source) <= maxCachedBytes {
			break
		}
		delete(p.bySource, other)
		p.bytes -= len(other)
	}
	if p.bySource == nil {
		p.bySource = map[string]*goja.Program{}
	}
	p.bySource[source] = program
	p.bytes += len(source)
	return program, nil
}
