package console

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// brand is how a portal looks.
type brand struct {
	Name   string `json:"name"`
	Accent string `json:"accent"`
	Logo   []byte `json:"logo"`
}

// writeLogo answers with the picture. Its type was checked when it was stored.
func (b *brand) writeLogo(w http.ResponseWriter, r *http.Request) {
	if b == nil || len(b.Logo) == 0 {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", http.DetectContentType(b.Logo))
	h.Set("Cache-Control", "private, no-store")
	_, _ = w.Write(b.Logo)
}

// rgb is a colour, each part from 0 to 1.
type rgb [3]float64

func parseColour(text string) (c rgb, ok bool) {
	if len(text) != 7 || text[0] != '#' {
		return c, false
	}
	for i := range c {
		n, err := strconv.ParseUint(text[1+2*i:3+2*i], 16, 8)
		if err != nil {
			return c, false
		}
		c[i] = float64(n) / 255
	}
	return c, true
}

func (c rgb) String() string {
	part := func(v float64) int { return int(math.Round(255 * min(1, max(0, v)))) }
	return fmt.Sprintf("#%02x%02x%02x", part(c[0]), part(c[1]), part(c[2]))
}

// luminance is WCAG's relative luminance.
func (c rgb) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// contrast is WCAG's, from 1 to 21.
func contrast(a, b rgb) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// towards is the colour, some of the way to another.
func (c rgb) towards(other rgb, share float64) (out rgb) {
	for i := range c {
		out[i] = c[i] + (other[i]-c[i])*share
	}
	return out
}

// leastContrast is WCAG's for text (AA).
const leastContrast = 4.5

// readable is the colour or, where it cannot be read on every one of these grounds, the
// nearest on its way to end that can.
func (c rgb) readable(end rgb, on ...rgb) rgb {
	for step := 0; step <= 50; step++ {
		out, _ := parseColour(c.towards(end, float64(step)/50).String()) // as it will be written
		fits := true
		for _, ground := range on {
			fits = fits && contrast(out, ground) >= leastContrast
		}
		if fits {
			return out
		}
	}
	return end
}

// The grounds that text in the accent's colour stands on, and text on it: see the
// tokens of console.css.
var (
	lightGrounds = colours("#fcfbf9", "#ffffff", "#f5f3ee", "#e9f0f8", "#f4f1ea")
	darkGrounds  = colours("#151412", "#1b1a17", "#100f0d", "#1a2634", "#22201c", "#10161d")
	black, white = rgb{}, rgb{1, 1, 1}
)

func colours(texts ...string) (all []rgb) {
	for _, text := range texts {
		c, ok := parseColour(text)
		if !ok {
			panic("BUG: " + text + " is no colour")
		}
		all = append(all, c)
	}
	return all
}

// brandCSS is a portal's own colour as a style sheet, darkened for light pages and
// lightened for dark ones as far as it has to be.
func (c *Console) brandCSS(w http.ResponseWriter, _ *http.Request, v *visit) {
	h := w.Header()
	h.Set("Content-Type", "text/css; charset=utf-8")
	h.Set("Cache-Control", "private, no-store")
	if !v.portalInfo.Accent() {
		return
	}
	if s := shadesOf(v.portalInfo.Brand.Accent); s != nil {
		fmt.Fprintf(w, ":root{--acc:light-dark(%s,%s)}\n", s[0].Colour, s[1].Colour)
	}
}

// shade is an accent as pages of one theme show it.
type shade struct {
	Theme    string
	Colour   string // as it was asked for, or as near to it as can be read
	Ground   string // of the page
	On       string // of text on the accent
	Contrast string // the least, with all grounds that it stands on
	Changed  bool
}

// shadesOf is how light and dark pages show an accent; nil if it is no colour.
func shadesOf(accent string) []shade {
	c, ok := parseColour(accent)
	if !ok {
		return nil
	}
	shades := []shade{
		{Theme: "light", Ground: lightGrounds[0].String(), On: lightGrounds[1].String()},
		{Theme: "dark", Ground: darkGrounds[0].String(), On: darkGrounds[len(darkGrounds)-1].String()},
	}
	for i, of := range []struct {
		end     rgb
		grounds []rgb
	}{{black, lightGrounds}, {white, darkGrounds}} {
		out := c.readable(of.end, of.grounds...)
		least := contrast(out, of.grounds[0])
		for _, ground := range of.grounds {
			least = min(least, contrast(out, ground))
		}
		shades[i].Colour, shades[i].Changed = out.String(), out != c
		shades[i].Contrast = strconv.FormatFloat(math.Floor(least*10)/10, 'f', 1, 64)
	}
	return shades
}

// accentPart shows an accent that is being typed, as the portal would.
func (c *Console) accentPart(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "portal-links", "Accent")
	p.D = shadesOf(strings.TrimSpace(r.URL.Query().Get("brand.accent")))
	c.render(w, r, "accent-part", p)
}

// brandLogo is a portal's own picture.
func (c *Console) brandLogo(w http.ResponseWriter, r *http.Request, v *visit) {
	v.portalInfo.Brand.writeLogo(w, r)
}
