package sig

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestStandardVerify(t *testing.T) {
	other, otherPublic := NewStandardKeyPair()
	f := func(signatures string, want error, secrets ...string) {
		t.Helper()
		v := mustStandardVerifier(t, 0, secrets...)
		if err := v.Verify(goldenID, fmt.Sprint(goldenUnix), signatures, []byte(goldenBody), goldenNow); !errors.Is(err, want) {
			t.Errorf("%q by %v: got %v, want %v", signatures, secrets, err, want)
		}
	}
	for _, secret := range []string{goldenHMAC, goldenSeed, goldenPrivate, goldenPublic} {
		f(goldenStandard, nil, secret)
		f(goldenStandard, nil, NewStandardSecret(), otherPublic, secret)
		f("v2,x "+goldenStandard+" v1,x v1a,", nil, secret)
	}
	f(goldenV1, nil, goldenHMAC)
	f(goldenV1a, nil, goldenPublic)

	f(goldenStandard, ErrSignature, NewStandardSecret(), other, otherPublic)
	f(goldenV1, ErrSignature, goldenPublic)
	f(goldenV1a, ErrSignature, goldenHMAC)
	for _, secret := range []string{goldenHMAC, goldenPublic} { // each under the other's version
		f(strings.Replace(goldenV1, "v1,", "v1a,", 1), ErrSignature, secret)
		f(strings.Replace(goldenV1a, "v1a,", "v1,", 1), ErrSignature, secret)
		f("v1,", ErrSignature, secret)
		f("v1a,", ErrSignature, secret)
		f("v1a,"+strings.Repeat("*", 88)+" v1,"+strings.Repeat("*", 44), ErrSignature, secret)
		f(strings.TrimRight(goldenV1, "=")+" "+strings.TrimRight(goldenV1a, "="), ErrSignature, secret)
	}

	for _, malformed := range []string{"", " ", "x", "v1", "v1=" + goldenV1[3:], "V1" + goldenV1[2:], goldenV1[3:], "v12,x", "v1b,x"} {
		f(malformed, ErrHeader, goldenHMAC, goldenPublic)
	}
	f(strings.Repeat("v9,x ", MaxStandardSignatures-1)+goldenV1, nil, goldenHMAC)
	f(strings.Repeat("v9,x ", MaxStandardSignatures)+goldenV1, ErrHeader, goldenHMAC)
}

func TestStandardVerifySignedParts(t *testing.T) {
	now := fmt.Sprint(goldenUnix)
	f := func(id, stamp, body string, want error) {
		t.Helper()
		for _, secret := range []string{goldenHMAC, goldenPublic} {
			v := mustStandardVerifier(t, -1, secret)
			if err := v.Verify(id, stamp, goldenStandard, []byte(body), goldenNow); !errors.Is(err, want) {
				t.Errorf("%q %q %q: got %v, want %v", id, stamp, body, err, want)
			}
		}
	}
	f(goldenID, now, goldenBody, nil)
	f(goldenID+"x", now, goldenBody, ErrSignature)
	f(goldenID, fmt.Sprint(goldenUnix+1), goldenBody, ErrSignature)
	f(goldenID, now, goldenBody+" ", ErrSignature)
	f("", now, goldenBody, ErrHeader)
	for _, stamp := range []string{"", "x", "+" + now, "0" + now, now + ".0", now + " ", "1e9", "-0", "9223372036854775808"} {
		f(goldenID, stamp, goldenBody, ErrHeader)
	}
}

// TestStandardDot: without the rule about full stops, a request could be taken
// apart differently and still verify: an id with the timestamp in it, and a body
// that lost its beginning.
func TestStandardDot(t *testing.T) {
	signatures := string(mustStandard(t, goldenHMAC, goldenSeed).Append(nil, "id", time.Unix(5, 0), []byte("1795278039.5")))
	for _, secret := range []string{goldenHMAC, goldenPublic} {
		v := mustStandardVerifier(t, -1, secret)
		if err := v.Verify("id", "5", signatures, []byte("1795278039.5"), goldenNow); err != nil {
			t.Error(err)
		}
		if err := v.Verify("id.5", "1795278039", signatures, []byte("5"), goldenNow); !errors.Is(err, ErrHeader) {
			t.Errorf("got %v", err)
		}
	}
}

