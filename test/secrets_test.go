package test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	receiving "posthaste/receiver"
)

// create makes an endpoint as a client that says no more than it must, with a
// subscription to everything.
func (p *project) create(url string, extra object) (e endpointView) {
	p.t.Helper()
	p.do("POST", "/endpoints", with(object{"name": "receiver", "url": url}, extra), &e)
	p.do("POST", "/subscriptions", object{"name": "all", "endpoint_id": e.UID}, nil)
	return e
}

// TestSecretIsMade: an endpoint that is made without a secret has one of its own, and
// one that is made with a secret has that; each signs.
func TestSecretIsMade(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, nil)
	seen := make(map[string]bool)
	for i, extra := range []object{nil, nil, {"secret": "a secret of my own"}} {
		e := p.create(in.URL, extra)
		if len(e.Secrets) != 1 || len(e.Secrets[0].Value) < 18 || e.Secrets[0].ExpiresAt != nil || seen[e.Secrets[0].Value] {
			t.Fatalf("the secrets are %+v", e.Secrets)
		}
		seen[e.Secrets[0].Value] = true
		p.send(e.UID, `{}`)
		a := in.await(t, i+1)[i]
		if err := a.verify(t, convoySecret(e.Secrets[0].Value)); err != nil {
			t.Error(err)
		}
		if err := a.verify(t, convoySecret("another secret")); !errors.Is(err, receiving.ErrSignature) {
			t.Errorf("by another secret: %v", err)
		}
	}
	if !seen["a secret of my own"] {
		t.Errorf("the secrets are %v", seen)
	}
	e := p.create(in.URL, object{"secret": "the first one, which ends"})
	p.do("PUT", "/endpoints/"+e.UID, object{"secret": "the one that takes its place"}, &e)
	if len(e.Secrets) != 1 || e.Secrets[0].Value != "the one that takes its place" {
		t.Errorf("after an update the secrets are %+v", e.Secrets)
	}
}

