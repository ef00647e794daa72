package console

import "strings"

// scheme is how the requests of an endpoint are signed.
type scheme struct {
	Kind     string // "advanced", "simple" or "standard"
	Header   string
	Hash     string // as the project names it: SHA256
	Encoding string // hex or base64
}

// schemeOf is an endpoint's, in a portal or a project that signs so.
func schemeOf(e *endpoint, header, hash, encoding string) scheme {
	s := scheme{"advanced", header, hash, encoding}
	switch {
	case e.SignatureMode == "standard":
		s = scheme{"standard", "webhook-signature", "SHA256", "base64"}
	case !e.Advanced:
		s.Kind = "simple"
	}
	return s
}

// schemeIn is an endpoint's scheme as the project of the visit has it: by its first
// version, which receivers compare, or the last one where only that is sent.
func (i *portalInfo) scheme(e *endpoint) scheme {
	hash, encoding := "SHA256", "hex"
	if n := len(i.SignatureVersions); n > 0 {
		v := i.SignatureVersions[0]
		if !e.Advanced {
			v = i.SignatureVersions[n-1]
		}
		hash, encoding = v.Hash, v.Encoding
	}
	return schemeOf(e, i.SignatureHeader, hash, encoding)
}

// Steps say in words how a signature is checked.
func (s scheme) Steps() []string {
	sum := "HMAC-" + strings.ReplaceAll(s.Hash, "SHA", "SHA-") + " it with the endpoint's secret, written in " + s.Encoding + "."
	switch s.Kind {
	case "standard":
		return []string{
			"Join webhook-id, webhook-timestamp and the raw body, with a full stop between each.",
			"Take whsec_ off the secret and decode the rest from base64: that is the key. HMAC-SHA256 with it, in base64.",
			"Compare with each v1 of webhook-signature in constant time; refuse a timestamp older than 5 minutes.",
		}
	case "simple":
		return []string{"Take the raw body, as it came.", sum, "Compare with the header in constant time."}
	}
	return []string{
		"Take t, a comma, and the raw body, as it came.", sum,
		"Compare with each v1 in constant time; refuse a t older than 5 minutes.",
	}
}

// Example is what the header looks like.
func (s scheme) Example() []string {
	switch s.Kind {
	case "standard":
		return []string{"webhook-id: 01JD…", "webhook-timestamp: 1795281771", "webhook-signature: v1,zJ4cF…=" + ""}
	case "simple":
		return []string{s.Header + ": 6a9cc7b9…b64"}
	}
	return []string{s.Header + ": t=1795281771,", "  v1=6a9cc7b9…b64"}
}

// snippet is a check in one language.
type snippet struct{ Name, Code string }

// Snippets are checks in the languages that most receivers are written in; none where
// the project has chosen a hash that they do not have at hand.
func (s scheme) Snippets() []snippet {
	alg := strings.ToLower(s.Hash)
	if alg != "sha256" && alg != "sha512" && alg != "sha1" {
		return nil
	}
	fill := strings.NewReplacer("{header}", s.Header, "{lower}", strings.ToLower(s.Header), "{alg}", alg, "{enc}", s.Encoding,
		"{goenc}", map[string]string{"hex": "hex.EncodeToString(mac.Sum(nil))", "base64": "base64.StdEncoding.EncodeToString(mac.Sum(nil))"}[s.Encoding],
		"{pyenc}", map[string]string{"hex": "mac.hexdigest()", "base64": "base64.b64encode(mac.digest()).decode()"}[s.Encoding],
		"{phpraw}", map[string]string{"hex": "hash_hmac('" + alg + "', $signed, $secret)", "base64": "base64_encode(hash_hmac('" + alg + "', $signed, $secret, true))"}[s.Encoding],
		"{rbenc}", map[string]string{"hex": "OpenSSL::HMAC.hexdigest('" + alg + "', secret, signed)", "base64": "Base64.strict_encode64(OpenSSL::HMAC.digest('" + alg + "', secret, signed))"}[s.Encoding],
	)
	var out []snippet
	for i, code := range snippetTexts[s.Kind] {
		out = append(out, snippet{snippetNames[i], strings.TrimSpace(fill.Replace(code))})
	}
	return out
}

var snippetNames = []string{"Go", "Node", "Python", "PHP", "Ruby"}

