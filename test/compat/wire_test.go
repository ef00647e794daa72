package compat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// wire looks at a delivery that came, see section 3.
func (w *world) wire() {
	const about = "wire"
	var first *arrival
	for _, a := range w.hook.at("/ok") {
		if a.header.Get("X-Convoy-Idempotency-Key") == "first" {
			first = &a
			break
		}
	}
	if !w.check(about, first != nil, "the first event did not arrive with its idempotency key") {
		return
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "X-Trace": "abc", "X-Key": "of-the-receiver",
	} {
		w.check(about, first.header.Get(name) == want, "%s is %q, want %q", name, first.header.Get(name), want)
	}
	signature := first.header.Get("X-Convoy-Signature")
	stamp, rest, _ := strings.Cut(signature, ",")
	for _, secret := range []string{"endpoint-secret", "second-secret"} {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(strings.TrimPrefix(stamp, "t=") + ","))
		mac.Write(first.body)
		w.check(about, strings.Contains(","+rest+",", ",v1="+hex.EncodeToString(mac.Sum(nil))+","), "no signature by %s in %s", secret, signature)
	}
	dynamic := w.hook.at("/dynamic")
	if len(dynamic) == 0 {
		return
	}
	mac := hmac.New(sha256.New, []byte("dyn-secret"))
	stamp, rest, _ = strings.Cut(dynamic[0].header.Get("X-Convoy-Signature"), ",")
	mac.Write([]byte(strings.TrimPrefix(stamp, "t=") + ","))
	mac.Write(dynamic[0].body)
	w.check(about, rest == "v1="+hex.EncodeToString(mac.Sum(nil)), "the dynamic endpoint is not signed by its secret")
}
