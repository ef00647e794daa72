package test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	receiving "posthaste/receiver"
	"posthaste/sig"
)

// What verifies Standard Webhooks here: the published libraries, which know v1
// alone; Node's crypto module for v1a; and our own package receiver for both.
var (
	v1Libraries  = []string{"standardwebhooks", "svix", "svix-v1", "go", "receiver"}
	v1aLibraries = []string{"ed25519", "receiver"}
)

// standardBodies are sent as they are; a library that parses one and writes it
// again does not verify it.
var standardBodies = map[string]string{
	"empty object": `{}`,
	"unicode":      `{"name":"Zoë Ångström 東京 🚀","escaped":"\u00e9\ud83d\ude80","separator":"` + "\u2028" + `"}`,
	"markup":       `{"html":"<a href=\"?a=1&b=2\">'x'</a>","slash":"\/"}`,
	"numbers":      `{"big":123456789012345678901234567890,"id":9007199254740993,"price":1.50,"tiny":1e-400,"exp":1E+2,"zero":-0.0}`,
	"whitespace":   " {\r\n\t\"b\" : [ 1 , 2 ] ,\n  \"a\":null }\n\n",
	"dots":         `1795278039.5`,
	"repeats":      `{"a":1,"a":2,"":{"":[[[]]]}}`,
	"large":        `{"data":"` + strings.Repeat("é0123456789", 20_000) + `"}`,
	"form":         `amount=1.50&name=Zo%C3%AB+%3C%26%3E`,
}

// standardDelivery is one request to be verified, by one library that knows one
// secret.
type standardDelivery struct {
	name string
	want string // "": it verifies; otherwise part of the library's error

	Library   string `json:"library"`
	Secret    string `json:"secret"`
	ID        string `json:"id"`
	Timestamp string `json:"timestamp"`
	Signature string `json:"signature"`
	Body      []byte `json:"body"` // base64
	JSON      bool   `json:"json"` // the body is JSON
}

// signStandard makes a delivery as an endpoint with these secrets gets it.
func signStandard(t *testing.T, at time.Time, body string, secrets ...string) standardDelivery {
	t.Helper()
	s, err := sig.NewStandard(secrets)
	if err != nil {
		t.Fatal(err)
	}
	const id = "01KB2M3V8W9XQZ6T5R4P3N2M1K"
	return standardDelivery{
		ID: id, Timestamp: fmt.Sprint(at.Unix()), Signature: string(s.Append(nil, id, at, []byte(body))),
		Body: []byte(body), JSON: json.Valid([]byte(body)),
	}
}

// by asks each of the libraries, each with this secret alone. svix-v1 verifies what
// is no JSON, and then fails to parse it.
func (d standardDelivery) by(libraries []string, secret, name, want string) []standardDelivery {
	var all []standardDelivery
	for _, library := range libraries {
		if library == "svix-v1" && !d.JSON && want == "" {
			continue
		}
		d.Library, d.Secret, d.name, d.want = library, secret, name, want
		all = append(all, d)
	}
	return all
}

// TestStandardWebhooksLibraries: what package sig signs is verified by the
// libraries that receivers use, whatever the body, with one secret and during a
// rotation, and what was changed on the way is not.
func TestStandardWebhooksLibraries(t *testing.T) {
	old, current := sig.NewStandardSecret(), sig.NewStandardSecret()
	private, public := sig.NewStandardKeyPair()
	oldPrivate, oldPublic := sig.NewStandardKeyPair()
	installClients(t) // which may take longer than a signature is good for
	now := time.Now()

	var all []standardDelivery
	add := func(more []standardDelivery) { all = append(all, more...) }
	for name, body := range standardBodies {
		add(signStandard(t, now, body, current).by(v1Libraries, current, name+", one whsec_", ""))
		add(signStandard(t, now, body, private).by(v1aLibraries, public, name+", one whsk_", ""))

		rotated := signStandard(t, now, body, old, current)
		add(rotated.by(v1Libraries, old, name+", rotation, old whsec_", ""))
		add(rotated.by(v1Libraries, current, name+", rotation, new whsec_", ""))

		both := signStandard(t, now, body, old, private)
		add(both.by(v1Libraries, old, name+", whsec_ of whsec_ and whsk_", ""))
		add(both.by(v1aLibraries, public, name+", whsk_ of whsec_ and whsk_", ""))

		four := signStandard(t, now, body, oldPrivate, old, private, current)
		add(four.by(v1Libraries, current, name+", last of four secrets", ""))
		add(four.by(v1aLibraries, oldPublic, name+", first of four secrets", ""))
	}

	const mismatch, noV1a = "atch", "no v1a" // "No matching signature found", "does not match"
	refused := func(name string, d standardDelivery) {
		add(d.by(v1Libraries, old, name, mismatch))
		add(d.by(v1aLibraries[:1], public, name, noV1a))
		add(d.by(v1aLibraries[1:], public, name, mismatch))
	}
	changed := signStandard(t, now, `{"amount":1.50}`, old, private)
	changed.Body = []byte(`{"amount":1.5}`)
	refused("changed body", changed)
	changed = signStandard(t, now, `{}`, old, private)
	changed.ID += "0"
	refused("another id", changed)
	changed = signStandard(t, now, `{}`, old, private)
	changed.Timestamp = fmt.Sprint(now.Unix() - 1)
	refused("another timestamp", changed)
	refused("other secrets", signStandard(t, now, `{}`, current, oldPrivate))
	for name, ahead := range map[string]time.Duration{"too old": -6 * time.Minute, "too new": 6 * time.Minute} {
		stale := signStandard(t, now.Add(ahead), `{}`, old, private)
		add(stale.by(v1Libraries[:4], old, name, "timestamp "+name))
		add(stale.by(v1Libraries[4:], old, name, "outside the tolerance"))
		add(stale.by(v1aLibraries[1:], public, name, "outside the tolerance"))
	}
	verifyAll(t, all)
}

