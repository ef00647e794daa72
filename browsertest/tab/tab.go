package tab

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Patience is how long a tab waits for what it was told to wait for.
const Patience = time.Minute

// Tab is one page in a profile of its own: no cookie of another tab is in it. One
// goroutine uses it.
type Tab struct {
	ctx  context.Context
	stop context.CancelFunc

	mu       sync.Mutex
	problems []Problem
	traffic  Traffic
}

// Problem is something that a page complained of.
type Problem struct {
	CSP  bool // a violation of the page's Content-Security-Policy
	Text string
}

// Traffic is what went over the wire.
type Traffic struct {
	Requests int
	Bytes    int            // as sent: headers, and bodies compressed
	ByType   map[string]int // bytes, by Document, Script, Font, ...
}

// reportViolations tells of violations by a binding that outlives the page.
const reportViolations = `addEventListener("securitypolicyviolation", e => cspViolated(e.effectiveDirective + " refused " + (e.blockedURI || e.sample) + " at " + e.sourceFile + ":" + e.lineNumber))`

// Open makes a tab. The caller calls Close.
func (b *Browser) Open() (*Tab, error) {
	return b.attach(chromedp.WithNewBrowserContext())
}

func (b *Browser) attach(options ...chromedp.ContextOption) (*Tab, error) {
	t := &Tab{traffic: Traffic{ByType: map[string]int{}}}
	t.ctx, t.stop = chromedp.NewContext(b.ctx, append(options, chromedp.WithListener(t.listen()))...)
	err := chromedp.Do(t.ctx)
	if err == nil {
		_, err = chromedp.Call(t.ctx, network.Enable, network.EnableParams{})
	}
	if err == nil {
		_, err = chromedp.Call(t.ctx, runtime.AddBinding, runtime.AddBindingParams{Name: "cspViolated"})
	}
	if err == nil {
		_, err = chromedp.Call(t.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: reportViolations})
	}
	if err != nil {
		t.Close()
		return nil, fmt.Errorf("open a tab: %w", err)
	}
	return t, nil
}

// Frame is the frame of another site in a page, once its address begins so.
func (b *Browser) Frame(t *Tab, prefix string) (*Tab, error) {
	var id target.ID
	err := t.wait("a frame at "+prefix, func() (bool, error) {
		infos, err := chromedp.Targets(t.ctx)
		if err != nil {
			return false, err
		}
		for _, info := range infos {
			if info.Type == "iframe" && info.BrowserContextID == chromedp.FromContext(t.ctx).BrowserContextID && strings.HasPrefix(info.URL, prefix) {
				id = info.TargetID
			}
		}
		return id != "", nil
	})
	if err != nil {
		return nil, err
	}
	f := &Tab{traffic: Traffic{ByType: map[string]int{}}}
	f.ctx, f.stop = chromedp.NewContext(t.ctx, chromedp.WithTargetID(id), chromedp.WithListener(f.listen()))
	if err := chromedp.Do(f.ctx); err != nil {
		f.Close()
		return nil, fmt.Errorf("look into the frame at %s: %w", prefix, err)
	}
	return f, nil
}

// Close ends the tab and what it knows.
func (t *Tab) Close() { t.stop() }

func (t *Tab) listen() func(any) {
	types := map[network.RequestID]string{}
	return func(event any) {
		t.mu.Lock()
		defer t.mu.Unlock()
		switch e := event.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
				t.problems = append(t.problems, Problem{Text: fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)})
			}
		case *runtime.EventConsoleAPICalled:
			if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
				t.problems = append(t.problems, Problem{Text: "console: " + texts(e.Args)})
			}
		case *runtime.EventExceptionThrown:
			text := e.ExceptionDetails.Text
			if e.ExceptionDetails.Exception != nil {
				text += " " + e.ExceptionDetails.Exception.Description
			}
			t.problems = append(t.problems, Problem{Text: "exception: " + text})
		case *runtime.EventBindingCalled:
			if e.Name == "cspViolated" {
				t.problems = append(t.problems, Problem{CSP: true, Text: e.Payload})
			}
		case *network.EventResponseReceived:
			types[e.RequestID] = string(e.Type)
		case *network.EventLoadingFinished:
			t.traffic.Requests++
			t.traffic.Bytes += int(e.EncodedDataLength)
			t.traffic.ByType[types[e.RequestID]] += int(e.EncodedDataLength)
			delete(types, e.RequestID)
		}
	}
}

