package bench

import (
	"context"
	"fmt"
	"net/http"
)

// onboardItem is an endpoint to be made, with a subscription to every event type.
type onboardItem struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// onboard makes endpoints in bulk, each with a subscription: all or none. How
// many a request may have is the server's to say.
func (c *Client) onboard(ctx context.Context, project string, items []onboardItem) error {
	op := "/projects/" + project + "/onboard"
	var out struct {
		TotalItems int `json:"total_items"`
	}
	if err := c.do(ctx, http.MethodPost, op, object{"items": items}, &out); err != nil {
		return err
	}
	if out.TotalItems != len(items) {
		return fmt.Errorf("POST %s: %d endpoints were made of %d", op, out.TotalItems, len(items))
	}
	return nil
}
