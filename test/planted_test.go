package test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"posthaste/wal"
)

// plants are secrets, each of them a text that is nowhere else, and the places that were
// read to look for them.
type plants struct {
	t       *testing.T
	secrets map[string][][]byte // by what they are: their forms
	places  []place
}

// place is something that a secret may have come to.
type place struct {
	name string
	text []byte
}

// shownOnPurpose are the places where a secret belongs, as beginnings of the names of both.
var shownOnPurpose = []struct{ secret, place, why string }{
	{"instance key", "stdout", "shown once, when it was made"},
	{"instance key", "file instance.key", "kept there"},
	{"pepper", "file pepper.key", "kept there"},
	{"seal key", "file secrets.key", "kept there"},
	{"API key", "API POST keys", "shown once, when it was made"},
	{"API key", "API POST projects", "the first one, shown once"},
	{"portal token", "API POST portal-links", "who makes a link gives it to others"},
	{"portal token", "API manage GET portal-links", "who may manage reads it again, and the audit log says so"},
	{"portal session", "API POST portal token", "made for who asks"},
	{"portal session", "API manage GET portal session", "made for who asks, and the audit log says so"},
	{"signing secret", "API manage", "who may manage reads it again, and the audit log says so"},
	{"signing secret", "API portal GET own endpoint", "of the bearer's own endpoint"},
	{"signing secret", "API POST endpoints", "who makes one"},
	{"operational secret", "API POST projects", "who makes one"},
	{"operational secret", "API manage GET project", "who may manage reads it again, and the audit log says so"},
	{"access token", "API manage POST oauth2 test", "Convoy's answer to a try"},
	{"payload", "store", "it is what is stored"},
	{"payload", "file log/", "it is what is stored"},
	{"payload", "API", "it is what is shown"},
	{"payload", "command event", "it is what is shown"},
	{"event header", "store", "it is what is stored"},
	{"event header", "file log/", "it is what is stored"},
	{"event header", "API manage", "it is what is shown"},
	{"event header", "API portal", "the link may manage, and these are the owner's own events"},
}

// plant makes a secret's text, and remembers it. kind comes first in it.
func (p *plants) plant(kind string) string {
	text := strings.ReplaceAll("planted-"+kind, " ", "-") + "-" + rand.Text()
	p.remember(kind, text)
	return text
}

// remember notes the forms in which a text may turn up: as it is, in base64 at any place,
// in hexadecimal.
func (p *plants) remember(kind string, text string) {
	forms := [][]byte{[]byte(text)}
	for shift := range 3 {
		coded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), text...))
		forms = append(forms, []byte(coded[4:len(coded)-4]))
	}
	forms = append(forms, []byte(hex.EncodeToString([]byte(text))))
	p.secrets[kind] = append(p.secrets[kind], forms...)
}

func (p *plants) see(name string, text []byte) { p.places = append(p.places, place{name, text}) }

// search looks for every secret in every place.
func (p *plants) search() {
	sums := map[string][2]int{}
	var order []string
	allowed, searched := map[string]int{}, 0
	for _, at := range p.places {
		group, _, _ := strings.Cut(at.name, " ")
		if _, known := sums[group]; !known {
			order = append(order, group)
		}
		sums[group] = [2]int{sums[group][0] + 1, sums[group][1] + len(at.text)}
		searched += len(at.text)
		for kind, forms := range p.secrets {
			for _, form := range forms {
				i := bytes.Index(at.text, form)
				if i < 0 {
					continue
				}
				if ok := slices.IndexFunc(shownOnPurpose, func(s struct{ secret, place, why string }) bool {
					return strings.HasPrefix(kind, s.secret) && strings.HasPrefix(at.name, s.place)
				}); ok >= 0 {
					allowed[kind]++
					continue
				}
				p.t.Errorf("%s: the %s is in it: ...%q...", at.name, kind, at.text[max(0, i-60):min(len(at.text), i+len(form)+20)])
			}
		}
	}
	p.t.Logf("%-10s %8s %12s", "PLACE", "TEXTS", "BYTES")
	for _, group := range order {
		p.t.Logf("%-10s %8d %12d", group, sums[group][0], sums[group][1])
	}
	p.t.Logf("%d secrets, %d bytes searched; shown on purpose: %v", len(p.secrets), searched, allowed)
	for _, group := range []string{"API", "stderr", "stdout", "admin", "proc", "file", "store", "command"} {
		if sums[group][1] == 0 {
			p.t.Errorf("nothing was read of %s", group)
		}
	}
	if len(allowed) < 10 {
		p.t.Errorf("only %v were found where they belong: does the search work?", allowed)
	}
}

