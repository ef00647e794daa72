package sig

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"testing"
	"time"
)

// The plain way to sign, to compare with.

var referenceHashes = map[string]func() hash.Hash{
	"MD5":        md5.New,
	"SHA1":       sha1.New,
	"SHA224":     sha256.New224,
	"SHA256":     sha256.New,
	"SHA384":     sha512.New384,
	"SHA512":     sha512.New,
	"SHA3_224":   func() hash.Hash { return sha3.New224() },
	"SHA3_256":   func() hash.Hash { return sha3.New256() },
	"SHA3_384":   func() hash.Hash { return sha3.New384() },
	"SHA3_512":   func() hash.Hash { return sha3.New512() },
	"SHA512_224": sha512.New512_224,
	"SHA512_256": sha512.New512_256,
}

func referenceMAC(v Version, secret, message string) string {
	m := hmac.New(referenceHashes[v.Hash], []byte(secret))
	m.Write([]byte(message))
	if v.Encoding == Base64 {
		return base64.StdEncoding.EncodeToString(m.Sum(nil))
	}
	return hex.EncodeToString(m.Sum(nil))
}

func referenceHeader(versions []Version, secrets []string, advanced bool, unix int64, body string) string {
	if !advanced {
		return referenceMAC(versions[len(versions)-1], secrets[len(secrets)-1], body)
	}
	parts := []string{fmt.Sprintf("t=%d", unix)}
	for i, v := range versions {
		for _, s := range secrets {
			parts = append(parts, fmt.Sprintf("v%d=%s", i+1, referenceMAC(v, s, fmt.Sprintf("%d,%s", unix, body))))
		}
	}
	return strings.Join(parts, ",")
}

func everyVersion() []Version {
	var all []Version
	for _, h := range Hashes() {
		all = append(all, Version{h, Hex}, Version{h, Base64})
	}
	return all
}

// TestAgainstHMAC compares every hash, encoding and format with crypto/hmac,
// for secrets around the block sizes and bodies around the padding.
func TestAgainstHMAC(t *testing.T) {
	var secrets []string
	for _, n := range []int{1, 63, 64, 65, 72, 104, 127, 128, 129, 136, 144, 145, 256} {
		secrets = append(secrets, strings.Repeat("k", n-1)+string(rune('A'+n%26)))
	}
	bodies := []string{"", "{}", strings.Repeat("b", 55), strings.Repeat("c", 111), strings.Repeat("d", 1500)}
	for _, v := range everyVersion() {
		for _, advanced := range []bool{false, true} {
			for _, secret := range secrets {
				compare(t, []Version{v}, []string{secret}, advanced, bodies)
			}
		}
	}
	compare(t, everyVersion(), secrets, true, bodies)
	compare(t, everyVersion(), secrets, false, bodies)
}

func compare(t *testing.T, versions []Version, secrets []string, advanced bool, bodies []string) {
	t.Helper()
	s := mustSigner(t, versions, secrets, advanced)
	for i, body := range bodies {
		unix := int64(goldenUnix + i)
		got := s.Append(nil, time.Unix(unix, 0), []byte(body))
		want := referenceHeader(versions, secrets, advanced, unix, body)
		if !bytes.Equal(got, []byte(want)) {
			t.Errorf("%v advanced %v, body of %d:\n got %s\nwant %s", versions, advanced, len(body), got, want)
		}
	}
}
