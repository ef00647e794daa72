package api

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"maps"
	"slices"
	"strings"

	"posthaste/event"
)

// maxGuessedBody bounds the bodies for which mistakes are looked for: each is hashed some
// dozen times.
const maxGuessedBody = 256 << 10

// check compares what a receiver computed with the signatures of an attempt and, where it
// is none of them, looks for the mistake that leads to it.
func (x *signatureExplainer) check(v *signatureView, computed string) *checkedView {
	for _, p := range v.Signatures {
		if computed == p.Value || computed == p.Version+"="+p.Value || computed == p.Version+","+p.Value || computed == v.Value {
			return &checkedView{Matches: true, SecretPrint: p.SecretPrint, Text: "This is right: it is one of the signatures of this attempt."}
		}
		if p.Encoding == "hex" && strings.EqualFold(computed, p.Value) {
			return &checkedView{Matches: true, SecretPrint: p.SecretPrint, Text: "This is right but for its case: compare with lower-case hex."}
		}
	}
	if computed == strings.TrimSuffix(v.Signed.Before, ",") && computed != "" {
		return &checkedView{Text: "This is the timestamp. Paste what your code computed as the signature."}
	}
	if len(x.body) > maxGuessedBody {
		return &checkedView{Text: "This is none of the signatures of this attempt. The body is too long to look for the mistake: try it with a short one."}
	}
	for _, m := range x.mistakes(v) {
		for i := range x.endpoint.Secrets {
			s := &x.endpoint.Secrets[i]
			for _, key := range m.keys(s.Value) {
				if sameSum(computed, key, m.hash, m.message) {
					return &checkedView{SecretPrint: secretPrint(s.Value), Text: m.text}
				}
			}
		}
	}
	return &checkedView{Text: "This is none of the signatures of this attempt, and none of the usual mistakes leads to it. " +
		"Check that the secret is the endpoint's by its print, and that the body is hashed as it came, before any framework reads it."}
}

// mistake is another way to compute a signature.
type mistake struct {
	text    string
	hash    func() hash.Hash
	message []byte
	keys    func(secret string) [][]byte
}

// mistakes are what receivers do instead of what they should, the most frequent first.
func (x *signatureExplainer) mistakes(v *signatureView) []mistake {
	right := slices.Concat([]byte(v.Signed.Before), x.body)
	own, others := hashesOf(v)
	plain := func(secret string) [][]byte { return [][]byte{[]byte(secret)} }
	proper, wrong := plain, decodedKeys
	if v.Mode == event.SignStandard {
		proper, wrong = decodedKeys, plain
	}
	all := []mistake{
		{"The bytes and the secret are right, but the result is written in another encoding: write it as the header does.", own, right, proper},
		{"The bytes are right, but the secret is used in the wrong form. " + keyAdvice(v.Mode), own, right, wrong},
	}
	if v.Signed.Before != "" {
		all = append(all, mistake{"This is over the body alone: put \"" + v.Signed.Before + "\" in front of it.", own, x.body, proper})
	}
	for _, other := range []struct{ name, before string }{
		{"a full stop", strings.TrimRight(v.Signed.Before, ",.") + "."}, {"a comma", strings.TrimRight(v.Signed.Before, ",.") + ","},
		{"nothing", strings.TrimRight(v.Signed.Before, ",.")},
	} {
		if v.Signed.Before != "" && other.before != v.Signed.Before {
			all = append(all, mistake{"There is " + other.name + " between the timestamp and the body; what is signed begins with \"" + v.Signed.Before + "\".",
				own, slices.Concat([]byte(other.before), x.body), proper})
		}
	}
	for _, body := range rewritten(x.body) {
		all = append(all, mistake{body.text, own, slices.Concat([]byte(v.Signed.Before), body.bytes), proper})
	}
	for _, h := range others {
		all = append(all, mistake{"The bytes and the secret are right, but the hash is " + h.name + ".", h.new, right, proper})
	}
	return all
}