// snippetTexts are checks by kind, in the order of snippetNames. body is the request's
// body as it came, secret the endpoint's.
var snippetTexts = map[string][]string{
	"advanced": {`
func valid(r *http.Request, body []byte, secret string) bool {
	var t string
	var sums []string
	for _, part := range strings.Split(r.Header.Get("{header}"), ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "t":
			t = value
		case "v1":
			sums = append(sums, value)
		}
	}
	unix, err := strconv.ParseInt(t, 10, 64)
	if err != nil || time.Since(time.Unix(unix, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New({alg}.New, []byte(secret))
	mac.Write([]byte(t + ","))
	mac.Write(body)
	want := {goenc}
	return slices.ContainsFunc(sums, func(s string) bool {
		return hmac.Equal([]byte(s), []byte(want))
	})
}`, `
const crypto = require('node:crypto');

// body is a Buffer: express.raw({ type: '*/*' })
function valid(headers, body, secret) {
  const parts = headers['{lower}'].split(',').map(p => [p.slice(0, p.indexOf('=')), p.slice(p.indexOf('=') + 1)]);
  const t = parts.find(([name]) => name === 't')[1];
  if (Math.abs(Date.now() / 1000 - t) > 300) return false;
  const want = crypto.createHmac('{alg}', secret).update(t + ',').update(body).digest('{enc}');
  return parts.some(([name, value]) => name === 'v1' && value.length === want.length &&
    crypto.timingSafeEqual(Buffer.from(value), Buffer.from(want)));
}`, `
import base64, hashlib, hmac, time

def valid(headers, body: bytes, secret: str) -> bool:
    parts = [p.split("=", 1) for p in headers["{header}"].split(",")]
    t = next(value for name, value in parts if name == "t")
    if abs(time.time() - int(t)) > 300:
        return False
    mac = hmac.new(secret.encode(), t.encode() + b"," + body, hashlib.{alg})
    want = {pyenc}
    return any(name == "v1" and hmac.compare_digest(value, want) for name, value in parts)`, `
function valid(string $header, string $body, string $secret): bool {
    $t = ''; $sums = [];
    foreach (explode(',', $header) as $part) {
        [$name, $value] = explode('=', $part, 2);
        if ($name === 't') $t = $value;
        if ($name === 'v1') $sums[] = $value;
    }
    if (abs(time() - (int) $t) > 300) return false;
    $signed = $t . ',' . $body;
    $want = {phpraw};
    foreach ($sums as $sum) if (hash_equals($want, $sum)) return true;
    return false;
}
// valid($_SERVER['HTTP_' . strtoupper(strtr('{header}', '-', '_'))], file_get_contents('php://input'), $secret)`, `
require 'openssl'
require 'base64'

def valid?(header, body, secret)
  parts = header.split(',').map { |p| p.split('=', 2) }
  t = parts.assoc('t')[1]
  return false if (Time.now.to_i - t.to_i).abs > 300
  signed = "#{t},#{body}"
  want = {rbenc}
  parts.any? { |name, value| name == 'v1' && OpenSSL.secure_compare(value, want) }
end
# valid?(request.headers['{header}'], request.raw_post, secret)`},
	"simple": {`
func valid(r *http.Request, body []byte, secret string) bool {
	mac := hmac.New({alg}.New, []byte(secret))
	mac.Write(body)
	want := {goenc}
	return hmac.Equal([]byte(r.Header.Get("{header}")), []byte(want))
}`, `
const crypto = require('node:crypto');

// body is a Buffer: express.raw({ type: '*/*' })
function valid(headers, body, secret) {
  const value = headers['{lower}'];
  const want = crypto.createHmac('{alg}', secret).update(body).digest('{enc}');
  return value.length === want.length && crypto.timingSafeEqual(Buffer.from(value), Buffer.from(want));
}`, `
import base64, hashlib, hmac

def valid(headers, body: bytes, secret: str) -> bool:
    mac = hmac.new(secret.encode(), body, hashlib.{alg})
    return hmac.compare_digest(headers["{header}"], {pyenc})`, `
function valid(string $header, string $body, string $secret): bool {
    $signed = $body;
    return hash_equals({phpraw}, $header);
}`, `
require 'openssl'
require 'base64'

def valid?(header, body, secret)
  signed = body
  OpenSSL.secure_compare(header, {rbenc})
end`},
	"standard": {`
func valid(r *http.Request, body []byte, secret string) bool {
	id, t := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	unix, err := strconv.ParseInt(t, 10, 64)
	if err != nil || time.Since(time.Unix(unix, 0)).Abs() > 5*time.Minute {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + t + "."))
	mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return slices.ContainsFunc(strings.Fields(r.Header.Get("webhook-signature")), func(s string) bool {
		return hmac.Equal([]byte(s), []byte(want))
	})
}`, `
const crypto = require('node:crypto');

// body is a Buffer: express.raw({ type: '*/*' })
function valid(headers, body, secret) {
  const id = headers['webhook-id'], t = headers['webhook-timestamp'];
  if (Math.abs(Date.now() / 1000 - t) > 300) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const want = 'v1,' + crypto.createHmac('sha256', key).update(id + '.' + t + '.').update(body).digest('base64');
  return headers['webhook-signature'].split(' ').some(value => value.length === want.length &&
    crypto.timingSafeEqual(Buffer.from(value), Buffer.from(want)));
}`, `
import base64, hashlib, hmac, time

def valid(headers, body: bytes, secret: str) -> bool:
    id, t = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(t)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{id}.{t}.".encode() + body, hashlib.sha256)
    want = "v1," + base64.b64encode(mac.digest()).decode()
    return any(hmac.compare_digest(value, want) for value in headers["webhook-signature"].split(" "))`, `
function valid(array $headers, string $body, string $secret): bool {
    $id = $headers['webhook-id']; $t = $headers['webhook-timestamp'];
    if (abs(time() - (int) $t) > 300) return false;
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret));
    $want = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$t.$body", $key, true));
    foreach (explode(' ', $headers['webhook-signature']) as $value) if (hash_equals($want, $value)) return true;
    return false;
}`, `
require 'openssl'
require 'base64'

def valid?(headers, body, secret)
  id, t = headers['webhook-id'], headers['webhook-timestamp']
  return false if (Time.now.to_i - t.to_i).abs > 300
  key = Base64.decode64(secret.delete_prefix('whsec_'))
  want = 'v1,' + Base64.strict_encode64(OpenSSL::HMAC.digest('sha256', key, "#{id}.#{t}.#{body}"))
  headers['webhook-signature'].split.any? { |value| OpenSSL.secure_compare(value, want) }
end`},
}