// ask sends a request and sees the answer.
func (p *plants) ask(s *server, label, key, method, path string, body any) (int, answer) {
	p.t.Helper()
	code, a := s.call(key, method, path, body)
	p.see("API "+label, append([]byte(a.Message+"\n"), a.Data...))
	return code, a
}

// must is ask for what has to succeed.
func (p *plants) must(s *server, label, key, method, path string, body, out any) {
	p.t.Helper()
	code, a := p.ask(s, label, key, method, path, body)
	if code/100 != 2 {
		p.t.Fatalf("%s %s: %d %s", method, path, code, a.Message)
	}
	if out != nil {
		if err := json.Unmarshal(a.Data, out); err != nil {
			p.t.Fatal(err)
		}
	}
}

// TestPlantedSecrets plants every secret that there is, has everything done with them that
// there is to do, also what fails, and looks for them wherever something comes out of the
// program.
func TestPlantedSecrets(t *testing.T) {
	t.Parallel()
	p := &plants{t: t, secrets: map[string][][]byte{}}
	s := newServer(t, "--log-level", "debug")
	s.whole, s.out = append(os.Environ(), "GOTRACEBACK=all"), &bytes.Buffer{}
	said := &bytes.Buffer{}
	s.start()
	w := plantWorld(p, s)
	w.useAll()
	w.fail()
	w.look()
	p.readAdmin(s)
	p.readProcess(s)

	// Everything is on disk when it is killed, in the store's log; and in tables when it is
	// stopped. What it says in the end is the stack of every goroutine.
	said.Write(s.log.Bytes())
	s.kill()
	p.readFiles(s.dir)
	s.start()
	w.commands()
	said.Write(s.log.Bytes())
	s.stop()
	p.readFiles(s.dir)
	p.readStore(s.dir)
	p.see("command log dump", []byte(s.run("log", "dump", "--data", s.dir, "--json")))
	s.start()
	if err := s.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
	if said.Write(s.log.Bytes()); !bytes.Contains(s.log.Bytes(), []byte("goroutine ")) {
		t.Error("SIGQUIT showed no stacks")
	}
	p.see("stderr", said.Bytes())
	p.see("stdout", s.out.Bytes())
	p.search()
}

// readAdmin reads what the admin listener shows.
func (p *plants) readAdmin(s *server) {
	for _, path := range []string{
		"/metrics", "/livez", "/readyz", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=1", "/debug/pprof/goroutine?debug=2",
		"/debug/pprof/heap?debug=1", "/debug/pprof/allocs?debug=1", "/debug/pprof/heap", "/debug/pprof/goroutine", "/debug/pprof/threadcreate?debug=1",
		"/debug/pprof/block?debug=1", "/debug/pprof/mutex?debug=1", "/debug/pprof/trace?seconds=0.1", "/nothing",
	} {
		resp, err := http.Get("http://" + s.admin + path)
		if err != nil {
			p.t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			p.t.Fatal(err)
		}
		p.see("admin "+path, text)
	}
}

// readProcess reads what others may see of a process.
func (p *plants) readProcess(s *server) {
	for _, name := range []string{"cmdline", "environ", "comm", "status", "maps"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.cmd.Process.Pid, name))
		if err != nil {
			continue // it is not for us to read
		}
		p.see("proc "+name, text)
	}
}

func (p *plants) readFiles(dir string) {
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		p.see("file "+name, text)
		return err
	})
	if err != nil {
		p.t.Error(err)
	}
}

// readStore reads every record, which compressed tables would hide from who reads files.
func (p *plants) readStore(dir string) {
	l, err := wal.OpenReadOnly(wal.Options{Dir: dir + "/log"})
	if err != nil {
		p.t.Fatal(err)
	}
	defer l.Close()
	var all bytes.Buffer
	if err := l.Raw(func(key, value []byte) error {
		all.Write(key)
		all.Write(value)
		return nil
	}); err != nil {
		p.t.Error(err)
	}
	p.see("store", all.Bytes())
}

