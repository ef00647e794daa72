package bench

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// SignatureHeader is where Convoy puts the signature unless the project says
// otherwise.
const SignatureHeader = "X-Convoy-Signature"

// IdempotencyHeader carries an event's idempotency key to the receiver.
const IdempotencyHeader = "X-Convoy-Idempotency-Key"

// Why a signature is not accepted.
var (
	ErrSignatureMissing = errors.New("no signature header")
	ErrSignatureForm    = errors.New("signature header is not of the form t=<unix>,v1=<hex>")
	ErrSignatureStale   = errors.New("signature timestamp is outside the tolerance")
	ErrSignatureWrong   = errors.New("no signature in the header matches the body")
)

// VerifySignature is what a receiver of Convoy's advanced signatures does, in
// the shortest way: the header is t=<unix>,v1=<hex>[,v1=<hex>...], each value is
// HMAC-SHA256 over "<unix>,<body>", and one match is enough. now and the header's
// time may be tolerance apart. Any goroutine may call it.
func VerifySignature(header, body []byte, secret string, now time.Time, tolerance time.Duration) error {
	if len(header) == 0 {
		return ErrSignatureMissing
	}
	stamp, rest, ok := bytes.Cut(header, []byte(","))
	stamp, isTime := bytes.CutPrefix(stamp, []byte("t="))
	unix, err := strconv.ParseInt(string(stamp), 10, 64)
	if !ok || !isTime || err != nil {
		return ErrSignatureForm
	}
	if off := now.Sub(time.Unix(unix, 0)).Abs(); off > tolerance {
		return fmt.Errorf("%w: %s apart", ErrSignatureStale, off)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(stamp)
	mac.Write([]byte(","))
	mac.Write(body)
	return matchAny(rest, mac.Sum(nil))
}

func matchAny(values, want []byte) error {
	for value := range bytes.SplitSeq(values, []byte(",")) {
		text, ok := bytes.CutPrefix(value, []byte("v1="))
		if !ok {
			continue // another hash or encoding, for other receivers
		}
		got, err := hex.DecodeString(string(text))
		if err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return ErrSignatureWrong
}