// TestSecretRotation: the old secret signs beside the new one until its end, and not
// after it.
func TestSecretRotation(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, nil)
	ep := p.create(in.URL, object{"secret": "the old one"}).UID
	var e endpointView
	p.do("PUT", "/endpoints/"+ep+"/expire_secret", object{"secret": "the new one", "expiration_seconds": 5}, &e)
	if len(e.Secrets) != 2 || e.Secrets[0].ExpiresAt == nil || e.Secrets[1].ExpiresAt != nil {
		t.Fatalf("the secrets are %+v", e.Secrets)
	}
	end := *e.Secrets[0].ExpiresAt
	during, after := 0, 0
	for n := 1; after < 3; n++ {
		sent := time.Now()
		p.send(ep, `{}`)
		a := in.await(t, n)[n-1]
		byOld, byNew := a.verify(t, convoySecret("the old one")), a.verify(t, convoySecret("the new one"))
		switch {
		case byNew != nil:
			t.Error("by the new one:", byNew)
		case a.at.Before(end):
			if during++; byOld != nil || a.signatures("v1") != 2 {
				t.Errorf("%s before its end: %v, %d signatures", end.Sub(a.at), byOld, a.signatures("v1"))
			}
		case sent.After(end):
			if after++; byOld == nil || a.signatures("v1") != 1 {
				t.Errorf("%s after its end: %v, %d signatures", sent.Sub(end), byOld, a.signatures("v1"))
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	if during == 0 {
		t.Error("nothing came while both signed")
	}
	if e := p.endpointOf(ep); e.Secrets[len(e.Secrets)-1].Value != "the new one" {
		t.Errorf("the secrets are %+v", e.Secrets)
	}
}

// TestSecretEndsAtOnce: with an overlap of 0, the next request is signed by the new
// secret only. The overlap is in hours, as Convoy documents it.
func TestSecretEndsAtOnce(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, nil)
	ep := p.create(in.URL, object{"secret": "the old one"}).UID
	p.do("PUT", "/endpoints/"+ep+"/expire_secret", object{"secret": "the new one", "expiration": 0}, nil)
	p.send(ep, `{}`)
	a := in.await(t, 1)[0]
	if err := a.verify(t, convoySecret("the new one")); err != nil || a.signatures("v1") != 1 {
		t.Errorf("%v, %d signatures", err, a.signatures("v1"))
	}
	var e endpointView
	begin := time.Now()
	p.do("PUT", "/endpoints/"+ep+"/expire_secret", object{"expiration": 24}, &e)
	if n := len(e.Secrets); n != 2 || e.Secrets[0].ExpiresAt.Before(begin.Add(24*time.Hour-tick)) || e.Secrets[1].Value == "" {
		t.Errorf("the secrets are %+v", e.Secrets)
	}
	for range 8 {
		p.do("PUT", "/endpoints/"+ep+"/expire_secret", object{"expiration": 24}, nil)
	}
	p.refused("PUT", "/endpoints/"+ep+"/expire_secret", object{"expiration": 24}, "at most 10")
	p.refused("PUT", "/endpoints/"+ep+"/expire_secret", object{"expiration": -1}, "expiration")
	p.send(ep, `{}`)
	if a := in.await(t, 2)[1]; a.signatures("v1") != 10 {
		t.Errorf("%d signatures by 10 secrets", a.signatures("v1"))
	}
}

// hidden are texts that nobody but a receiver or the endpoint's owner may see.
var hidden = []string{
	"signing-q8Zr1vTn5xKd", "rotated-H2mWc7Ypb4Js", "whsec_TW9zdCBzZWNyZXQgb2YgYWxsIHNlY3JldHMh",
	"keyvalue-Lx0eRf6Uz3Ga", "password-Vt9bNs4Qw8Ki", "bearer-Pd5jXy1Mo7Ce", "client-Su6gAh3Fz0Rl", "metasec-Bn8wEk2Jv5Tq",
}

// addHidden makes endpoints with all of these secrets, and returns their ids.
func (p *project) addHidden(url string) (ids []string) {
	p.t.Helper()
	auth := func(a object) object { return object{"authentication": a} }
	for _, extra := range []object{
		{"secret": hidden[0], "name": marker},
		{"secret": hidden[2], "signature_mode": "standard-webhooks"},
		auth(object{"type": "api_key", "api_key": object{"header_name": "X-Custom-Entry", "header_value": hidden[3]}}),
		auth(object{"type": "basic_auth", "basic_auth": object{"username": "user", "password": hidden[4]}}),
		auth(object{"type": "bearer", "bearer": object{"token": hidden[5]}}),
		auth(object{"type": "oauth2", "oauth2": object{"url": url + "/token", "client_id": "me", "client_secret": hidden[6]}}),
	} {
		ids = append(ids, p.create(url, extra).UID)
	}
	p.do("PUT", "/endpoints/"+ids[0]+"/expire_secret", object{"secret": hidden[1], "expiration": 1}, nil)
	return ids
}

// marker is a name, which is no secret: where it is found, a secret would be, too.
const marker = "marker-Zk4uIq9Dw1Xo"

// hiddenMeta is a configuration with the last of the secrets.
func hiddenMeta(url string) object {
	return object{"meta_event": object{"is_enabled": true, "type": "http", "url": url, "secret": hidden[7]}}
}

// TestSecretsAreMasked: listings, attempts, and all that is shown inside of something
// else have no secret in them; an endpoint shows its signing secrets to who asks for
// it, and no credentials.
func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, with(linear(1, 1), hiddenMeta(in.URL)))
	ids := p.addHidden(in.URL)
	for _, id := range ids {
		d := p.deliveryOf(p.send(id, `{}`))
		eventually(t, "an attempt is recorded", func() bool { return len(p.attemptsOf(d.UID)) == 1 })
		p.shows(t, 0, "/eventdeliveries/"+d.UID)
		p.shows(t, 0, "/eventdeliveries/"+d.UID+"/deliveryattempts")
	}
	for _, path := range []string{"/endpoints", "/subscriptions", "/eventdeliveries", "/events", "/meta-events"} {
		p.shows(t, 0, path+"?perPage=1000")
	}
	for i, id := range ids {
		want := 0
		switch i {
		case 0:
			want = 2
		case 1:
			want = 1
		}
		p.shows(t, want, "/endpoints/"+id)
	}
	var all string
	code, a := p.call(rootKey, "GET", "/api/v1/projects", nil)
	if all = string(a.Data); code != 200 || strings.Contains(all, hidden[7]) || !strings.Contains(all, "****") {
		t.Errorf("the list of projects: %d %s", code, all)
	}
}