type namedHash struct {
	name string
	new  func() hash.Hash
}

// usualHashes are those that receivers take.
var usualHashes = map[string]namedHash{
	"SHA256": {"SHA-256", sha256.New}, "SHA1": {"SHA-1", sha1.New}, "SHA512": {"SHA-512", sha512.New},
	"MD5": {"MD5", md5.New}, "SHA384": {"SHA-384", sha512.New384}, "SHA224": {"SHA-224", sha256.New224},
}

// hashesOf are the hash that the signature is made with and the others.
func hashesOf(v *signatureView) (own func() hash.Hash, others []namedHash) {
	name := "SHA256"
	if len(v.Signatures) > 0 && usualHashes[v.Signatures[0].Hash].new != nil {
		name = v.Signatures[0].Hash
	}
	for _, other := range slices.Sorted(maps.Keys(usualHashes)) {
		if other != name {
			others = append(others, usualHashes[other])
		}
	}
	return usualHashes[name].new, others
}

func keyAdvice(mode string) string {
	if mode == event.SignStandard {
		return "Take away \"whsec_\" and decode the rest from base64: those bytes are the key."
	}
	return "It is a text: use its characters as they are, and decode nothing."
}

// decodedKeys are the bytes that a secret could be taken for the encoding of.
func decodedKeys(secret string) (keys [][]byte) {
	bare := strings.TrimPrefix(secret, "whsec_")
	if bare != secret {
		keys = append(keys, []byte(bare))
	}
	if key, err := base64.StdEncoding.DecodeString(bare); err == nil {
		keys = append([][]byte{key}, keys...)
	}
	if key, err := hex.DecodeString(bare); err == nil {
		keys = append(keys, key)
	}
	return keys
}

type rewrittenBody struct {
	text  string
	bytes []byte
}

// rewritten are bodies as programs make them who read JSON and write it again.
func rewritten(body []byte) (all []rewrittenBody) {
	again := "This is over the body after it was read as JSON and written again: hash the bytes as they came."
	add := func(text string, other []byte, err error) {
		if err == nil && !bytes.Equal(other, body) {
			all = append(all, rewrittenBody{text, other})
		}
	}
	add("There is a line break behind the body that was not sent.", append(bytes.Clone(body), '\n'), nil)
	add("The body lacks white space at its ends.", bytes.TrimSpace(body), nil)
	var compact bytes.Buffer
	err := json.Compact(&compact, body)
	add(again, compact.Bytes(), err)
	for _, indent := range []string{"  ", "    ", "\t"} {
		var pretty bytes.Buffer
		err := json.Indent(&pretty, body, "", indent)
		add(again, pretty.Bytes(), err)
	}
	add(again, spaced(compact.Bytes()), err)
	var value any
	if json.Unmarshal(body, &value) == nil {
		sorted, err := json.Marshal(value)
		add(again, sorted, err)
		add(again, spaced(sorted), err)
	}
	return all
}

// spaced is compact JSON with a space behind commas and colons, as Python writes it.
func spaced(compact []byte) []byte {
	out := make([]byte, 0, len(compact)+len(compact)/8)
	inText, escaped := false, false
	for _, c := range compact {
		out = append(out, c)
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = inText
		case c == '"':
			inText = !inText
		case !inText && (c == ',' || c == ':'):
			out = append(out, ' ')
		}
	}
	return out
}

// sameSum reports whether a text is this HMAC, in whatever encoding.
func sameSum(text string, key []byte, h func() hash.Hash, message []byte) bool {
	if i := strings.IndexByte(text, '='); i == 2 && text[0] == 'v' { // v1=...
		text = text[i+1:]
	}
	mac := hmac.New(h, key)
	mac.Write(message)
	sum := mac.Sum(nil)
	return strings.EqualFold(text, hex.EncodeToString(sum)) ||
		strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=") == base64.RawStdEncoding.EncodeToString(sum)
}
