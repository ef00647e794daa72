package transform

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"runtime"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
)

// script is one call in its interpreter.
type script struct {
	vm  *goja.Runtime
	log logged
}

// newScript makes a fresh interpreter. Its clock stands still.
func newScript(now time.Time, seed uint64) *script {
	s := &script{vm: goja.New()}
	s.vm.SetParserOptions(parser.WithDisableSourceMaps)
	s.vm.SetMaxCallStackSize(MaxCallDepth)
	s.vm.SetTimeSource(func() time.Time { return now })
	s.vm.SetRandSource(rand.New(rand.NewPCG(seed, uint64(now.UnixNano()))).Float64)
	return s
}

// interrupt ends the call with an error of this kind at the next instruction of
// the script. It may be called from another goroutine.
func (s *script) interrupt(kind Kind) { s.vm.Interrupt(kind) }

// run calls the program's transform. It uses the interpreter's own JSON, whatever
// the program makes of the global one.
func (s *script) run(program *goja.Program, payload []byte, maxResult int) (result []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			result, err = nil, panicked(r)
		}
	}()
	json := s.vm.Get("JSON").ToObject(s.vm)
	parse, _ := goja.AssertFunction(json.Get("parse"))
	stringify, _ := goja.AssertFunction(json.Get("stringify"))
	if err := s.addConsole(); err != nil {
		return nil, s.failure(err)
	}
	argument, err := parse(json, s.vm.ToValue(string(payload)))
	if err != nil {
		return nil, fail(KindException, "the payload is not JSON")
	}
	returned, err := s.call(program, argument)
	if err != nil {
		return nil, s.failure(err)
	}
	return s.result(returned, json, stringify, maxResult)
}

var lookUp = goja.MustCompile("", `typeof `+functionName+` === "function" ? `+functionName+` : undefined`, false)

func (s *script) call(program *goja.Program, argument goja.Value) (goja.Value, error) {
	if _, err := s.vm.RunProgram(program); err != nil {
		return nil, err
	}
	value, err := s.vm.RunProgram(lookUp)
	if err != nil {
		return nil, err
	}
	function, ok := goja.AssertFunction(value)
	if !ok {
		return nil, fail(KindSyntax, "%s is not a function", functionName)
	}
	return function(goja.Undefined(), argument)
}

var promiseType = reflect.TypeFor[*goja.Promise]()

// result makes JSON of what the function returned.
func (s *script) result(returned goja.Value, json *goja.Object, stringify goja.Callable, maxBytes int) ([]byte, error) {
	if goja.IsUndefined(returned) || goja.IsNull(returned) {
		return nil, fail(KindResult, "%s returned %s: it has to return what is to be sent", functionName, returned)
	}
	if returned.ExportType() == promiseType {
		return nil, fail(KindResult, "%s returned a promise: it must not be async", functionName)
	}
	text, err := stringify(json, returned)
	var thrown *goja.Exception
	switch {
	case errors.As(err, &thrown):
		return nil, fail(KindResult, "what %s returned is not JSON: %s", functionName, s.text(thrown.Value()))
	case err != nil:
		return nil, s.failure(err)
	case goja.IsUndefined(text):
		return nil, fail(KindResult, "%s returned what has no JSON", functionName)
	}
	result := []byte(text.String())
	if len(result) > maxBytes {
		return nil, tooLarge(len(result), maxBytes)
	}
	return result, nil
}

func tooLarge(size, limit int) *Error {
	return fail(KindResult, "what %s returned has %d bytes as JSON, more than %d", functionName, size, limit)
}

// failure says what an error of the interpreter means.
func (s *script) failure(err error) *Error {
	var own *Error
	var thrown *goja.Exception
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &thrown):
		return s.exception(thrown)
	}
	return stopped(err)
}

// panicked is failure for what came as a panic. It runs no more of the script.
func panicked(recovered any) *Error {
	if err, ok := recovered.(error); ok {
		return stopped(err)
	}
	return fail(KindException, "the interpreter failed")
}

// stopped says why a script ended that did not end by itself.
func stopped(err error) *Error {
	var interrupted *goja.InterruptedError
	var overflow *goja.StackOverflowError
	var bug runtime.Error
	switch {
	case errors.As(err, &interrupted):
		kind, _ := interrupted.Value().(Kind)
		return interruption(kind)
	case errors.As(err, &overflow):
		return fail(KindException, "RangeError: more than %d calls within calls", MaxCallDepth)
	case errors.As(err, &bug):
		return fail(KindException, "the interpreter failed: %s", bug)
	}
	return fail(KindException, "the interpreter failed")
}

// interruption is the error of a call that was stopped.
func interruption(kind Kind) *Error {
	if kind == KindMemory {
		return fail(kind, "took more memory than it may")
	}
	return fail(kind, "took longer than it may")
}

func (s *script) exception(thrown *goja.Exception) *Error {
	message := s.text(thrown.Value())
	for _, frame := range thrown.Stack() {
		if frame.SrcName() == sourceName {
			return failAt(KindException, frame.Position(), message)
		}
	}
	return fail(KindException, "%s", message)
}

// text is what a thrown value says of itself, which runs the script's code.
func (s *script) text(v goja.Value) (text string) {
	if thrown := s.vm.Try(func() { text = v.String() }); thrown != nil {
		return "an exception that has no text"
	}
	return text
}
