package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

var errNoMetrics = errors.New("no metrics")

// maxScrapeBytes bounds the metrics of a server.
const maxScrapeBytes = 4 << 20

// metrics are the samples of a server's /metrics: by name, the labels left out and
// their samples added up.
type metrics map[string]float64

// scrape reads the metrics at an admin listener.
func scrape(ctx context.Context, client *http.Client, adminURL string) (metrics, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, adminURL+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxScrapeBytes))
	_ = resp.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("%s/metrics: %w", adminURL, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: %s/metrics answers %s", errNoMetrics, adminURL, resp.Status)
	}
	return parseMetrics(string(text)), nil
}

// parseMetrics passes over what it cannot read.
func parseMetrics(text string) metrics {
	m := make(metrics)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			continue
		}
		name, _, _ := strings.Cut(line[:at], "{")
		m[name] += v
	}
	return m
}
