package sig

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

var goldenNow = time.Unix(goldenUnix, 0)

func TestVerifyWhatIsSigned(t *testing.T) {
	secrets := []string{"old", "new"}
	for _, v := range everyVersion() {
		for _, advanced := range []bool{false, true} {
			s := mustSigner(t, []Version{v}, secrets, advanced)
			header := string(s.Append(nil, goldenNow, []byte(goldenBody)))
			r := mustVerifier(t, v, []string{"new"}, 0)
			if err := r.Verify(header, []byte(goldenBody), goldenNow); err != nil {
				t.Errorf("%v advanced %v: %v", v, advanced, err)
			}
			if err := r.Verify(header, []byte(goldenBody+" "), goldenNow); !errors.Is(err, ErrSignature) {
				t.Errorf("%v advanced %v, changed body: %v", v, advanced, err)
			}
		}
	}
}

// TestVerifyPicksItsVersion: in a header of two versions and two secrets, a
// receiver finds what it knows, whichever of the secrets it has.
func TestVerifyPicksItsVersion(t *testing.T) {
	f := func(v Version, secret string, want error) {
		t.Helper()
		r := mustVerifier(t, v, []string{secret}, 0)
		if err := r.Verify(goldenRotation, []byte(goldenBody), goldenNow); !errors.Is(err, want) {
			t.Errorf("%v: got %v, want %v", v, err, want)
		}
	}
	for _, secret := range []string{goldenShort, goldenLong} {
		f(Version{"SHA256", Hex}, secret, nil)
		f(Version{"SHA512", Base64}, secret, nil)
		f(Version{"SHA256", Base64}, secret, ErrSignature)
		f(Version{"SHA3_256", Hex}, secret, ErrSignature)
	}
	f(Version{"SHA256", Hex}, "unknown", ErrSignature)
}

func TestVerifyHeader(t *testing.T) {
	hex := Version{"SHA256", Hex}
	sig := strings.TrimPrefix(strings.Split(goldenRotation, ",")[1], "v1=")
	simple := golden[3].simpleHex
	r := mustVerifier(t, hex, []string{goldenShort}, 0)
	f := func(header string, want error) {
		t.Helper()
		if err := r.Verify(header, []byte(goldenBody), goldenNow); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", header, err, want)
		}
	}
	const ts = "t=1795278039"
	f(simple, nil)
	f(strings.ToUpper(simple), nil) // the SDKs decode, so case does not matter
	f(ts+",v1="+sig, nil)
	f("v1="+sig+","+ts, nil)
	f(ts+",v12="+sig, nil)
	f(ts+",future=1,v1=zz,v1=,v2=abcd,v1="+sig, nil)

	f(sig, ErrSignature) // an advanced signature is no simple one
	f(ts+",v1="+simple, ErrSignature)
	f(ts+",v1=zz", ErrSignature)
	f(ts+",v1= "+sig, ErrSignature)
	f("t=1795278040,v1="+sig, ErrSignature)
	f(ts+",v1="+sig[:62], ErrSignature)

	f("", ErrHeader)
	f(ts, ErrHeader)
	f("v1="+sig, ErrHeader)
	f(simple[:62], ErrHeader)
	f(simple+"00", ErrHeader)
	f(" "+simple, ErrHeader)
	f(strings.Repeat("z", 64), ErrHeader)
	f(",", ErrHeader)
	f(ts+",", ErrHeader)
	f(ts+","+sig, ErrHeader)
	f(ts+",v="+sig, ErrHeader)
	f(ts+",vx="+sig, ErrHeader)
	f(ts+",V1="+sig, ErrHeader)
	f(ts+", v1="+sig, ErrHeader)
	f(ts+","+ts+",v1="+sig, ErrHeader)
	f("v1="+sig+",v2="+sig, ErrHeader)
	for _, bad := range []string{"", "x", "+1795278039", "01795278039", "-0", "1795278039.0", "1e9", " 1795278039", "9223372036854775808"} {
		f("t="+bad+",v1="+sig, ErrHeader)
	}
}

// TestVerifyFlippedByte: no byte of a signature or its timestamp can change. The
// version's number is not signed, and bit 5, the case of a letter, changes
// nothing in hex.
func TestVerifyFlippedByte(t *testing.T) {
	for _, v := range []Version{{"SHA256", Hex}, {"SHA256", Base64}} {
		r := mustVerifier(t, v, []string{"s"}, 0)
		for _, advanced := range []bool{false, true} {
			header := mustSigner(t, []Version{v}, []string{"s"}, advanced).Append(nil, goldenNow, nil)
			for i := range header {
				if i > 0 && header[i-1] == 'v' {
					continue
				}
				for _, flip := range []byte{1, 2, 4, 8, 16, 64} {
					header[i] ^= flip
					if err := r.Verify(string(header), nil, goldenNow); err == nil {
						t.Errorf("accepted %s", header)
					}
					header[i] ^= flip
				}
			}
		}
	}
}

// TestVerifyPadding: 44 characters of base64 without padding are 33 bytes, no
// digest of SHA256.
func TestVerifyPadding(t *testing.T) {
	r := mustVerifier(t, Version{"SHA256", Base64}, []string{"s"}, 0)
	if err := r.Verify(strings.Repeat("A", 44), nil, goldenNow); !errors.Is(err, ErrHeader) {
		t.Errorf("got %v", err)
	}
}

