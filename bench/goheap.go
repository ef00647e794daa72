package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxMetricsBytes bounds a page of metrics.
const maxMetricsBytes = 16 << 20

// goHeap is what the runtime of a server says of its heap, in bytes.
type goHeap struct {
	alloc    float64 // objects, garbage that was not collected among them
	inUse    float64 // spans with objects in them
	idle     float64 // spans without
	released float64 // of those without, given back to the operating system
}

// heapOf reads a server's heap from its admin listener.
func heapOf(ctx context.Context, adminURL string) (h goHeap, err error) {
	text, err := fetchText(ctx, adminURL+"/metrics")
	if err != nil {
		return h, err
	}
	for name, to := range map[string]*float64{
		"go_memstats_heap_alloc_bytes":    &h.alloc,
		"go_memstats_heap_inuse_bytes":    &h.inUse,
		"go_memstats_heap_idle_bytes":     &h.idle,
		"go_memstats_heap_released_bytes": &h.released,
	} {
		if *to, err = sampleNamed(text, name); err != nil {
			return h, err
		}
	}
	return h, nil
}

// liveHeapOf has a server collect its garbage and is the bytes of what is left.
func liveHeapOf(ctx context.Context, adminURL string) (float64, error) {
	if _, err := fetchText(ctx, adminURL+"/debug/pprof/heap?gc=1"); err != nil {
		return 0, err
	}
	h, err := heapOf(ctx, adminURL)
	return h.alloc, err
}

// sampleNamed finds a sample without labels in a page of metrics.
func sampleNamed(text, name string) (float64, error) {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("the metrics lack %s", name)
}

func fetchText(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Transport: new(http.Transport), Timeout: time.Minute}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxMetricsBytes))
	_ = resp.Body.Close()
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return string(text), err
}
