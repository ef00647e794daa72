package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"posthaste/client"
)

// downloadBody hands out what was sent or answered, byte for byte as it is recorded. It
// is never shown as a document: a stranger wrote it.
func (c *Console) downloadBody(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "deliveries", "Body")
	id := r.PathValue("id")
	d, err := get[delivery](r.Context(), v, "/eventdeliveries/"+url.PathEscape(id))
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	if r.URL.Query().Get("of") != "response" {
		download(w, d.ID+"-request", d.Metadata.Raw)
		return
	}
	attempts, _, err := list[attempt](r.Context(), v, "/eventdeliveries/"+url.PathEscape(id)+"/deliveryattempts", nil)
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	n, _ := strconv.Atoi(r.URL.Query().Get("attempt"))
	for _, a := range attempts {
		if a.Number == n {
			download(w, d.ID+"-response-"+strconv.Itoa(n), a.Body)
			return
		}
	}
	c.failed(w, r, p, &client.Error{Status: http.StatusNotFound, Message: "there is no such attempt"})
}

func download(w http.ResponseWriter, name, text string) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="`+name+`.bin"`)
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(text)) // the browser may have gone
}

// curlView is a delivery's request as a command.
type curlView struct {
	Command string
	Notes   []string
}

// curlText hands the command out as a file: without secrets. One with a long body does
// not fit into a page.
func (c *Console) curlText(w http.ResponseWriter, r *http.Request, v *visit) {
	curl, err := get[curlView](r.Context(), v, "/eventdeliveries/"+url.PathEscape(r.PathValue("id"))+"/curl")
	if err != nil {
		c.failed(w, r, c.page(r, v, "deliveries", "cURL"), err)
		return
	}
	download(w, "curl-"+cutID(r.PathValue("id")), curl.Command+"\n")
}

// curlWithSecrets shows the command as it was sent, credentials and all. It is a POST, as
// reveal is, and recorded like that.
func (c *Console) curlWithSecrets(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "deliveries", "cURL")
	a, err := v.change(r.Context(), http.MethodGet, "/eventdeliveries/"+url.PathEscape(r.PathValue("id"))+"/curl", url.Values{"reveal": {"true"}}, nil)
	var d curlView
	if err == nil {
		err = a.Into(&d)
	}
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.D = d
	c.render(w, r, whole(r, "curl-dialog", "curl.html"), p)
}

// Kept says how much of an answer's body is recorded, where that is not all.
func (a attempt) Kept() string {
	if !a.BodyCut {
		return bytesText(len(a.Body))
	}
	for name, value := range a.ResponseHeaders {
		if n, err := strconv.Atoi(value); strings.EqualFold(name, "Content-Length") && err == nil && n > len(a.Body) {
			return bytesText(len(a.Body)) + " of " + bytesText(n) + " kept"
		}
	}
	return "the first " + bytesText(len(a.Body)) + " kept"
}

// noisy are headers that differ from one answer to the next and mean nothing.
var noisy = []string{"date", "age", "expires", "etag", "set-cookie", "server-timing", "cf-ray", "traceparent", "x-runtime", "x-served-by", "x-timer"}

// isNoise reports whether a header is one of them, or an id of a request.
func isNoise(name string) bool {
	name = strings.ToLower(name)
	for _, n := range noisy {
		if name == n {
			return true
		}
	}
	for _, part := range []string{"request-id", "requestid", "trace-id", "traceid", "correlation-id", "amzn-trace", "x-amz-cf-id", "x-cloud-trace"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