func TestStandardVerifyTolerance(t *testing.T) {
	f := func(tolerance, after time.Duration, want error) {
		t.Helper()
		for _, secret := range []string{goldenHMAC, goldenPublic} {
			v := mustStandardVerifier(t, tolerance, secret)
			err := v.Verify(goldenID, fmt.Sprint(goldenUnix), goldenStandard, []byte(goldenBody), goldenNow.Add(after))
			if !errors.Is(err, want) {
				t.Errorf("tolerance %v, %v later: got %v, want %v", tolerance, after, err, want)
			}
		}
	}
	f(time.Second, time.Second, nil)
	f(time.Second, -time.Second, nil)
	f(time.Second, time.Second+1, ErrTimestamp)
	f(time.Second, -time.Second-1, ErrTimestamp)
	f(0, DefaultTolerance, nil)
	f(0, -DefaultTolerance, nil)
	f(0, DefaultTolerance+1, ErrTimestamp)
	f(0, -DefaultTolerance-1, ErrTimestamp)
	f(-1, 100*365*24*time.Hour, nil)
	f(math.MaxInt64, -100*365*24*time.Hour, nil)
}

// TestStandardVerifyFlippedBit: no bit of a signature can change. "v1" and "v1a"
// are left alone: with another version it is no signature at all.
func TestStandardVerifyFlippedBit(t *testing.T) {
	f := func(signature, secret string) {
		v := mustStandardVerifier(t, 0, secret)
		for i := strings.IndexByte(signature, ',') + 1; i < len(signature); i++ {
			for bit := range 7 {
				changed := []byte(signature)
				changed[i] ^= 1 << bit
				if v.Verify(goldenID, fmt.Sprint(goldenUnix), string(changed), []byte(goldenBody), goldenNow) == nil {
					t.Errorf("accepted %s", changed)
				}
			}
		}
	}
	f(goldenV1, goldenHMAC)
	f(goldenV1a, goldenPublic)
}

func TestNewStandardVerifierRefuses(t *testing.T) {
	f := func(want error, secrets ...string) {
		t.Helper()
		if _, err := NewStandardVerifier(secrets, 0); !errors.Is(err, want) {
			t.Errorf("%v: got %v, want %v", secrets, err, want)
		}
	}
	f(ErrNoSecret)
	f(ErrStandardSecret, "")
	f(ErrStandardSecret, goldenHMAC, "plain text")
	f(ErrStandardSecret, "whpk_"+goldenHMAC[len("whsec_"):])
	f(ErrStandardSecret, "whpk_"+goldenPrivate[len("whsk_"):])
}

// FuzzStandardVerify: whatever the headers, Verify accepts only a list that has a
// signature that the plain way makes, too. ed25519 signatures are unique to the
// signer who signs as RFC 8032 says; this one does.
func FuzzStandardVerify(f *testing.F) {
	now := fmt.Sprint(goldenUnix)
	f.Add(goldenID, now, goldenStandard, goldenBody)
	f.Add(goldenID, now, goldenV1a, goldenBody)
	f.Add("a.b", "5", "v1,x v1a,y", "")
	f.Add("", "-0", " , v1,", "{}")
	v := mustStandardVerifier(f, -1, goldenHMAC, goldenPublic)
	f.Fuzz(func(t *testing.T, id, stamp, signatures, body string) {
		err := v.Verify(id, stamp, signatures, []byte(body), goldenNow)
		found := false
		for _, want := range strings.Split(referenceStandard([]string{goldenHMAC, goldenSeed}, id, stamp, body), " ") {
			for _, s := range strings.Split(signatures, " ") {
				found = found || s == want
			}
		}
		_, wellFormed := parseStamp(stamp)
		wellFormed = wellFormed && id != "" && !strings.Contains(id, ".") && strings.Count(signatures, " ") < MaxStandardSignatures
		if (err == nil) != (found && wellFormed) {
			t.Errorf("%q %q %q over %q: %v", id, stamp, signatures, body, err)
		}
	})
}
