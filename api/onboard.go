package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"posthaste/catalog"
	"posthaste/event"
)

const (
	maxOnboardRows   = 10_000
	onboardBatchRows = 100 // as Convoy counts batches
	maxShownErrors   = 5   // rows that a refusal names in its message
)

// onboardItem is a receiver to be taken on: an endpoint and its subscription.
type onboardItem struct {
	Name         string `json:"name"`
	URL          string `json:"url"`
	EventType    string `json:"event_type"` // "": all
	AuthUsername string `json:"auth_username"`
	AuthPassword string `json:"auth_password"`
}

// onboardError is what is wrong with one field of one row. Rows count from 1.
type onboardError struct {
	Row     int    `json:"row"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

type onboardDryRun struct {
	TotalRows  int            `json:"total_rows"`
	ValidCount int            `json:"valid_count"`
	Errors     []onboardError `json:"errors"`
}

type onboardAccepted struct {
	BatchCount int    `json:"batch_count"`
	TotalItems int    `json:"total_items"`
	Message    string `json:"message"`
}

// onboard makes an endpoint and a subscription of every row, or of none. A dry run says
// only what is wrong with them.
func (a *API) onboard(c *call) (reply, error) {
	dry, err := truthParam(c.r.URL.Query(), "dry_run")
	if err != nil {
		return reply{}, err
	}
	items, err := a.readOnboarding(c.r)
	if err != nil {
		return reply{}, err
	}
	if n := len(items); n == 0 || n > maxOnboardRows {
		return reply{}, event.Invalid("items", "want 1 to %d rows, got %d; send more in several requests", maxOnboardRows, n)
	}
	wrong, bad := a.checkOnboarding(c, items)
	if dry {
		return respond(http.StatusOK, "Dry run validation complete", onboardDryRun{len(items), len(items) - bad, wrong})
	}
	if bad > 0 {
		return reply{}, refuseOnboarding(wrong, bad)
	}
	if err := a.onboardAll(c, items); err != nil {
		return reply{}, err
	}
	batches := (len(items) + onboardBatchRows - 1) / onboardBatchRows
	return respond(http.StatusAccepted, "Bulk onboard request accepted",
		onboardAccepted{batches, len(items), fmt.Sprintf("%d endpoints were created, each with a subscription", len(items))})
}

// refuseOnboarding names the first rows that are wrong.
func refuseOnboarding(wrong []onboardError, bad int) error {
	var text []string
	for _, e := range wrong[:min(len(wrong), maxShownErrors)] {
		text = append(text, fmt.Sprintf("row %d: %s: %s", e.Row, e.Field, e.Message))
	}
	if more := len(wrong) - len(text); more > 0 {
		text = append(text, fmt.Sprintf("and %d more", more))
	}
	return event.Invalid("", "%d rows are invalid and nothing was created; dry_run=true lists all errors. %s", bad, strings.Join(text, "; "))
}

// onboardAll makes the endpoints and subscriptions in one write: all or none.
func (a *API) onboardAll(c *call, items []onboardItem) error {
	list := make([]catalog.Subscribed, len(items))
	for i := range items {
		of, err := a.onboardOne(c, &items[i])
		if err != nil {
			return atRow(i+1, err)
		}
		list[i] = of
	}
	_, err := a.o.Catalog.CreateSubscribed(c.project.ID, list)
	if row := (*catalog.RowError)(nil); errors.As(err, &row) {
		return atRow(row.Row+1, row.Err)
	}
	return err
}

func atRow(row int, err error) error {
	if code, message := codeOf(err); code == http.StatusBadRequest {
		return event.Invalid("", "row %d: %s; nothing was created", row, message)
	}
	return err
}

func (a *API) onboardOne(c *call, item *onboardItem) (of catalog.Subscribed, err error) {
	body := endpointBody{Name: &item.Name, URL: &item.URL}
	if item.AuthUsername != "" {
		body.Authentication = &event.Authentication{
			Type: event.AuthBasic, BasicAuth: &event.BasicAuth{UserName: item.AuthUsername, Password: item.AuthPassword},
		}
	}
	if of.Endpoint, err = a.newEndpoint(c, &body, nil); err != nil {
		return of, err
	}
	of.Subscription.Name = item.Name
	if item.EventType != "" { // else all
		of.Subscription.FilterConfig.EventTypes = []string{item.EventType}
	}
	return of, nil
}
