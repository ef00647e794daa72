package bench

import (
	"errors"
	"testing"
	"time"
)

// The values were made with openssl dgst -hmac.
const (
	goldenSecret = "whsec_example"
	goldenBody   = `{"n":1}`
	goldenUnix   = 1795278039
	goldenHex    = "c96438bb525366b0df888f785d008ec13d2dd58134cfdc62a884fd5455eec7a7"
	golden512    = "muGDQfxePDTdlu9Ea/V08dUq0t/ssO/+OGier35cB6IR1i5ape9l+T08fhxjDSS5DN8o5O4jBvVsWyJzAtns0Q=="
)

func TestVerifySignature(t *testing.T) {
	good := "t=1795278039,v1=" + goldenHex
	cases := []struct {
		name, header, body string
		at                 int64
		want               error
	}{
		{"good", good, goldenBody, goldenUnix, nil},
		{"good, at the end of the tolerance", good, goldenBody, goldenUnix + 300, nil},
		{"good, the sender's clock is ahead", good, goldenBody, goldenUnix - 300, nil},
		{"second of two secrets", "t=1795278039,v1=00ff,v1=" + goldenHex, goldenBody, goldenUnix, nil},
		{"beside another version", "t=1795278039,v1=" + goldenHex + ",v2=" + golden512, goldenBody, goldenUnix, nil},
		{"missing", "", goldenBody, goldenUnix, ErrSignatureMissing},
		{"stale", good, goldenBody, goldenUnix + 301, ErrSignatureStale},
		{"from the future", good, goldenBody, goldenUnix - 301, ErrSignatureStale},
		{"body changed", good, `{"n": 1}`, goldenUnix, ErrSignatureWrong},
		{"time changed", "t=1795278040,v1=" + goldenHex, goldenBody, goldenUnix, ErrSignatureWrong},
		{"only another version", "t=1795278039,v2=" + goldenHex, goldenBody, goldenUnix, ErrSignatureWrong},
		{"not hex", "t=1795278039,v1=zz", goldenBody, goldenUnix, ErrSignatureWrong},
		{"cut short", good[:len(good)-2], goldenBody, goldenUnix, ErrSignatureWrong},
		{"simple form", goldenHex, goldenBody, goldenUnix, ErrSignatureForm},
		{"no time", "v1=" + goldenHex + ",t=1795278039", goldenBody, goldenUnix, ErrSignatureForm},
		{"time is no number", "t=now,v1=" + goldenHex, goldenBody, goldenUnix, ErrSignatureForm},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := VerifySignature([]byte(c.header), []byte(c.body), goldenSecret, time.Unix(c.at, 0), 300*time.Second)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	err := VerifySignature([]byte(good), []byte(goldenBody), "another secret", time.Unix(goldenUnix, 0), time.Minute)
	if !errors.Is(err, ErrSignatureWrong) {
		t.Errorf("another secret: got %v", err)
	}
}
