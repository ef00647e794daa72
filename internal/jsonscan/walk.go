package jsonscan

// advance goes to the next value of the top level: valueFrom is where it
// starts. It returns false at the end and at an error.
func (s *Scanner) advance() bool {
	if s.inner != nil && !s.leave() {
		return false
	}
	switch s.state {
	case unopened:
		return s.enter() && s.head()
	case rest:
		return s.separator() && s.head()
	}
	return false
}

// leave ends the walk of the element that NextInto handed out.
func (s *Scanner) leave() bool {
	inner := s.inner
	for inner.Next() {
	}
	s.inner, s.pos, s.err = nil, inner.pos, inner.err
	if s.err != nil {
		return s.halt()
	}
	return true
}

// enter reads the opening bracket, and the closing one if nothing is between.
func (s *Scanner) enter() bool {
	i := space(s.src, s.pos)
	if i >= len(s.src) || s.src[i] != s.open {
		return s.refuse(i, bracketName(s.open))
	}
	if s.base > s.limit {
		return s.tooDeep(i)
	}
	s.pos = space(s.src, i+1)
	if s.pos < len(s.src) && s.src[s.pos] == s.closing() {
		return s.close()
	}
	return true
}

// separator reads the comma before the next member, or the closing bracket.
func (s *Scanner) separator() bool {
	i := space(s.src, s.pos)
	if i < len(s.src) && s.src[i] == ',' {
		s.pos = i + 1
		return true
	}
	if i < len(s.src) && s.src[i] == s.closing() {
		s.pos = i
		return s.close()
	}
	return s.refuse(i, afterMember(s.open == '{'))
}

// head reads what stands before a value: in an object, its key.
func (s *Scanner) head() bool {
	s.state = rest
	i := s.pos
	if s.open == '{' {
		s.keyFrom = space(s.src, i)
		if s.keyTo, i = s.key(i); i < 0 {
			return s.halt()
		}
	}
	s.valueFrom = space(s.src, i)
	return true
}

// close ends the walk at the closing bracket, which is at pos.
func (s *Scanner) close() bool {
	s.state = over
	s.pos++
	if !s.nested {
		s.end(s.pos)
	}
	return false
}

// end checks that nothing follows the document.
func (s *Scanner) end(i int) {
	if i = space(s.src, i); i < len(s.src) {
		s.err = mismatch(s.src, i, "nothing after the document")
	}
}

func (s *Scanner) halt() bool {
	s.state = over
	return false
}

func (s *Scanner) refuse(i int, want string) bool {
	s.err = mismatch(s.src, i, want)
	return s.halt()
}

func (s *Scanner) tooDeep(i int) bool {
	s.err = &SyntaxError{Offset: i, Msg: "nested too deep"}
	return s.halt()
}

func (s *Scanner) closing() byte { return s.open + 2 } // '{'+2 is '}', '['+2 is ']'

func bracketName(open byte) string {
	if open == '{' {
		return "'{', an object"
	}
	return "'[', an array"
}

func afterMember(object bool) string {
	if object {
		return "',' or '}' after a member of an object"
	}
	return "',' or ']' after an element of an array"
}