func texts(args []*runtime.RemoteObject) string {
	var b strings.Builder
	for _, a := range args {
		if a.Description != "" {
			b.WriteString(a.Description + " ")
			continue
		}
		b.Write(a.Value)
		b.WriteByte(' ')
	}
	return b.String()
}

// Problems are what the pages complained of since it was last asked.
func (t *Tab) Problems() []Problem {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.problems
	t.problems = nil
	return all
}

// Traffic is what was sent since it was last asked.
func (t *Tab) Traffic() Traffic {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.traffic
	t.traffic = Traffic{ByType: map[string]int{}}
	return all
}

// Go opens an address and waits until all of the page is loaded.
func (t *Tab) Go(url string) error {
	ctx, stop := context.WithTimeout(t.ctx, Patience)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		return fmt.Errorf("go to %s: %w", url, err)
	}
	return nil
}

// Back is the browser's own.
func (t *Tab) Back() error { return chromedp.Do(t.ctx, chromedp.NavigateBack()) }

// Eval runs an expression in the page and returns what it, or its promise, gives.
func Eval[T any](t *Tab, expression string) (T, error) {
	ctx, stop := context.WithTimeout(t.ctx, Patience)
	defer stop()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		err = fmt.Errorf("%.200s: %w", expression, err)
	}
	return v, err
}

// Until waits until an expression is true, also across pages.
func (t *Tab) Until(expression string) error {
	var last error
	err := t.wait(expression, func() (ok bool, err error) {
		ctx, stop := context.WithTimeout(t.ctx, Patience)
		defer stop()
		// What throws is not true yet: a page may just be leaving.
		ok, last = chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		return ok && last == nil, nil
	})
	if err != nil && last != nil {
		err = fmt.Errorf("%w: %w", err, last)
	}
	return err
}

// wait asks again and again.
func (t *Tab) wait(what string, done func() (bool, error)) error {
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(Patience)
	defer limit.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-limit.C:
			where, _ := chromedp.Run(t.ctx, chromedp.Location())
			return fmt.Errorf("not within %s at %s: %s", Patience, where, what)
		case <-t.ctx.Done():
			return t.ctx.Err()
		}
	}
}

// Size gives the page its width and height. A narrow one is a phone: touch, and two
// dots for each pixel.
func (t *Tab) Size(width, height int64) error {
	options := []chromedp.EmulateViewportOption{}
	if width < 600 {
		options = append(options, chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	return chromedp.Do(t.ctx, chromedp.EmulateViewport(width, height, options...))
}

// Media sets media features, as prefers-color-scheme: dark, in pairs.
func (t *Tab) Media(pairs ...string) error {
	p := emulation.SetEmulatedMediaParams{}
	for i := 0; i+1 < len(pairs); i += 2 {
		p.Features = append(p.Features, &emulation.MediaFeature{Name: pairs[i], Value: pairs[i+1]})
	}
	_, err := chromedp.Call(t.ctx, emulation.SetEmulatedMedia, p)
	return err
}

// Zone sets the time zone of the machine that the browser believes to be on.
func (t *Tab) Zone(name string) error {
	_, err := chromedp.Call(t.ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: name})
	return err
}

// Scripts turns JavaScript of pages on or off.
func (t *Tab) Scripts(on bool) error {
	_, err := chromedp.Call(t.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
	return err
}

// Picture is what can be seen of the page, as PNG.
func (t *Tab) Picture() ([]byte, error) {
	return chromedp.Run(t.ctx, chromedp.CaptureScreenshot())
}

// Offline takes the network away, or gives it back.
func (t *Tab) Offline(on bool) error {
	p := network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{}}
	if on {
		p.MatchedNetworkConditions = append(p.MatchedNetworkConditions, &network.Conditions{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	}
	_, err := chromedp.Call(t.ctx, network.EmulateNetworkConditionsByRule, p)
	return err
}

// Forget empties the browser's cache.
func (t *Tab) Forget() error {
	_, err := chromedp.Call(t.ctx, network.ClearBrowserCache, cdp.Empty{})
	return err
}

// Always runs a script at the beginning of each page from now on.
func (t *Tab) Always(script string) error {
	_, err := chromedp.Call(t.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	return err
}
