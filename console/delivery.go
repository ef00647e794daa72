package console

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"posthaste/client"
)

// delivery is one as the API tells of it.
type delivery client.Delivery

// EndpointName is what the endpoint is called, as far as there still is one.
func (d delivery) EndpointName() string {
	if d.Endpoint == nil {
		return "deleted endpoint"
	}
	return d.Endpoint.Name
}

// Host is where it goes.
func (d delivery) Host() string { return hostOf(d.TargetURL) }

// Next is when the next attempt is due, if one is.
func (d delivery) Next() *time.Time {
	if d.Status != "Retry" {
		return nil
	}
	return d.Metadata.NextSendTime
}

// CanResend reports whether it ended without success.
func (d delivery) CanResend() bool { return d.Status == "Failure" || d.Status == "Discarded" }

// maxSquares bounds the attempts that a row draws.
const maxSquares = 12

// square is an attempt in a row.
type square struct {
	X     int
	Class string
}

// Squares are the attempts made, and the one that is due.
func (d delivery) Squares() []square {
	n := d.Metadata.NumTrials
	out := make([]square, 0, maxSquares+1)
	for i := range min(n, maxSquares) {
		class := "bad"
		if d.Status == "Success" && i == min(n, maxSquares)-1 {
			class = "ok"
		}
		out = append(out, square{7 * i, class})
	}
	if d.Next() != nil {
		out = append(out, square{7 * len(out), "nx"})
	}
	return out
}

// attempt is one as the API tells of it.
type attempt struct {
	ID              string            `json:"uid"`
	Number          int               `json:"attempt_number"`
	Manual          bool              `json:"manual"`
	URL             string            `json:"url"`
	Method          string            `json:"method"`
	IPAddress       string            `json:"ip_address"`
	HTTPStatus      string            `json:"http_status"`
	RequestHeaders  map[string]string `json:"request_http_header"`
	ResponseHeaders map[string]string `json:"response_http_header"`
	Body            string            `json:"response_data"`
	BodyCut         bool              `json:"response_data_cut"`
	Error           string            `json:"error"`
	Class           string            `json:"error_class"`
	OK              bool              `json:"status"`
	RequestedAt     time.Time         `json:"requested_at"`
	DurationMS      float64           `json:"duration_ms"`
	Timing          *timing           `json:"timing"`
}

// Result is what came of it, in a few words.
func (a attempt) Result() string {
	if a.HTTPStatus != "" {
		return a.HTTPStatus
	}
	return resultText(a.Class)
}

// Hint is what to do about it.
func (a attempt) Hint() string { return hint(&a) }

// Code is the status code, or the same few words.
func (a attempt) Code() string {
	code, _, _ := strings.Cut(a.HTTPStatus, " ")
	if code != "" {
		return code
	}
	return resultText(a.Class)
}

// header is one line.
type header struct{ K, V string }

func sorted(h map[string]string) []header {
	out := make([]header, 0, len(h))
	for _, k := range slices.Sorted(maps.Keys(h)) {
		out = append(out, header{k, h[k]})
	}
	return out
}

// ReqHeaders are those that were sent.
func (a attempt) ReqHeaders() []header { return sorted(a.RequestHeaders) }

// ResHeaders are those of the answer.
func (a attempt) ResHeaders() []header { return sorted(a.ResponseHeaders) }

// flat is the answer as text, to compare it; noise are the headers of isNoise.
func (a attempt) flat(noise bool) string {
	var b strings.Builder
	b.WriteString(a.Result() + "\n")
	for _, h := range a.ResHeaders() {
		if !noise && isNoise(h.K) {
			continue
		}
		b.WriteString(h.K + ": " + h.V + "\n")
	}
	body := a.Body
	var v json.RawMessage
	if json.Unmarshal([]byte(a.Body), &v) == nil {
		if pretty, err := json.MarshalIndent(v, "", "  "); err == nil {
			body = string(pretty)
		}
	}
	return b.String() + "\n" + body
}

// hints say whose turn it is, and what to do.
func hint(a *attempt) string {
	code, _ := strconv.Atoi(a.Code())
	switch {
	case a.OK:
		return ""
	case code == 410:
		return "The receiver says that this address is gone for good. The endpoint is switched off; activate it once it has a new address."
	case code == 401 || code == 403:
		return "The receiver refused our credentials or the signature. Check that it holds the current secret, and the endpoint's authentication."
	case code == 404 || code == 405:
		return "The receiver is there, but not at this address or not for POST. Check the endpoint's URL."
	case code == 413:
		return "The receiver finds the body too large. Its owner must raise the limit."
	case code == 429:
		return "The receiver asks us to slow down. We wait as long as its Retry-After says; a rate limit on the endpoint avoids this."
	case code == 502 || code == 503 || code == 504:
		return "The receiver answered, but what is behind it is down. Nothing to change here: attempts go on as planned."
	case code >= 300 && code < 400:
		return "The receiver sends us elsewhere, which is not followed. Put the new address into the endpoint."
	case code >= 500:
		return "The receiver has a fault of its own. Its log at this time says more."
	}
	return classHints[a.Class]
}

