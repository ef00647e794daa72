package bench

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// adminMetric reads one metric from a server's admin listener, the sum over its
// labels. known is false if the server has none of that name, or no metrics.
func adminMetric(ctx context.Context, adminURL, name string) (value float64, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client := &http.Client{Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	all, err := scrape(ctx, client, adminURL)
	if errors.Is(err, errNoMetrics) {
		return 0, false, nil
	}
	value, known = all[name]
	return value, known, err
}
