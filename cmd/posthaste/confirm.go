package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
)

var errDeclined = errors.New("nothing was done")

// yesFlag is the flag of every command that destroys or repeats something.
type yesFlag struct {
	Yes bool `short:"y" help:"Do not ask."`
}

// confirm asks a question that must be answered with yes. Where nobody can be asked,
// --yes must have been given.
func (s *session) confirm(yes bool, format string, args ...any) error {
	if yes {
		return nil
	}
	question := fmt.Sprintf(format, args...)
	if !s.interactive {
		return usageError{fmt.Errorf("%s Nobody can be asked here: give --yes", question)}
	}
	fmt.Fprintf(s.stderr, "%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() { // nothing ends a read of a terminal: an interrupted one ends with the process
		line, _ := bufio.NewReader(s.stdin).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case line := <-answer:
		if line == "y" || line == "yes" {
			return nil
		}
		return errDeclined
	case <-s.ctx.Done():
		return errInterrupted
	}
}
