package test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"posthaste/sig"
)

// hashBody has what a signer that writes its body anew would change.
const hashBody = ` {"id":12345678901234567890,"price":1.50,"name":"Zoë 東京 🚀","html":"<a href='?a=1&b=2'>"} ` + "\n"

// convoyRequest is a request whose signature header convoy.mjs makes.
type convoyRequest struct {
	Versions []convoyVersion `json:"versions"`
	Secrets  []string        `json:"secrets"`
	Unix     *int64          `json:"unix"` // nil: simple
	Body     []byte          `json:"body"` // base64

	name string // hash, encoding and format
}

type convoyVersion struct {
	Hash     string `json:"hash"`
	Encoding string `json:"encoding"`
}

// TestHashes: twelve hashes, two encodings, simple and advanced, each made by
// package sig and by Node's crypto module, and the hashes by openssl, too. The last
// is all versions at once, with two secrets.
func TestHashes(t *testing.T) {
	// The first is longer than the block of every hash.
	secrets := []string{"clé-" + strings.Repeat("secret of the endpoint, longer than a block ", 4), "new secret"}
	unix := time.Now().Unix()
	var requests []convoyRequest
	var every []convoyVersion
	for _, hash := range sig.Hashes() {
		for _, encoding := range []string{sig.Hex, sig.Base64} {
			v := convoyVersion{hash, encoding}
			every = append(every, v)
			r := convoyRequest{Versions: []convoyVersion{v}, Secrets: secrets[:1], Body: []byte(hashBody)}
			r.name = fmt.Sprintf("%-10s  %-6s  simple  ", hash, encoding)
			requests = append(requests, r)
			r.name = fmt.Sprintf("%-10s  %-6s  advanced", hash, encoding)
			r.Unix = &unix
			requests = append(requests, r)
		}
	}
	if len(requests) != 12*2*2 {
		t.Fatalf("%d combinations, want 48", len(requests))
	}
	requests = append(requests, convoyRequest{Versions: every, Secrets: secrets, Unix: &unix, Body: []byte(hashBody), name: "all, with two secrets       "})

	lines := make([]any, len(requests))
	for i, r := range requests {
		lines[i] = r
	}
	for i, answer := range runNode(t, "convoy.mjs", lines) {
		var want string
		if err := json.Unmarshal(answer, &want); err != nil {
			t.Fatal(err)
		}
		requests[i].compare(t, want)
	}
}

// compare makes the header with package sig and compares it with Node's, and if it
// is a simple one in hex, which is what openssl prints, with openssl's.
func (r *convoyRequest) compare(t *testing.T, node string) {
	t.Helper()
	got := r.sign(t)
	checked := "node"
	if got != node {
		t.Errorf("%s:\n  sig %s\n node %s", r.name, got, node)
	}
	if v := r.Versions[0]; r.Unix == nil && v.Encoding == sig.Hex {
		checked = "node, openssl"
		if want := openssl(t, v.Hash, r.Secrets[0], r.Body); got != want {
			t.Errorf("%s:\n     sig %s\n openssl %s", r.name, got, want)
		}
	}
	shown := got
	if len(shown) > 48 {
		shown = shown[:48] + "..."
	}
	t.Logf("%s  = %-13s  %s", r.name, checked, shown)
}

func (r *convoyRequest) sign(t *testing.T) string {
	t.Helper()
	var versions []sig.Version
	for _, v := range r.Versions {
		versions = append(versions, sig.Version(v))
	}
	s, err := sig.New(versions, r.Secrets, r.Unix != nil)
	if err != nil {
		t.Fatal(err)
	}
	var at time.Time
	if r.Unix != nil {
		at = time.Unix(*r.Unix, 0)
	}
	return string(s.Append(nil, at, r.Body))
}

// openssl computes an HMAC with the command of that name, in hex.
func openssl(t *testing.T, hash, secret string, body []byte) string {
	t.Helper()
	digest := strings.ToLower(strings.Replace(hash, "_", "-", 1))
	cmd := exec.CommandContext(t.Context(), "openssl", "dgst", "-"+digest, "-mac", "HMAC",
		"-macopt", "hexkey:"+hex.EncodeToString([]byte(secret)), "-binary")
	cmd.Stdin = bytes.NewReader(body)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl dgst -%s: %v", digest, err)
	}
	return hex.EncodeToString(out)
}
