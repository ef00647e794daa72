package console

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"posthaste/client"
)

// key is an API key.
type key client.Key

// RoleText is the role in words.
func (k key) RoleText() string { return strings.ReplaceAll(k.Role.Type, "_", " ") }

// keysView is the list with the form for another.
type keysView struct {
	Rows  []key
	Now   time.Time
	Made  *key // just now: its text is shown this once
	Form  form
	Self  string // the page's path
	Whole bool   // keys of the instance
}

// keyParts are the fields of a new key.
var keyParts = []part{{"name", aTitle}, {"owner_id", aTitle}, {"allow_from", aList}}

func (c *Console) keysPage(w http.ResponseWriter, r *http.Request, v *visit) {
	d := keysView{Form: newForm("scopes", "ingest", "expires", "")}
	if made, ok := c.flashed(v.session, r.URL.Query().Get("made")).(key); ok {
		d.Made = &made
	}
	c.renderKeys(w, r, v, d)
}

func (c *Console) renderKeys(w http.ResponseWriter, r *http.Request, v *visit, d keysView) {
	p := c.page(r, v, "keys", "Keys")
	if v.whole() {
		p.Title = "Instance keys"
	}
	var err error
	if d.Rows, _, err = list[key](r.Context(), v, "/keys", url.Values{"perPage": {"200"}}); err != nil {
		c.failed(w, r, p, err)
		return
	}
	if d.Form.Problem != "" {
		p.Code = http.StatusUnprocessableEntity
	}
	d.Now, d.Self, d.Whole = c.o.Now(), v.own()+"/keys", v.whole()
	p.D = d
	c.render(w, r, "keys.html", p)
}

// createKey makes a key. The page after it shows the key, once.
func (c *Console) createKey(w http.ResponseWriter, r *http.Request, v *visit) {
	f := readForm(r)
	body := f.body(keyParts)
	if v.whole() {
		delete(body, "owner_id")
	}
	if scopes := f.values["scopes"]; len(scopes) > 0 {
		body["scopes"] = scopes
	}
	f.putEnd(body)
	a, err := v.change(r.Context(), http.MethodPost, "/keys", nil, body)
	var made key
	if err == nil {
		err = a.Into(&made)
	}
	switch {
	case refused(err):
		f.refuse(err)
		c.renderKeys(w, r, v, keysView{Form: f})
	case err != nil:
		c.failed(w, r, c.page(r, v, "keys", "Keys"), err)
	default:
		back(w, r, v.own()+"/keys?made="+c.flash(v.session, made))
	}
}

// putEnd says when a key or a portal link ends: after one of some times, or with a day of
// one's own. "" and "keep" are no end, and the one that it has.
func (f form) putEnd(body map[string]any) {
	day := f.text("expires_at")
	switch chosen := f.text("expires"); {
	case chosen == "day" && day != "":
		body["expires_at"] = day
		if t, err := time.Parse(time.DateOnly, day); err == nil {
			body["expires_at"] = t.Add(24*time.Hour - time.Second).Format(time.RFC3339) // the end of that day
		}
	case chosen != "" && chosen != "day" && chosen != "keep":
		body["expiration"] = wholeOr(chosen)
	}
}

func (c *Console) revokeKey(w http.ResponseWriter, r *http.Request, v *visit) {
	if _, err := v.change(r.Context(), http.MethodPut, "/keys/"+url.PathEscape(r.PathValue("id"))+"/revoke", nil, nil); err != nil {
		c.failed(w, r, c.page(r, v, "keys", "Keys"), err)
		return
	}
	back(w, r, v.own()+"/keys?done=revoked")
}