var classHints = map[string]string{
	"timeout":   "No whole answer within the endpoint's timeout. Receivers should answer first and work afterwards.",
	"dns":       "The host name does not resolve. Check the URL for a mistake, or a DNS record that was removed.",
	"connect":   "Nothing accepts connections there. The receiver is down, or a firewall keeps us out.",
	"tls":       "No trusted connection could be made: the certificate has expired, is for another name, or its authority is not known here.",
	"reset":     "The connection ended before the answer was whole. The receiver, or something in front of it, closed it.",
	"malformed": "What came back is no HTTP answer. Check that the URL leads to a web server, with the right http or https.",
	"blocked":   "The address is one that this server does not call: private, local or denied by the operator.",
	"auth":      "The credentials for this endpoint could not be had: a token was refused, or a certificate has expired.",
	"transform": "The subscription's function failed on this event. Its error is below; nothing was sent.",
	"local":     "This server ran out of sockets or memory. The attempt does not count.",
}

// mark is an attempt on the axis of time.
type mark struct {
	N                    int
	X, Class, Label, Gap string
	Anchor               string // of the label: at the ends it stays within the box
	at                   float64
}

// axis places attempts on a square-root axis of time: the first are dense and the last
// sparse, and all can be read.
func (d delivery) axis(attempts []attempt, now time.Time) []mark {
	end := d.CreatedAt.Add(time.Second)
	if len(attempts) > 0 {
		end = attempts[len(attempts)-1].RequestedAt
	}
	next := d.Next()
	if next != nil {
		end = *next
	}
	whole := math.Sqrt(max(0.01, end.Sub(d.CreatedAt).Seconds()))
	x := func(t time.Time) float64 {
		return 1.2 + 97.6*min(1, math.Sqrt(max(0, t.Sub(d.CreatedAt).Seconds()))/whole)
	}
	var out []mark
	for i := range attempts {
		a := &attempts[i]
		m := mark{N: a.Number, at: x(a.RequestedAt), Class: "bad", Label: a.Code()}
		if a.OK {
			m.Class = "ok"
		}
		if i > 0 {
			m.Gap = "+" + short(a.RequestedAt.Sub(attempts[i-1].RequestedAt))
		}
		out = append(out, m)
	}
	if next != nil {
		out = append(out, mark{at: x(*next), Class: "next", Label: "next", Gap: "in " + short(next.Sub(now))})
	}
	return thin(out)
}

// padding is how far the box reaches beyond the axis, in percent.
const padding = 1.2

// thin places marks, and takes labels off where they would cover each other: from the
// last, which says most, to the first. A letter takes about half a percent of the width.
func thin(marks []mark) []mark {
	free := math.Inf(1)
	for i := len(marks) - 1; i >= 0; i-- {
		m := &marks[i]
		m.X = percent(m.at)
		half := 0.27*float64(max(len(m.Label), len(m.Gap))) + 0.6
		left, right := m.at-half, m.at+half
		switch {
		case left < -padding:
			m.Anchor, left, right = "start", m.at, m.at+2*half
		case right > 100+padding:
			m.Anchor, left, right = "end", m.at-2*half, m.at
		default:
			m.Anchor = "middle"
		}
		if right > free {
			m.Label, m.Gap = "", ""
			continue
		}
		free = left
	}
	return marks
}

// deliveryView is one delivery's page.
type deliveryView struct {
	E        delivery
	Attempts []attempt
	A        *attempt // the one that is shown; nil if none was made
	Axis     []mark
	Hint     string
	Curl     string
	Long     bool       // the command does not fit into the page
	Diff     []diffLine // from With
	With     int        // the number of the attempt that A is compared with; 0: there is none
	Noise    bool       // headers that always differ are compared, too
	Changes  int
	View     string
	Act      string // what can be done: "Send now", "Send again", "Resend"
	By       string // the subscription that made it
	Sign     *explained
	Computed string
	Watch    watch
}

// maxCurl bounds the command that a page holds.
const maxCurl = 64 << 10

func (c *Console) deliveryPage(w http.ResponseWriter, r *http.Request, v *visit) {
	q, now := r.URL.Query(), c.o.Now()
	if partial(r) && q.Has("seen") {
		c.deliveryNews(w, r, v)
		return
	}
	p := c.page(r, v, "deliveries", "Delivery")
	d, err := v.deliveryView(r.Context(), r.PathValue("id"), q, now)
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	d.follow(q, now)
	p.Title, p.D = d.E.EventType, d
	c.render(w, r, "delivery.html", p)
}

