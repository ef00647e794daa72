package console

import (
	"net/http"
	"strings"
)

// policy is the Content-Security-Policy of every page but for who may frame it. Scripts
// and styles come from this server's files only: none is written into a page, and no
// text becomes markup but by the policy that console.js gives to htmx.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types posthaste; frame-ancestors "

// secured adds the headers of every answer, and refuses changes that pages of other
// origins ask for.
func (c *Console) secured(next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		framers := "'none'"
		if r.URL.Path == "/portal" || strings.HasPrefix(r.URL.Path, "/portal/") {
			if parents := c.parentsOf(r); len(parents) > 0 {
				framers = "'self' " + strings.Join(parents, " ")
			}
			h.Set("Permissions-Policy", "clipboard-write=(self)")
		}
		h.Set("Content-Security-Policy", policy+framers)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
