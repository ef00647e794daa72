package match

import "bytes"

// decimal is a number, exactly: the fraction 0.digits times ten to the exponent.
// It points into the text that it was read from.
type decimal struct {
	negative bool
	exponent int64
	digits   []byte // from the first to the last that is not 0, perhaps with a point inside; empty for zero
}

// maxExponent is where exponents in an event stop being told apart. An operand's
// is far smaller, see maxOperandExponent, so that no comparison is wrong.
const maxExponent = 1 << 60

// parseDecimal reads a JSON number. Any other text is refused.
func parseDecimal(text []byte) (d decimal, ok bool) {
	mantissa, exponent, ok := splitNumber(text)
	if !ok {
		return decimal{}, false
	}
	if mantissa[0] == '-' {
		d.negative, mantissa = true, mantissa[1:]
	}
	point := bytes.IndexByte(mantissa, '.')
	if point < 0 {
		point = len(mantissa)
	}
	first := bytes.IndexAny(mantissa, "123456789")
	if first < 0 {
		return decimal{}, true
	}
	if d.exponent = exponent + int64(point-first); first > point {
		d.exponent++ // the point itself is no digit
	}
	d.digits = bytes.TrimRight(mantissa[first:], "0.")
	return d, true
}

// splitNumber checks a number against JSON's grammar.
func splitNumber(text []byte) (mantissa []byte, exponent int64, ok bool) {
	i := 0
	if i < len(text) && text[i] == '-' {
		i++
	}
	from := i
	if i = skipDigits(text, i); i == from || text[from] == '0' && i > from+1 {
		return nil, 0, false
	}
	if i < len(text) && text[i] == '.' {
		from = i + 1
		if i = skipDigits(text, from); i == from {
			return nil, 0, false
		}
	}
	mantissa = text[:i]
	if i == len(text) {
		return mantissa, 0, true
	}
	if text[i] != 'e' && text[i] != 'E' {
		return nil, 0, false
	}
	exponent, ok = parseExponent(text[i+1:])
	return mantissa, exponent, ok
}

// parseExponent reads the digits after the e, and stops counting at maxExponent.
func parseExponent(text []byte) (exponent int64, ok bool) {
	negative := len(text) > 0 && text[0] == '-'
	if negative || len(text) > 0 && text[0] == '+' {
		text = text[1:]
	}
	if len(text) == 0 || skipDigits(text, 0) != len(text) {
		return 0, false
	}
	for _, c := range text {
		if exponent = exponent*10 + int64(c-'0'); exponent >= maxExponent {
			exponent = maxExponent
			break
		}
	}
	if negative {
		exponent = -exponent
	}
	return exponent, true
}

func skipDigits(text []byte, i int) int {
	for i < len(text) && text[i]-'0' <= 9 {
		i++
	}
	return i
}

// compare is negative if d is less than e, and positive if it is more.
func (d decimal) compare(e decimal) int {
	switch {
	case len(d.digits) == 0 && len(e.digits) == 0:
		return 0
	case len(d.digits) == 0:
		return -e.sign()
	case len(e.digits) == 0 || d.negative != e.negative:
		return d.sign()
	case d.exponent < e.exponent:
		return -d.sign()
	case d.exponent > e.exponent:
		return d.sign()
	}
	return d.sign() * compareDigits(d.digits, e.digits)
}

// sign is 1 or -1. It is not asked of zero.
func (d decimal) sign() int {
	if d.negative {
		return -1
	}
	return 1
}

// compareDigits compares two fractions by their digits.
func compareDigits(a, b []byte) int {
	for {
		if len(a) > 0 && a[0] == '.' {
			a = a[1:]
		}
		if len(b) > 0 && b[0] == '.' {
			b = b[1:]
		}
		switch {
		case len(a) == 0 && len(b) == 0:
			return 0
		case len(a) == 0:
			return -1
		case len(b) == 0:
			return 1
		case a[0] != b[0]:
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
}