func (v *visit) deliveryView(ctx context.Context, id string, q url.Values, now time.Time) (*deliveryView, error) {
	path := "/eventdeliveries/" + url.PathEscape(id)
	e, err := get[delivery](ctx, v, path)
	if err != nil {
		return nil, err
	}
	d := &deliveryView{E: e, View: q.Get("view"), Act: actFor(e.Status)}
	if d.Attempts, _, err = list[attempt](ctx, v, path+"/deliveryattempts", nil); err != nil {
		return nil, err
	}
	slices.SortFunc(d.Attempts, func(a, b attempt) int { return a.Number - b.Number })
	d.Axis = e.axis(d.Attempts, now)
	if curl, err := get[curlView](ctx, v, path+"/curl"); err == nil { // none if the endpoint is gone
		if d.Curl = curl.Command; len(d.Curl) > maxCurl {
			d.Curl, d.Long = "", true
		}
	}
	if s, err := get[subscription](ctx, v, "/subscriptions/"+url.PathEscape(e.SubscriptionID)); err == nil {
		d.By = s.Name
	}
	d.Noise = q.Get("noise") == "1"
	d.choose(q.Get("attempt"), q.Get("with"))
	if d.Computed = strings.TrimSpace(q.Get("computed")); d.A != nil {
		d.Sign = v.explain(ctx, e.ID, d.A.ID, d.Computed)
	}
	return d, nil
}

// choose picks the attempt that is shown, the one that was asked for or the last, and the
// one that it is compared with, that which was asked for or the one before.
func (d *deliveryView) choose(asked, with string) {
	if len(d.Attempts) == 0 {
		return
	}
	at := d.indexOf(asked, len(d.Attempts)-1)
	d.A = &d.Attempts[at]
	d.Hint = hint(d.A)
	other := d.indexOf(with, at-1)
	if at == 0 && with == "" && len(d.Attempts) > 1 {
		other = 1 // the first has none before it
	}
	if other >= 0 && other != at {
		d.With = d.Attempts[other].Number
		d.Diff = diff(d.Attempts[other].flat(d.Noise), d.A.flat(d.Noise))
		d.Changes = changed(d.Diff)
	}
}

// indexOf is where the attempt of a number is; standard if there is none.
func (d *deliveryView) indexOf(number string, standard int) int {
	if n, err := strconv.Atoi(number); err == nil {
		if i := slices.IndexFunc(d.Attempts, func(a attempt) bool { return a.Number == n }); i >= 0 {
			return i
		}
	}
	return standard
}

func actFor(status string) string {
	switch status {
	case "Retry":
		return "Send now"
	case "Success":
		return "Send again"
	case "Failure", "Discarded":
		return "Resend"
	}
	return ""
}

// resend sends a delivery once more.
func (c *Console) resend(w http.ResponseWriter, r *http.Request, v *visit) {
	id := r.PathValue("id")
	p := c.page(r, v, "deliveries", "Resend")
	d, err := get[delivery](r.Context(), v, "/eventdeliveries/"+url.PathEscape(id))
	if err == nil {
		if d.Status == "Success" {
			err = v.forceResend(r.Context(), []string{id})
		} else {
			_, err = v.change(r.Context(), http.MethodPut, "/eventdeliveries/"+url.PathEscape(id)+"/resend", nil, nil)
		}
	}
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	http.Redirect(w, r, v.base+"/deliveries/"+url.PathEscape(id), http.StatusSeeOther)
}

func (v *visit) forceResend(ctx context.Context, ids []string) error {
	_, err := v.change(ctx, http.MethodPost, "/eventdeliveries/forceresend", nil, map[string]any{"ids": ids})
	return err
}

// resendMany sends the deliveries that were ticked, and leaves alone those that are owed.
func (c *Console) resendMany(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "deliveries", "Resend")
	ids := r.PostForm["id"]
	sent, left := 0, 0
	for _, id := range ids[:min(len(ids), maxRows)] {
		d, err := get[delivery](r.Context(), v, "/eventdeliveries/"+url.PathEscape(id))
		if err == nil && !d.CanResend() {
			left++ // what waits is sent by itself, and what arrived need not be
			continue
		}
		if err == nil {
			_, err = v.change(r.Context(), http.MethodPut, "/eventdeliveries/"+url.PathEscape(id)+"/resend", nil, nil)
		}
		switch codeOf(err) {
		case http.StatusBadRequest, http.StatusConflict:
			left++ // it is in no state to be sent again
			continue
		}
		if err != nil {
			c.failed(w, r, p, err)
			return
		}
		sent++
	}
	p.D = fmt.Sprintf("%s sent again, %s left alone.", number(sent), number(left))
	c.dialog(w, r, "said", p)
}