// plantedWorld is a project with all of the secrets in it.
type plantedWorld struct {
	*plants
	s               *server
	root            string // the instance key
	project, key    string // the project's path, and its key
	reader, intake  string
	portal, owners  string
	in, down, idp   *httptest.Server
	secure          *httptest.Server
	endpoints       []string
	link            string
	sourceMasks     []string
	secret          map[string]string
	payload, header string
	deliveries      []string
}

func plantWorld(p *plants, s *server) *plantedWorld {
	w := &plantedWorld{plants: p, s: s, secret: map[string]string{}}
	w.keyFiles()
	w.in = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w.down = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(503) }))
	access := p.plant("access token")
	w.idp = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		if r.URL.Path != "/token" { // one that says again what it was told
			rw.WriteHeader(400)
			_ = json.NewEncoder(rw).Encode(object{"error": "invalid_client", "error_description": "unknown: " + r.PostForm.Encode() + r.Header.Get("Authorization")})
			return
		}
		_ = json.NewEncoder(rw).Encode(object{"access_token": access, "token_type": "Bearer", "expires_in": 3600})
	}))
	w.secure = httptest.NewUnstartedServer(w.in.Config.Handler)
	w.secure.Config.ErrorLog = quiet
	w.secure.StartTLS()
	for _, server := range []*httptest.Server{w.in, w.down, w.idp, w.secure} {
		p.t.Cleanup(server.Close)
	}
	var made struct {
		APIKey  struct{ Key string } `json:"api_key"`
		Project struct{ UID string } `json:"project"`
	}
	p.must(s, "POST projects", w.root, "POST", "/api/v1/projects", object{"name": "planted", "type": "outgoing", "config": with(linear(1, 2),
		object{"meta_event": object{"is_enabled": true, "type": "http", "url": w.in.URL, "secret": p.plant("operational secret")}})}, &made)
	w.project, w.key = "/api/v1/projects/"+made.Project.UID, made.APIKey.Key
	p.remember("API key", w.key)
	w.addEndpoints()
	w.addKeys()
	w.addSources()
	w.payload, w.header = p.plant("payload"), p.plant("event header")
	return w
}

// keyFiles remembers what the program made for itself.
func (w *plantedWorld) keyFiles() {
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(w.s.dir, name))
		if err != nil {
			w.t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	w.root = read("instance.key")
	w.remember("instance key", w.root)
	pepper := read("pepper.key")
	raw, _ := hex.DecodeString(pepper)
	w.remember("pepper", pepper)
	w.remember("pepper", string(raw))
	lines := strings.Split(read("secrets.key"), "\n")
	_, sealing, _ := strings.Cut(lines[len(lines)-1], " ")
	raw, _ = base64.StdEncoding.DecodeString(sealing)
	w.remember("seal key", sealing)
	w.remember("seal key", string(raw))
}

// auths are credentials of every kind, to be shown to a receiver, with their secrets.
func (w *plantedWorld) auths() []object {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	number := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	raw, err := key.Bytes()
	if err != nil {
		w.t.Fatal(err)
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		w.t.Fatal(err)
	}
	w.remember("OAuth2 private key", number(raw))
	w.remember("OAuth2 private key", string(raw))
	jwk := object{"kty": "EC", "crv": "P-256", "kid": "k", "x": number(public[1:33]), "y": number(public[33:]), "d": number(raw)}
	secret := func(path, kind string) object {
		return object{"url": w.idp.URL + path, "client_id": "me", "client_secret": w.plant(kind), "authentication_type": "shared_secret"}
	}
	return []object{
		{"type": "api_key", "api_key": object{"header_name": "X-Access", "header_value": w.plant("api key header")}},
		{"type": "basic_auth", "basic_auth": object{"username": "u", "password": w.plant("basic password")}},
		{"type": "bearer", "bearer": object{"token": w.plant("bearer token")}},
		{"type": "oauth2", "oauth2": secret("/token", "OAuth2 client secret")},
		{"type": "oauth2", "oauth2": secret("/echo", "OAuth2 client secret that is echoed")},
		{"type": "oauth2", "oauth2": object{"url": w.idp.URL + "/token", "client_id": "me", "authentication_type": "client_assertion", "signing_key": jwk, "signing_algorithm": "ES256"}},
		{"type": "oauth2", "oauth2": object{"url": w.idp.URL + "/echo", "client_id": "me", "authentication_type": "client_assertion", "signing_key": jwk, "signing_algorithm": "ES256"}},
	}
}

