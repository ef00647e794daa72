package tab

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Keys that are not letters.
const (
	Enter    = kb.Enter
	Escape   = kb.Escape
	TabKey   = kb.Tab
	Left     = kb.ArrowLeft
	Right    = kb.ArrowRight
	noPlace  = `no element, or none that can be seen: %s`
	findIt   = `(() => { if (!(` + Ready + `)) return null; const e = document.querySelector(%q); if (!e) return null; e.scrollIntoView({block: "nearest"}); const r = e.getBoundingClientRect(); return r.width ? [r.x, r.y, r.width, r.height] : null })()`
	dragStep = 6
)

// Ready is what is true of a page that is there and whose programs have run: also htmx,
// which begins after the page is complete.
const Ready = `(document.readyState === "complete" && (!window.htmx || !document.querySelector("[hx-get],[hx-post]") || !!document.querySelector("[data-htmx-powered]")))`

// Keys presses keys one after the other, wherever the focus is.
func (t *Tab) Keys(keys string) error {
	if err := t.Until(Ready); err != nil {
		return err
	}
	return chromedp.Do(t.ctx, chromedp.KeyEvent(keys))
}

// Backwards presses Shift and Tab.
func (t *Tab) Backwards() error {
	return chromedp.Do(t.ctx, chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)))
}

// box is where an element is once it can be seen, on a page whose programs have run: x, y,
// width and height.
func (t *Tab) box(selector string) ([]float64, error) {
	var r []float64
	err := t.wait(fmt.Sprintf(noPlace, selector), func() (bool, error) {
		ctx, stop := context.WithTimeout(t.ctx, Patience)
		defer stop()
		r, _ = chromedp.Run(ctx, chromedp.Evaluate[[]float64](fmt.Sprintf(findIt, selector)))
		return len(r) == 4, nil
	})
	return r, err
}

// Click waits for an element and clicks its middle with the mouse.
func (t *Tab) Click(selector string) error {
	r, err := t.box(selector)
	if err != nil {
		return err
	}
	return chromedp.Do(t.ctx, chromedp.MouseClickXY(r[0]+r[2]/2, r[1]+r[3]/2))
}

// Type puts a text into a field in place of what it has.
func (t *Tab) Type(selector, text string) error {
	if _, err := t.box(selector); err != nil {
		return err
	}
	if _, err := Eval[bool](t, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.focus(); e.select(); return true })()`, selector)); err != nil {
		return err
	}
	return chromedp.Do(t.ctx, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Choose picks an option as a person does: the field says that it has changed.
func (t *Tab) Choose(selector, value string) error {
	if err := t.Until(Ready); err != nil {
		return err
	}
	_, err := Eval[bool](t, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.value = %q; e.dispatchEvent(new Event("change", {bubbles: true})); return e.value === %[2]q })()`, selector, value))
	return err
}

// Drag draws the mouse along an element, from one part of its width to another.
func (t *Tab) Drag(selector string, from, to float64) error {
	r, err := t.box(selector)
	if err != nil {
		return err
	}
	y := r[1] + r[3]/2
	return chromedp.Do(t.ctx, chromedp.DragAndDropXY(r[0]+r[2]*from, y, r[0]+r[2]*to, y, dragStep))
}

// Hold presses the mouse on the middle of an element, and leaves it to release to let go there.
func (t *Tab) Hold(selector string) (release func() error, err error) {
	r, err := t.box(selector)
	if err != nil {
		return nil, err
	}
	do := func(what input.DispatchMouseEventType) error {
		return chromedp.Do(t.ctx, chromedp.MouseEvent(what, r[0]+r[2]/2, r[1]+r[3]/2, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	}
	return func() error { return do(input.DispatchMouseEventTypeMouseReleased) }, do(input.DispatchMouseEventTypeMousePressed)
}

// Hover moves the mouse to a part of an element.
func (t *Tab) Hover(selector string, x, y float64) error {
	r, err := t.box(selector)
	if err != nil {
		return err
	}
	return chromedp.Do(t.ctx, chromedp.MouseEvent("mouseMoved", r[0]+r[2]*x, r[1]+r[3]*y))
}
