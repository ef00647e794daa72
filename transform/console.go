package transform

import "github.com/dop251/goja"

// logged are the lines of console.log.
type logged struct {
	lines []string
	bytes int
	full  bool
}

func (l *logged) add(line string) {
	if l.full {
		return
	}
	if len(l.lines) == MaxLogLines || l.bytes+len(line) > MaxLogBytes {
		l.full = true
		line = "... (the log ends here: it is too long)"
	}
	l.lines = append(l.lines, line)
	l.bytes += len(line)
}

// The lines are put together in the script's own world, so that what a value
// says of itself can throw, and be interrupted, as any other code.
var makeConsole = goja.MustCompile("console", `(function (emit, stringify) {
	"use strict";
	var text = String;
	function show(value) {
		if (typeof value === "object" && value !== null && !(value instanceof Error)) {
			try {
				return stringify(value);
			} catch (e) {}
		}
		return text(value);
	}
	function log() {
		var line = "";
		for (var i = 0; i < arguments.length; i++) {
			line += (i > 0 ? " " : "") + show(arguments[i]);
		}
		emit(line);
	}
	return {log: log, info: log, warn: log, error: log, debug: log};
})`, true)

// addConsole gives the script a console.
func (s *script) addConsole() error {
	value, err := s.vm.RunProgram(makeConsole)
	if err != nil {
		return err
	}
	build, _ := goja.AssertFunction(value)
	emit := func(call goja.FunctionCall) goja.Value {
		s.log.add(call.Argument(0).String())
		return goja.Undefined()
	}
	console, err := build(goja.Undefined(), s.vm.ToValue(emit), s.vm.Get("JSON").ToObject(s.vm).Get("stringify"))
	if err != nil {
		return err
	}
	return s.vm.Set("console", console)
}