// addEndpoints makes one for each credential, and those with other secrets; each of them
// twice, with a receiver that works and with one that does not.
func (w *plantedWorld) addEndpoints() {
	ca := newAuthority(w.t)
	cert, key := ca.pair(x509.ExtKeyUsageClientAuth, 1e12)
	block, _ := pem.Decode([]byte(key))
	w.remember("mTLS key", key[60:110])
	w.remember("mTLS key", string(block.Bytes))
	standard := make([]byte, 32)
	_, _ = rand.Read(standard)
	whsec := base64.StdEncoding.EncodeToString(standard)
	w.remember("signing secret of Standard Webhooks", whsec)
	w.remember("signing secret of Standard Webhooks", string(standard))
	extras := []object{
		{"secret": w.plant("signing secret"), "owner_id": "A"},
		{"secret": "whsec_" + whsec, "signature_mode": "standard-webhooks"},
		{"custom_headers": object{"X-Api-Token": w.plant("custom header")}},
		{"mtls_client_cert": object{"client_cert": cert, "client_key": key}},
	}
	for _, a := range w.auths() {
		extras = append(extras, object{"authentication": a})
	}
	for i, extra := range extras {
		receivers := []object{{"url": w.in.URL}, {"url": w.down.URL}}
		if extra["mtls_client_cert"] != nil {
			trusted := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.secure.Certificate().Raw}))
			receivers = []object{{"url": w.secure.URL, "ca_cert": trusted}, {"url": w.secure.URL}}
		}
		for _, receiver := range receivers {
			var made struct{ UID string }
			body := with(with(object{"name": fmt.Sprint("e", i)}, receiver), extra)
			w.must(w.s, "POST endpoints", w.key, "POST", w.project+"/endpoints", body, &made)
			w.must(w.s, "POST subscriptions", w.key, "POST", w.project+"/subscriptions", object{"name": "all", "endpoint_id": made.UID}, nil)
			w.endpoints = append(w.endpoints, made.UID)
		}
	}
	w.must(w.s, "manage PUT expire_secret", w.key, "PUT", w.project+"/endpoints/"+w.endpoints[0]+"/expire_secret",
		object{"secret": w.plant("signing secret that is next"), "expiration": 1}, nil)
}

func (w *plantedWorld) addKeys() {
	for _, k := range []struct {
		to   *string
		body object
	}{
		{&w.reader, object{"name": "reader", "scopes": []string{"read"}}},
		{&w.intake, object{"name": "intake", "scopes": []string{"ingest"}}},
		{&w.owners, object{"name": "owners", "owner_id": "A", "scopes": []string{"read"}}},
	} {
		var made struct{ Key string }
		w.must(w.s, "POST keys", w.key, "POST", w.project+"/keys", k.body, &made)
		*k.to = made.Key
		w.remember("API key", made.Key)
	}
	var link struct{ UID, Token string }
	w.must(w.s, "POST portal-links", w.key, "POST", w.project+"/portal-links", object{"name": "people", "owner_id": "A", "can_manage_endpoint": true}, &link)
	w.remember("portal token", link.Token)
	w.link = link.UID
	var session struct{ Token string }
	w.must(w.s, "POST portal token", "", "POST", "/portal-api/token", object{"token": link.Token}, &session)
	w.portal = session.Token
	w.remember("portal session", session.Token)
}

func (w *plantedWorld) addSources() {
	for _, v := range []object{
		{"type": "hmac", "hmac": object{"header": "X-Sig", "hash": "SHA256", "encoding": "hex", "secret": w.plant("source HMAC secret")}},
		{"type": "basic_auth", "basic_auth": object{"username": "u", "password": w.plant("source password")}},
		{"type": "api_key", "api_key": object{"header_name": "X-Key", "header_value": w.plant("source key")}},
	} {
		var made struct {
			Mask string `json:"mask_id"`
		}
		w.must(w.s, "POST sources", w.key, "POST", w.project+"/sources", object{"name": "s", "type": "http", "verifier": v}, &made)
		w.sourceMasks = append(w.sourceMasks, made.Mask)
	}
	w.must(w.s, "POST sources", w.key, "POST", w.project+"/sources", object{"name": "b", "type": "pub_sub",
		"pub_sub": object{"type": "sqs", "sqs": object{"access_key_id": "a", "secret_key": w.plant("broker secret"), "queue_name": "q", "default_region": "r"}}}, nil)
}
