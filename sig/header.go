package sig

import (
	"strconv"
	"strings"
)

// header is the value of a signature header, taken apart but not yet checked
// against anything. It refers to the text and copies nothing.
//
//	simple    signature               no comma in it
//	advanced  part *("," part)        at least two parts
//	part      name "=" value          split at the first "="
//	t         the timestamp: exactly one, a decimal int64 as strconv writes it
//	v1 v2 …   a signature: "v" and digits, at least one part; the number is
//	          its version's place in the sender's list and tells a receiver
//	          nothing, so it is not compared
//	other     ignored, so that the format can grow
type header struct {
	text  string
	timed bool  // advanced
	unix  int64 // of an advanced one
}

// SignedAt returns the timestamp of an advanced signature, in Unix seconds, as the
// header's value has it: whether it is true is for Verify to say. ok is false for a
// simple signature and for what is malformed.
func SignedAt(value string) (unix int64, ok bool) {
	h, ok := parseHeader(value)
	return h.unix, ok && h.timed
}

// parseHeader returns false for what is not in the grammar.
func parseHeader(text string) (header, bool) {
	if !strings.Contains(text, ",") {
		return header{text: text}, text != ""
	}
	h := header{text: text}
	signed := false
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		switch {
		case !ok:
			return header{}, false
		case name == "t":
			if h.timed {
				return header{}, false
			}
			if h.unix, h.timed = parseStamp(value); !h.timed {
				return header{}, false
			}
		case isVersion(name):
			signed = true
		}
	}
	return h, h.timed && signed
}

// signatureIn returns the signature in a part, if it is one.
func signatureIn(part string) (text string, ok bool) {
	name, text, _ := strings.Cut(part, "=")
	return text, isVersion(name)
}

// parseStamp takes only the text that a signer writes: the timestamp is signed
// as text, so "+1", "01" and "-0" are other texts than "1" and "0".
func parseStamp(text string) (int64, bool) {
	unix, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, false
	}
	var buf [maxStampBytes]byte
	return unix, string(strconv.AppendInt(buf[:0], unix, 10)) == text
}

func isVersion(name string) bool {
	if len(name) < 2 || name[0] != 'v' {
		return false
	}
	for i := 1; i < len(name); i++ {
		if name[i] < '0' || name[i] > '9' {
			return false
		}
	}
	return true
}
