// Package tab drives a Chromium that is installed on this machine: for the tests of the
// console in a real browser, and for the program that takes its pictures.
package tab

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/chromedp/chromedp"
)

// Binary is where Chromium is: what CHROMIUM names, or the first that is installed. ""
// if there is none.
func Binary() string {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Browser is one running Chromium. Any goroutine may open tabs in it.
type Browser struct {
	ctx  context.Context
	stop []context.CancelFunc
}

// Start runs the program at path. Cookies of other sites are blocked, as more and more
// browsers do. The caller calls Stop.
func Start(ctx context.Context, path string) (*Browser, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.Flag("test-third-party-cookie-phaseout", true),
		chromedp.Flag("hide-scrollbars", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses root
	}
	b := &Browser{}
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	b.stop = append(b.stop, stop)
	b.ctx, stop = chromedp.NewContext(ctx)
	b.stop = append(b.stop, stop)
	if err := chromedp.Do(b.ctx); err != nil {
		b.Stop()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return b, nil
}

// Stop ends the browser and waits until it is gone.
func (b *Browser) Stop() {
	for i := len(b.stop) - 1; i >= 0; i-- {
		b.stop[i]()
	}
}
