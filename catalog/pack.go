package catalog

import (
	"encoding/binary"
	"errors"
	"time"

	"posthaste/event"
)

// A packed object is in two parts, so that all its texts become one string when it
// is read:
//
//	+------------------+-----------------+-----------------+
//	| length of fields | fields          | texts           |
//	| uvarint          |                 | to the end      |
//	+------------------+-----------------+-----------------+
//
// Texts that are secret follow each other in the record's secret part instead, and
// are the last ones of the string.
//
// The fields follow each other without names, in the order in which packEndpoint
// and packSubscription write them:
//
//	id      16 bytes
//	int     varint
//	bool    1 byte, 0 or 1
//	time    varint, seconds since 1970, and uvarint, nanoseconds; UTC
//	text    uvarint, its length; its bytes are the next ones of the texts
//	secret  uvarint, its length; its bytes are the next ones of the secret texts
//	word    uvarint, its length, and its bytes; for the texts that objects share
//	blob    uvarint, its length, and its bytes
//	option  bool, and what follows if it is 1
//	list    uvarint, the number of entries, and each
//
// Another field, or another order, is another version.
type packer struct {
	fields, texts, secrets []byte
}

func (p *packer) id(id event.ID)  { p.fields = append(p.fields, id[:]...) }
func (p *packer) int(n int)       { p.fields = binary.AppendVarint(p.fields, int64(n)) }
func (p *packer) length(n int)    { p.fields = binary.AppendUvarint(p.fields, uint64(n)) }
func (p *packer) text(s string)   { p.length(len(s)); p.texts = append(p.texts, s...) }
func (p *packer) secret(s string) { p.length(len(s)); p.secrets = append(p.secrets, s...) }
func (p *packer) word(s string)   { p.length(len(s)); p.fields = append(p.fields, s...) }
func (p *packer) blob(b []byte)   { p.length(len(b)); p.fields = append(p.fields, b...) }

func (p *packer) bool(b bool) bool {
	if b {
		p.fields = append(p.fields, 1)
	} else {
		p.fields = append(p.fields, 0)
	}
	return b
}

func (p *packer) time(t time.Time) {
	p.fields = binary.AppendVarint(p.fields, t.Unix())
	p.fields = binary.AppendUvarint(p.fields, uint64(t.Nanosecond()))
}

func (p *packer) stamp(s event.Stamp) { p.time(s.Time()) }

func (p *packer) optionalTime(t *time.Time) {
	if p.bool(t != nil) {
		p.time(*t)
	}
}

// open is the fields and the texts, when all fields are written.
func (p *packer) open() []byte {
	v := make([]byte, 0, binary.MaxVarintLen32+len(p.fields)+len(p.texts))
	v = binary.AppendUvarint(v, uint64(len(p.fields)))
	v = append(v, p.fields...)
	return append(v, p.texts...)
}

var errPacked = errors.New("the record is not a packed one: lengths or values in it do not fit")

// unpacker reads a packed object, field by field in the order of writing. After
// something that does not fit it reads zero values, and finish tells.
type unpacker struct {
	fields  []byte
	texts   string // those that are not secret
	secrets string
	failed  bool
}

// unpack reads what packer.open made. scratch is what it may write to; it returns
// it, grown, for the next call.
func unpack(open, secrets, scratch []byte) (u unpacker, _ []byte, err error) {
	n, size := binary.Uvarint(open)
	if size <= 0 || n > uint64(len(open)-size) {
		return u, scratch, errTruncated
	}
	u.fields = open[size:][:n]
	scratch = append(append(scratch[:0], open[size:][n:]...), secrets...)
	all := string(scratch) // one string for all texts of an object
	split := len(all) - len(secrets)
	u.texts, u.secrets = all[:split], all[split:]
	return u, scratch, nil
}

// finish reports whether all that was read did fit, and nothing is left.
func (u *unpacker) finish() error {
	if u.failed || len(u.fields) > 0 || len(u.texts) > 0 || len(u.secrets) > 0 {
		return errPacked
	}
	return nil
}

// fail makes every later read a zero value.
func (u *unpacker) fail() {
	u.failed, u.fields, u.texts, u.secrets = true, nil, "", ""
}

func (u *unpacker) id() (id event.ID) {
	if len(u.fields) < len(id) {
		u.fail()
		return id
	}
	u.fields = u.fields[copy(id[:], u.fields):]
	return id
}

func (u *unpacker) int() int {
	n, size := binary.Varint(u.fields)
	if size <= 0 {
		u.fail()
		return 0
	}
	u.fields = u.fields[size:]
	return int(n)
}

// length reads a number from 0 to most.
func (u *unpacker) length(most int) int {
	n, size := binary.Uvarint(u.fields)
	if size <= 0 || n > uint64(most) {
		u.fail()
		return 0
	}
	u.fields = u.fields[size:]
	return int(n)
}

// count reads the number of entries of a list, each of which has fields.
func (u *unpacker) count() int { return u.length(len(u.fields)) }

func (u *unpacker) bool() bool {
	if len(u.fields) == 0 || u.fields[0] > 1 {
		u.fail()
		return false
	}
	b := u.fields[0] == 1
	u.fields = u.fields[1:]
	return b
}

func (u *unpacker) text() string {
	n := u.length(len(u.texts))
	s := u.texts[:n]
	u.texts = u.texts[n:]
	return s
}

func (u *unpacker) secret() string {
	n := u.length(len(u.secrets))
	s := u.secrets[:n]
	u.secrets = u.secrets[n:]
	return s
}

func (u *unpacker) word() string { return shared(u.blob()) }

// blob is a part of the record.
func (u *unpacker) blob() []byte {
	n := u.length(len(u.fields))
	if n > len(u.fields) {
		u.fail()
		return nil
	}
	b := u.fields[:n]
	u.fields = u.fields[n:]
	return b
}

func (u *unpacker) time() time.Time {
	seconds, size := binary.Varint(u.fields)
	if size <= 0 {
		u.fail()
		return time.Time{}
	}
	u.fields = u.fields[size:]
	nanoseconds := u.length(int(time.Second) - 1)
	return time.Unix(seconds, int64(nanoseconds)).UTC()
}

func (u *unpacker) stamp() event.Stamp { return event.StampOf(u.time()) }

func (u *unpacker) optionalTime() *time.Time {
	if !u.bool() {
		return nil
	}
	t := u.time()
	return &t
}

// shared is the text of a word: the program's own copy where it has one, so that
// a million objects do not keep a million copies.
func shared(word []byte) string {
	switch string(word) {
	case string(event.EndpointActive):
		return string(event.EndpointActive)
	case string(event.EndpointPaused):
		return string(event.EndpointPaused)
	case string(event.EndpointInactive):
		return string(event.EndpointInactive)
	case string(event.EndpointPending):
		return string(event.EndpointPending)
	case contentJSON:
		return contentJSON
	case contentForm:
		return contentForm
	case subscriptionType:
		return subscriptionType
	case event.AtLeastOnce:
		return event.AtLeastOnce
	case event.AtMostOnce:
		return event.AtMostOnce
	}
	return string(word)
}
