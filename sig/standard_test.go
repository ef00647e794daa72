package sig

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// The HMAC secret of the Standard Webhooks libraries' own tests, and the first
// key pair of RFC 8032 section 7.1. What is signed with them in goldenStandard
// was made with Node's crypto module.
const (
	goldenHMAC     = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	goldenSeed     = "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
	goldenPrivate  = "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg=="
	goldenPublic   = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
	goldenID       = "01KB2M3V8W9X"
	goldenV1       = "v1,QkoYWkIXhKdjjhDS/U7I7uOpyPZ0JSrMcngvx3xM3jM="
	goldenV1a      = "v1a,fukBN14dMLf4mNlS9BAkDJCj+rTdqoMgPSPqydty6C2DccRhnpYllr2a+w/nAbTtG+RINbQj0j0/CkCyLRdgAA=="
	goldenStandard = goldenV1 + " " + goldenV1a
)

func TestStandardGolden(t *testing.T) {
	f := func(want, id string, unix int64, body string, secrets ...string) {
		t.Helper()
		got := string(mustStandard(t, secrets...).Append([]byte("kept:"), id, time.Unix(unix, 999), []byte(body)))
		if got != "kept:"+want {
			t.Errorf("%v:\n got %s\nwant kept:%s", secrets, got, want)
		}
	}
	// The value that the libraries test their own signing with.
	f("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, `{"test": 2432232314}`, goldenHMAC)
	golden := func(want string, secrets ...string) {
		t.Helper()
		f(want, goldenID, goldenUnix, goldenBody, secrets...)
	}
	golden(goldenV1, goldenHMAC)
	golden(goldenV1a, goldenSeed)
	golden(goldenV1a, goldenPrivate)
	golden(goldenStandard, goldenHMAC, goldenSeed)
	golden(goldenV1a+" "+goldenV1+" "+goldenV1a, goldenPrivate, goldenHMAC, goldenSeed)
}

// TestStandardAgainstReference compares with crypto/hmac and crypto/ed25519 for
// every length of key, ids around the room kept for them and large bodies.
func TestStandardAgainstReference(t *testing.T) {
	bodies := []string{"", "{}", strings.Repeat("b", 55), strings.Repeat("c", keptMessageBytes)}
	for n := minHMACBytes; n <= maxHMACBytes; n++ {
		secrets := []string{hmacPrefix + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", n))), goldenPrivate}
		s := mustStandard(t, secrets...)
		id := strings.Repeat("i", n+10)
		body := bodies[n%3]
		if n == maxHMACBytes {
			body = bodies[3]
		}
		got := string(s.Append(nil, id, time.Unix(int64(-n), 0), []byte(body)))
		want := referenceStandard(secrets, id, fmt.Sprint(-n), body)
		if got != want {
			t.Errorf("key of %d bytes, body of %d:\n got %s\nwant %s", n, len(body), got, want)
		}
	}
}

// referenceStandard signs the plain way.
func referenceStandard(secrets []string, id, stamp, body string) string {
	text := []byte(id + "." + stamp + "." + body)
	var list []string
	for _, secret := range secrets {
		kind, encoded, _ := strings.Cut(secret, "_")
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			panic(err)
		}
		label, sum := "v1a,", []byte(nil)
		if kind == "whsec" {
			m := hmac.New(sha256.New, raw)
			m.Write(text)
			label, sum = "v1,", m.Sum(nil)
		} else {
			sum = ed25519.Sign(ed25519.NewKeyFromSeed(raw[:32]), text)
		}
		list = append(list, label+base64.StdEncoding.EncodeToString(sum))
	}
	return strings.Join(list, " ")
}

func TestStandardSecrets(t *testing.T) {
	text := func(n int) string { return base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", n))) }
	f := func(secret, want string) {
		t.Helper()
		err := CheckStandardSecret(secret)
		_, errNew := NewStandard([]string{goldenHMAC, secret})
		if want == "" {
			if err != nil || errNew != nil {
				t.Errorf("%s: %v, %v", secret, err, errNew)
			}
			return
		}
		if !errors.Is(err, ErrStandardSecret) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", secret, err, want)
		}
		if !errors.Is(errNew, ErrStandardSecret) || !strings.HasPrefix(errNew.Error(), "secret 2: ") {
			t.Errorf("%s: NewStandard: %v", secret, errNew)
		}
		if len(secret) > 12 && strings.Contains(err.Error(), secret[8:]) {
			t.Errorf("%s is shown: %v", secret, err)
		}
	}
	f(goldenHMAC, "")
	f(goldenSeed, "")
	f(goldenPrivate, "")
	f("whsec_"+text(24), "")
	f("whsec_"+text(64), "")

	f("", `give "whsec_" and the base64 of 24 to 64 random bytes`)
	f("whsec", "begins neither")
	f("endpoint-secret", "begins neither")
	f(text(32), "begins neither")
	f("WHSEC_"+text(32), "begins neither")
	f(" "+goldenHMAC, "begins neither")
	f("whsec__"+text(32), "not base64")
	f(goldenPublic, "which cannot sign: give the whsk_ secret")
	f("whsec_", "0 bytes behind whsec_: give 24 to 64")
	f("whsec_"+text(23), "23 bytes behind whsec_")
	f("whsec_"+text(65), "65 bytes behind whsec_")
	f("whsec_"+strings.TrimRight(text(32), "="), "not base64")
	f("whsec_"+text(32)+"\n", "not base64")
	f("whsec_"+text(12)+"\r\n"+text(24), "not base64")
	f("whsec_"+strings.Repeat("-_", 22), "not base64")
	f("whsec_"+strings.Repeat("A", 42)+"B=", "not base64") // bits that stand for nothing
	f("whsk_"+text(31), "31 bytes behind whsk_: give the 32 of an ed25519 seed, or the 64")
	f("whsk_"+text(33), "33 bytes")
	f("whsk_"+text(64), "does not belong to its seed")
	if _, err := NewStandard(nil); !errors.Is(err, ErrNoSecret) {
		t.Errorf("no secret: %v", err)
	}
}

func TestNewStandardSecrets(t *testing.T) {
	if a, b := NewStandardSecret(), NewStandardSecret(); a == b || CheckStandardSecret(a) != nil || len(a) != len("whsec_")+44 {
		t.Errorf("made %s and %s: %v", a, b, CheckStandardSecret(a))
	}
	secret, public := NewStandardKeyPair()
	if other, _ := NewStandardKeyPair(); other == secret || CheckStandardSecret(secret) != nil {
		t.Errorf("made %s and %s: %v", secret, other, CheckStandardSecret(secret))
	}
	if StandardPublicKey(secret) != public {
		t.Errorf("%s goes with %s, not %s", public, secret, StandardPublicKey(secret))
	}
	header := string(mustStandard(t, secret).Append(nil, goldenID, goldenNow, nil))
	if err := mustStandardVerifier(t, 0, public).Verify(goldenID, fmt.Sprint(goldenUnix), header, nil, goldenNow); err != nil {
		t.Error(err)
	}
}

func TestStandardPublicKey(t *testing.T) {
	for secret, want := range map[string]string{
		goldenSeed: goldenPublic, goldenPrivate: goldenPublic,
		goldenHMAC: "", goldenPublic: "", "": "", "text": "", goldenPrivate + "=": "",
	} {
		if got := StandardPublicKey(secret); got != want {
			t.Errorf("%s: got %q, want %q", secret, got, want)
		}
	}
}

func TestStandardDoesNotAllocate(t *testing.T) {
	body := []byte(strings.Repeat("b", 1024))
	stamp := fmt.Sprint(goldenUnix)
	id := strings.Repeat("i", 64)
	for _, secrets := range [][]string{{goldenHMAC}, {goldenPrivate}, {goldenHMAC, goldenPrivate, goldenHMAC}} {
		s := mustStandard(t, secrets...)
		checkAllocs(t, secrets, func() {
			var buf [1024]byte
			if len(s.Append(buf[:0], id, goldenNow, body)) == 0 {
				t.Error("nothing appended")
			}
		})
		header := string(s.Append(nil, id, goldenNow, body))
		v := mustStandardVerifier(t, 0, secrets[0])
		checkAllocs(t, "verify", func() {
			if err := v.Verify(id, stamp, header, body, goldenNow); err != nil {
				t.Error(err)
			}
		})
	}
}

func mustStandard(t testing.TB, secrets ...string) *Standard {
	t.Helper()
	s, err := NewStandard(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustStandardVerifier(t testing.TB, tolerance time.Duration, secrets ...string) *StandardVerifier {
	t.Helper()
	v, err := NewStandardVerifier(secrets, tolerance)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