// shows checks how many of the secrets a path shows.
func (p *project) shows(t *testing.T, want int, path string) {
	t.Helper()
	_, a := p.try("GET", path, nil)
	var found []string
	for _, secret := range hidden {
		if strings.Contains(string(a.Data), secret) {
			found = append(found, secret)
		}
	}
	if len(found) != want || len(a.Data) == 0 {
		t.Errorf("GET %s shows %d of the secrets, %v, want %d", path, len(found), found, want)
	}
}

// TestSecretsAreSealed: no secret is in a file of the data directory, nor in the log,
// nor in a dump; and they still sign after a restart.
func TestSecretsAreSealed(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, with(linear(1, 1), hiddenMeta(in.URL)), "--log-level", "debug")
	ids := p.addHidden(in.URL)
	for _, id := range ids {
		d := p.deliveryOf(p.send(id, `{}`))
		eventually(t, "an attempt is recorded", func() bool { return len(p.attemptsOf(d.UID)) == 1 })
	}
	said := p.log
	p.kill() // what is only in the store's own log is there, too
	p.findsOnlyMarker(t)
	p.start()
	p.stop()
	p.findsOnlyMarker(t)
	dump := p.run("log", "dump", "--data", p.dir, "--json")
	for _, secret := range hidden {
		if strings.Contains(said.String()+p.log.String(), secret) {
			t.Errorf("%s is in the log", secret)
		}
		if strings.Contains(dump, secret) {
			t.Errorf("%s is in the dump", secret)
		}
	}

	p.start()
	before := len(in.arrivals())
	ev := p.send(ids[0], `{"after":"restart"}`)
	p.await(ev, "Success")
	for _, a := range in.arrivals()[before:] {
		if a.body == `{"after":"restart"}` {
			if err := a.verify(t, convoySecret(hidden[1])); err != nil || a.verify(t, convoySecret(hidden[0])) != nil {
				t.Error("after a restart:", err)
			}
		}
	}
}

// findsOnlyMarker reads all files of the data directory, and finds the marker, but
// none of the secrets.
func (p *project) findsOnlyMarker(t *testing.T) {
	t.Helper()
	marked, size := 0, 0
	err := filepath.WalkDir(p.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		size += len(raw)
		if bytes.Contains(raw, []byte(marker)) {
			marked++
		}
		for _, secret := range hidden {
			if bytes.Contains(raw, []byte(secret)) {
				t.Errorf("%s is in %s", secret, path)
			}
		}
		return nil
	})
	if err != nil || marked == 0 {
		t.Errorf("the endpoint's name is in %d files of %d bytes: %v", marked, size, err)
	}
}

// TestSecretsKey: a store does not open without the key that its secrets are sealed
// under, and says which is missing; nothing is lost by trying.
func TestSecretsKey(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, nil)
	ep := p.add(in.URL, nil)
	p.stop()
	path := filepath.Join(p.dir, "secrets.key")
	own, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := newServer(t)
	other.start()
	other.stop()
	another, err := os.ReadFile(filepath.Join(other.dir, "secrets.key"))
	if err != nil {
		t.Fatal(err)
	}

	for name, text := range map[string][]byte{"another key": another, "no key": nil, "damaged": own[:len(own)-9]} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if text != nil {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		code, said := p.startFails()
		if code <= 0 || !strings.Contains(said, "key file") && !strings.Contains(said, "keys for secrets") {
			t.Errorf("%s: it ended with %d and said\n%s", name, code, said)
		}
	}
	if err := os.WriteFile(path, own, 0o600); err != nil {
		t.Fatal(err)
	}
	p.start()
	p.await(p.send(ep, `{}`), "Success")
	if a := in.arrivals()[0]; a.verify(t, convoySecret("endpoint-secret")) != nil {
		t.Error("the secret is another one")
	}
}

// startFails runs the program, which is to end by itself, and returns its exit code and
// what it said.
func (s *server) startFails() (code int, said string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), binary, "serve", "--data", s.dir, "--listen", s.api, "--admin-listen", s.admin, "--console-listen", "", "--log-format", "json")
	cmd.Env = append(os.Environ(), "POSTHASTE_ROOT_KEY="+rootKey)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	overdue := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer overdue.Stop()
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode(), out.String()
}
