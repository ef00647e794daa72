package jsonscan

// value scans the value at i, where no white space is, whatever is nested in
// it. It returns the offset after it, or -1 with s.err set. The brackets that
// are open at a moment are bits on s.stack from s.base on.
func (s *Scanner) value(i int) int {
	src, depth := s.src, s.base
	for {
		if i >= len(src) {
			return s.fail(mismatch(src, i, "a value"))
		}
		end, opened := 0, false
		switch c := src[i]; c {
		case '"':
			end = text(src, i+1)
		case '{', '[':
			if depth >= s.limit {
				return s.fail(&SyntaxError{Offset: i, Msg: "nested too deep"})
			}
			s.push(depth, c == '{')
			depth++
			end, opened = i+1, true
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			end = number(src, i)
		case 't':
			end = word(src, i, "true")
		case 'f':
			end = word(src, i, "false")
		case 'n':
			end = word(src, i, "null")
		default:
			end = -1
		}
		if end < 0 {
			return s.fail(valueError(src, i))
		}
		if depth == s.base {
			return end
		}
		if i, depth = s.between(end, depth, opened); i < 0 || depth == s.base {
			return i
		}
	}
}

// between goes from the end of a nested value, or from an opening bracket, to
// the start of the next value. It closes every bracket that ends here; when it
// closes the outermost, the depth returned is s.base and the offset is the one
// after that bracket.
func (s *Scanner) between(i, depth int, opened bool) (next, newDepth int) {
	src := s.src
	for {
		if i < len(src) && src[i] <= ' ' {
			i = space(src, i)
		}
		object := s.isObject(depth - 1)
		if i >= len(src) {
			return s.fail(mismatch(src, i, expected(object, opened))), depth
		}
		switch c := src[i]; {
		case c == '}' && object, c == ']' && !object:
			i++
			if depth--; depth == s.base {
				return i, depth
			}
			opened = false
			continue
		case opened:
		case c == ',':
			i++
		default:
			return s.fail(mismatch(src, i, afterMember(object))), depth
		}
		if object {
			if _, i = s.key(i); i < 0 {
				return -1, depth
			}
		}
		if i < len(src) && src[i] <= ' ' {
			i = space(src, i)
		}
		return i, depth
	}
}

// key scans a member's name and the colon after it. It returns the offsets
// after either, the second being -1 with s.err set if they are not there.
func (s *Scanner) key(i int) (end, next int) {
	src := s.src
	if i < len(src) && src[i] <= ' ' {
		i = space(src, i)
	}
	if i >= len(src) || src[i] != '"' {
		return i, s.fail(mismatch(src, i, "a member's name in quotes"))
	}
	if end = text(src, i+1); end < 0 {
		return i, s.fail(stringError(src, i+1))
	}
	colon := end
	if colon < len(src) && src[colon] <= ' ' {
		colon = space(src, colon)
	}
	if colon >= len(src) || src[colon] != ':' {
		return end, s.fail(mismatch(src, colon, "':' after a member's name"))
	}
	return end, colon + 1
}

func (s *Scanner) push(depth int, object bool) {
	bit := uint64(1) << (depth & 63)
	if object {
		s.stack[depth>>6] |= bit
	} else {
		s.stack[depth>>6] &^= bit
	}
}

func (s *Scanner) isObject(depth int) bool { return s.stack[depth>>6]>>(depth&63)&1 != 0 }

func (s *Scanner) fail(err *SyntaxError) int {
	s.err = err
	return -1
}

func expected(object, opened bool) string {
	if !opened {
		return afterMember(object)
	}
	if object {
		return "a member's name or '}'"
	}
	return "a value or ']'"
}

// valueError explains why the value at i was refused.
func valueError(src []byte, i int) *SyntaxError {
	switch c := src[i]; {
	case c == '"':
		return stringError(src, i+1)
	case c == '-' || c-'0' <= 9:
		return numberError(src, i)
	case c == 't':
		return wordError(src, i, "true")
	case c == 'f':
		return wordError(src, i, "false")
	case c == 'n':
		return wordError(src, i, "null")
	}
	return mismatch(src, i, "a value")
}