// verifyAll has every delivery verified and compares with what is wanted.
func verifyAll(t *testing.T, all []standardDelivery) {
	t.Helper()
	installClients(t)
	var forNode []any
	for _, d := range all {
		if !d.inGo() {
			forNode = append(forNode, d)
		}
	}
	answers := runNode(t, "verify.mjs", forNode)
	type count struct{ verified, refused int }
	counts := map[string]count{}
	for _, d := range all {
		var got string
		if d.inGo() {
			got = d.verify(t)
		} else {
			got, answers = d.read(t, answers[0]), answers[1:]
		}
		if d.want == "" && got != "" || d.want != "" && !strings.Contains(got, d.want) {
			t.Errorf("%s, %s: answered %q, want %q", d.Library, d.name, got, d.want)
		}
		c := counts[d.Library]
		if got == "" {
			c.verified++
		} else {
			c.refused++
		}
		counts[d.Library] = c
	}
	for _, library := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%-16s %3d verified, %2d refused", library, counts[library].verified, counts[library].refused)
	}
}

// inGo tells whether the library is called here, not on Node.
func (d *standardDelivery) inGo() bool { return d.Library == "go" || d.Library == "receiver" }

// verify returns the library's error, "" for none.
func (d *standardDelivery) verify(t *testing.T) string {
	t.Helper()
	h := http.Header{}
	h.Set("webhook-id", d.ID)
	h.Set("webhook-timestamp", d.Timestamp)
	h.Set("webhook-signature", d.Signature)
	var library interface {
		Verify(body []byte, h http.Header) error
	}
	var err error
	if d.Library == "go" {
		library, err = standardwebhooks.NewWebhook(d.Secret)
	} else {
		library, err = newReceiving(d.Secret)
	}
	if err == nil {
		err = library.Verify(d.Body, h)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// receivingVerifier is package receiver's, with the arguments in the others' order.
type receivingVerifier struct{ *receiving.Verifier }

func newReceiving(secret string) (receivingVerifier, error) {
	v, err := receiving.New(receiving.Options{Standard: &receiving.Standard{Secrets: []string{secret}}})
	return receivingVerifier{v}, err
}

func (v receivingVerifier) Verify(body []byte, h http.Header) error {
	return v.Verifier.Verify(h, body)
}

// read returns the error in verify.mjs's answer, "" for none.
func (d *standardDelivery) read(t *testing.T, answer json.RawMessage) string {
	t.Helper()
	var a struct {
		OK    bool
		Error string
	}
	if err := json.Unmarshal(answer, &a); err != nil || a.OK != (a.Error == "") {
		t.Fatalf("%s, %s: answered %s", d.Library, d.name, answer)
	}
	return a.Error
}

// clientsDir is the folder of the programs that run on Node.
const clientsDir = "clients"

// installClients has npm install what package-lock.json names, if it is not
// installed yet. Tests that need it fail where there is no Node.
func installClients(t *testing.T) {
	t.Helper()
	lock, err := os.Open(filepath.Join(clientsDir, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil { // another run of the tests may install, too
		t.Fatal(err)
	}
	sum := sha256.New()
	if _, err := bufio.NewReader(lock).WriteTo(sum); err != nil {
		t.Fatal(err)
	}
	want := hex.EncodeToString(sum.Sum(nil))
	installed := filepath.Join(clientsDir, "node_modules", ".installed")
	if got, _ := os.ReadFile(installed); string(got) == want {
		return
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = clientsDir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci in test/%s, which needs Node 20 or newer and a registry: %v\n%s", clientsDir, err, out)
	}
	if err := os.WriteFile(installed, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// runNode gives a program one line of JSON for each value and returns the line
// that it answers to each.
func runNode(t *testing.T, script string, values []any) []json.RawMessage {
	t.Helper()
	var in bytes.Buffer
	for _, v := range values {
		line, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(line, '\n'))
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "node", script)
	cmd.Dir, cmd.Stdin, cmd.Stderr = clientsDir, &in, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node %s, which needs Node 20 or newer: %v\n%s", script, err, &stderr)
	}
	lines := slices.Collect(bytes.Lines(out))
	if len(lines) != len(values) {
		t.Fatalf("node %s: %d answers to %d lines\n%s", script, len(lines), len(values), &stderr)
	}
	answers := make([]json.RawMessage, len(lines))
	for i, line := range lines {
		answers[i] = line
	}
	return answers
}
