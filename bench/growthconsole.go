package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"posthaste/bench/report"
)

// growthOverviewTarget is the most that the p99 of the overview may be.
const growthOverviewTarget = 50 // milliseconds

// How often a page of the console is asked for.
const (
	consoleLooks      = 200
	consoleLooksQuick = 5
)

// consolePage is how long a page of the console took, whole, without its files.
type consolePage struct {
	name, path string
	latency    report.Latency
}

// lookAtConsole signs in and asks for the pages that tell of all that is stored, one
// request at a time. The first is the overview.
func (r *runner) lookAtConsole(ctx context.Context, console string, s *growthStock) ([]consolePage, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Jar: jar, Timeout: growthLookLimit, Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	root := console + "/p/" + s.project
	if err := signIn(ctx, client, console, root+"/", s.key); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	pages := []consolePage{
		{name: "overview", path: "/"}, {name: "overview of 7 days", path: "/?range=7d"},
		{name: "deliveries", path: "/deliveries"}, {name: "failed deliveries", path: "/deliveries?status=Failure"},
		{name: "endpoints", path: "/endpoints"}, {name: "events", path: "/events"},
	}
	looks := consoleLooks
	if r.Quick {
		looks = consoleLooksQuick
	}
	for i := range pages {
		times := newRecorder()
		for range looks {
			start := time.Now()
			if err := readPage(ctx, client, root+pages[i].path); err != nil {
				return nil, fmt.Errorf("console: %w", err)
			}
			times.record(0, time.Since(start))
		}
		pages[i].latency = times.summary()
	}
	return pages, nil
}

// signIn begins a session with a key.
func signIn(ctx context.Context, client *http.Client, console, next, key string) error {
	form := url.Values{"key": {key}, "next": {strings.TrimPrefix(next, console)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, console+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return readWhole(client, req)
}

func readPage(ctx context.Context, client *http.Client, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	return readWhole(client, req)
}

func readWhole(client *http.Client, req *http.Request) error {
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: status %d", req.Method, req.URL, resp.StatusCode)
	}
	return err
}
