package sig

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestNewRefuses(t *testing.T) {
	good := Version{"SHA256", Hex}
	f := func(versions []Version, secrets []string, want error, text string) {
		t.Helper()
		for _, advanced := range []bool{false, true} {
			_, err := New(versions, secrets, advanced)
			if !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
				t.Errorf("advanced %v: got %v, want %v with %q", advanced, err, want, text)
			}
		}
	}
	f(nil, []string{"s"}, ErrNoVersion, "")
	f([]Version{good}, nil, ErrNoSecret, "")
	f([]Version{good}, []string{"s3cret", "", "s"}, ErrNoSecret, "secret 2")
	f([]Version{good, {"sha256", Hex}, good}, []string{"s"}, ErrUnknownHash, `signature version 2: hash "sha256"`)
	f([]Version{good, {"SHA256", "HEX"}, good}, []string{"s"}, ErrUnknownEncoding, `signature version 2: encoding "HEX"`)
	f([]Version{{"", ""}}, []string{"s"}, ErrUnknownHash, "version 1")
}

func TestErrorsDoNotShowSecrets(t *testing.T) {
	_, err := New([]Version{{"SHA256", Hex}}, []string{"s3cret", ""}, true)
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Fatalf("got %v", err)
	}
}

func TestCheckVersionTakesEveryHash(t *testing.T) {
	for _, v := range everyVersion() {
		if err := CheckVersion(v); err != nil {
			t.Errorf("%v: %v", v, err)
		}
	}
}

func TestHashesReturnsACopy(t *testing.T) {
	Hashes()[0] = "changed"
	if !slices.Contains(Hashes(), "MD5") {
		t.Fatal("the list of hashes was changed from outside")
	}
}

func TestTimestamped(t *testing.T) {
	for _, advanced := range []bool{false, true} {
		s := mustSigner(t, []Version{{"SHA256", Hex}}, []string{"s"}, advanced)
		if s.Timestamped() != advanced {
			t.Errorf("advanced %v: Timestamped %v", advanced, s.Timestamped())
		}
	}
}

func TestTimestampIsWholeSeconds(t *testing.T) {
	s := mustSigner(t, []Version{{"SHA256", Hex}}, []string{"s"}, true)
	f := func(now time.Time, want string) {
		t.Helper()
		got := string(s.Append(nil, now, []byte("x")))
		if !strings.HasPrefix(got, want) {
			t.Errorf("%v: got %s, want the prefix %s", now, got, want)
		}
	}
	f(time.Unix(1, 999_999_999), "t=1,")
	f(time.Unix(0, 0).In(time.FixedZone("x", 3600)), "t=0,")
	f(time.Unix(-7, 0), "t=-7,")
}

// TestConcurrentUse signs with several signers that share the pools; the race
// detector and the comparison find a hasher that two goroutines hold.
func TestConcurrentUse(t *testing.T) {
	versions := everyVersion()
	var wg sync.WaitGroup
	for g := range 4 {
		secrets := []string{strings.Repeat("s", g+1), "other"}
		s := mustSigner(t, versions, secrets, true)
		want := referenceHeader(versions, secrets, true, int64(g), goldenBody)
		for range 2 {
			wg.Go(func() {
				var buf []byte
				for range 20 {
					buf = s.Append(buf[:0], time.Unix(int64(g), 0), []byte(goldenBody))
					if string(buf) != want {
						t.Errorf("goroutine %d: got %s, want %s", g, buf, want)
						return
					}
				}
			})
		}
	}
	wg.Wait()
}

func TestAppendDoesNotAllocate(t *testing.T) {
	body := []byte(strings.Repeat("b", 1024))
	now := time.Unix(goldenUnix, 0)
	for _, v := range everyVersion() {
		for _, advanced := range []bool{false, true} {
			s := mustSigner(t, []Version{v, v}, []string{"old", "new"}, advanced)
			checkAllocs(t, v, func() {
				var buf [1024]byte
				if len(s.Append(buf[:0], now, body)) == 0 {
					t.Error("nothing appended")
				}
			})
		}
	}
}

func TestVerifyDoesNotAllocate(t *testing.T) {
	body := []byte(strings.Repeat("b", 1024))
	now := time.Unix(goldenUnix, 0)
	for _, v := range everyVersion() {
		header := string(mustSigner(t, []Version{v}, []string{"old", "new"}, true).Append(nil, now, body))
		r := mustVerifier(t, v, []string{"other", "new"}, 0)
		checkAllocs(t, v, func() {
			if err := r.Verify(header, body, now); err != nil {
				t.Error(err)
			}
		})
	}
}
