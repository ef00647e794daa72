package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// endpointsView is the list.
type endpointsView struct {
	W       window
	Windows []window
	Q       string
	Rows    []endpointRow
	Next    string     // the page of older ones; "" if there is none
	Newest  string     // the first page; "" on it
	Recent  []delivery // in the portal
	Schemes []usedScheme
	Timeout string // how long receivers may take
}

// RangeHref is what a time range is added to: a choice of it keeps the name that is looked
// for.
func (d endpointsView) RangeHref() string {
	if d.Q == "" {
		return "?range="
	}
	return "?" + url.Values{"q": {d.Q}}.Encode() + "&range="
}

// maxCards is how many endpoints a page of the portal has: there each is a card.
const maxCards = 50

// Finds reports whether the portal's list is one to search: it has, or had, more than one
// page.
func (d endpointsView) Finds() bool { return d.Q != "" || d.Next != "" || d.Newest != "" }

func (c *Console) endpointsPage(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "endpoints", "Endpoints")
	win := windowOf(r, c.o.Now(), "24h")
	d := endpointsView{W: win, Windows: windows, Q: r.URL.Query().Get("q")}
	query, self := url.Values{}, url.Values{"range": {win.Key}}
	if v.portal {
		query.Set("perPage", strconv.Itoa(maxCards))
	}
	if d.Q != "" {
		query.Set("q", d.Q)
		self.Set("q", d.Q)
	}
	if cursor := r.URL.Query().Get("cursor"); cursor != "" {
		d.Newest = v.base + "/endpoints?" + self.Encode()
		query.Set("next_page_cursor", cursor)
		query.Set("direction", "next")
	}
	rows, next, err := v.endpointRows(r.Context(), &win, p.Loc, query, true)
	if err == nil && v.portal {
		d.Recent, _, err = list[delivery](r.Context(), v, "/eventdeliveries", url.Values{"perPage": {"12"}})
	}
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	d.Rows = rows
	if next != "" {
		self.Set("cursor", next)
		d.Next = v.base + "/endpoints?" + self.Encode()
	}
	name := "endpoints.html"
	if v.portal {
		slices.SortStableFunc(d.Rows, func(a, b endpointRow) int { return rank(a.Status) - rank(b.Status) })
		name = "portal.html"
		d.guide(v)
	}
	p.D = d
	c.render(w, r, name, p)
}

// usedScheme is a way in which some endpoints are signed for.
type usedScheme struct {
	scheme
	Names []string
	First string // the id of the first of them; "" if there is none yet
}

// guide fills in what receivers have to do, as the portal's endpoints are set up.
func (d *endpointsView) guide(v *visit) {
	least, most := 0, 0
	for _, row := range d.Rows {
		s := v.portalInfo.scheme(&row.endpoint)
		i := slices.IndexFunc(d.Schemes, func(u usedScheme) bool { return u.scheme == s })
		if i < 0 {
			d.Schemes = append(d.Schemes, usedScheme{scheme: s, First: row.ID})
			i = len(d.Schemes) - 1
		}
		d.Schemes[i].Names = append(d.Schemes[i].Names, row.Name)
		timeout := row.HTTPTimeout
		if timeout == 0 {
			timeout = standardTimeout
		}
		if most = max(most, timeout); least == 0 || timeout < least {
			least = timeout
		}
	}
	switch {
	case len(d.Rows) == 0:
		d.Schemes = []usedScheme{{scheme: v.portalInfo.scheme(&endpoint{Advanced: true})}}
		d.Timeout = number(standardTimeout) + " seconds"
	case least == most:
		d.Timeout = number(least) + " seconds"
	default:
		d.Timeout = number(least) + " to " + number(most) + " seconds, as the endpoint has it,"
	}
}

// standardTimeout is the API's, in seconds, for an endpoint that has none.
const standardTimeout = 10

// rank orders states: what needs a look comes last in a portal, where few are.
func rank(status string) int {
	return slices.Index([]string{"active", "pending", "paused", "inactive"}, status)
}

// rawJSON is sent as it is if it is JSON, and as a text if not: then the API says what is
// wrong with it.
func rawJSON(text string) any {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}