func TestVerifyTolerance(t *testing.T) {
	v, secrets := Version{"SHA256", Hex}, []string{"s"}
	s := mustSigner(t, []Version{v}, secrets, true)
	header := string(s.Append(nil, goldenNow, nil))
	f := func(tolerance, after time.Duration, want error) {
		t.Helper()
		r := mustVerifier(t, v, secrets, tolerance)
		if err := r.Verify(header, nil, goldenNow.Add(after)); !errors.Is(err, want) {
			t.Errorf("tolerance %v, %v later: got %v, want %v", tolerance, after, err, want)
		}
	}
	f(time.Second, time.Second, nil)
	f(time.Second, -time.Second, nil)
	f(time.Second, time.Second+1, ErrTimestamp)
	f(time.Second, -time.Second-1, ErrTimestamp)
	f(0, DefaultTolerance, nil)
	f(0, DefaultTolerance+1, ErrTimestamp)
	f(-1, 100*365*24*time.Hour, nil)
	f(-1, -100*365*24*time.Hour, nil)
	f(math.MaxInt64, 100*365*24*time.Hour, nil)
}

func TestVerifyTimestampAtTheEnds(t *testing.T) {
	v, secrets := Version{"SHA256", Hex}, []string{"s"}
	for _, unix := range []int64{math.MinInt64, math.MinInt64 + 1, -1 << 62, 1 << 62, math.MaxInt64 - 1, math.MaxInt64} {
		header := referenceHeader([]Version{v}, secrets, true, unix, "body")
		r := mustVerifier(t, v, secrets, time.Hour)
		if err := r.Verify(header, []byte("body"), goldenNow); !errors.Is(err, ErrTimestamp) {
			t.Errorf("t=%d: got %v", unix, err)
		}
	}
}

func TestVerifyForgedOldTimestampIsNoSignature(t *testing.T) {
	v := Version{"SHA256", Hex}
	header := referenceHeader([]Version{v}, []string{"wrong"}, true, 1, "body")
	r := mustVerifier(t, v, []string{"s"}, time.Hour)
	if err := r.Verify(header, []byte("body"), goldenNow); !errors.Is(err, ErrSignature) {
		t.Fatalf("got %v", err)
	}
}

func TestNewVerifierRefuses(t *testing.T) {
	f := func(v Version, secrets []string, want error) {
		t.Helper()
		if _, err := NewVerifier(v, secrets, 0); !errors.Is(err, want) {
			t.Errorf("%v: got %v, want %v", v, err, want)
		}
	}
	f(Version{"SHA2", Hex}, []string{"s"}, ErrUnknownHash)
	f(Version{"SHA256", "base32"}, []string{"s"}, ErrUnknownEncoding)
	f(Version{"SHA256", Hex}, nil, ErrNoSecret)
	f(Version{"SHA256", Hex}, []string{""}, ErrNoSecret)
}

// FuzzVerify: whatever the header, Verify accepts only what carries a signature
// that crypto/hmac makes too, over the text of the timestamp in it. The pools
// make coverage waver, and minimising then takes all of the time:
//
//	go test -run '^$' -fuzz FuzzVerify -fuzzminimizetime 10x ./sig/
func FuzzVerify(f *testing.F) {
	f.Add(goldenRotation, goldenBody)
	f.Add(golden[3].simpleHex, goldenBody)
	f.Add(golden[3].advanced64, goldenBody)
	f.Add("t=1,v1=", "")
	f.Add("t=,v1=ab,t=2", "{}")
	f.Add("v1==,=,t==", "x")
	f.Add("t=-9223372036854775808,v1=00,w=1", "")
	secrets := []string{goldenShort, goldenLong}
	var verifiers []*Verifier
	for _, v := range everyVersion() {
		verifiers = append(verifiers, mustVerifier(f, v, secrets, 0))
	}
	f.Fuzz(func(t *testing.T, header, body string) {
		for i, v := range everyVersion() {
			err := verifiers[i].Verify(header, []byte(body), goldenNow)
			if (err == nil) != referenceVerify(v, secrets, header, body) {
				t.Errorf("%v: %q over %q: %v", v, header, body, err)
			}
		}
	})
}

// referenceVerify looks for each signature that there could be as text; case
// matters not for hex.
func referenceVerify(v Version, secrets []string, header, body string) bool {
	same := func(a, b string) bool {
		return a == b || v.Encoding == Hex && len(a) == len(b) && strings.EqualFold(a, b)
	}
	stamps, wellFormed := 0, true
	var stamp string
	var texts []string
	for _, part := range strings.Split(header, ",") {
		name, value, ok := strings.Cut(part, "=")
		wellFormed = wellFormed && ok
		if name == "t" {
			stamps, stamp = stamps+1, value
		}
		if strings.HasPrefix(name, "v") && len(name) > 1 && strings.Trim(name[1:], "0123456789") == "" {
			texts = append(texts, value)
		}
	}
	for _, secret := range secrets {
		if !strings.Contains(header, ",") {
			if same(header, referenceMAC(v, secret, body)) {
				return true
			}
			continue
		}
		timely := stamp >= "1795277739" && stamp <= "1795278339" && len(stamp) == 10 && strings.Trim(stamp, "0123456789") == ""
		if !wellFormed || stamps != 1 || !timely {
			return false
		}
		for _, text := range texts {
			if same(text, referenceMAC(v, secret, stamp+","+body)) {
				return true
			}
		}
	}
	return false
}
