package api

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"posthaste/event"
)

// rates are the answer for a query, by endpoint.
func (w *world) rates(query string) map[event.ID]failureRateView {
	w.t.Helper()
	a := w.do("GET", w.in("/endpoints/period-failure-rates?%s", query), "")
	w.want(a, 200, "Endpoint period failure rates fetched successfully")
	var rows []failureRateView
	if err := json.Unmarshal(a.Data, &rows); err != nil {
		w.t.Fatal(err)
	}
	byID := make(map[event.ID]failureRateView)
	for _, r := range rows {
		byID[r.ID] = r
	}
	return byID
}

// addDeliveries makes n deliveries to an endpoint at a time.
func (w *world) addDeliveries(endpoint event.ID, at time.Time, first, n int, s event.Status) {
	for i := range n {
		w.log.addDelivery(event.Delivery{
			ID: event.DeliveryID(uint64(at.UnixMilli()), 7, uint64(first+i+1)), ProjectID: w.project, EndpointID: endpoint, Status: s,
		})
	}
}

func TestFailureRates(t *testing.T) {
	w := newWorld(t)
	one, two := w.addEndpoint(w.project, 1), w.addEndpoint(w.project, 2)
	day := 24 * time.Hour
	w.addDeliveries(one, epoch.Add(-time.Hour), 0, 5, event.Success)
	w.addDeliveries(one, epoch.Add(-time.Hour), 100, 2, event.Failure)
	w.addDeliveries(one, epoch.Add(-time.Hour), 200, 1, event.Retry)
	w.addDeliveries(one, epoch.Add(-time.Hour), 300, 4, event.Scheduled)
	w.addDeliveries(one, epoch.Add(-time.Hour), 400, 4, event.Discarded)
	w.addDeliveries(one, epoch.Add(-8*day), 500, 3, event.Failure)
	got := w.rates("endpointId=" + one.String())
	if want := (failureRateView{one, 0.375, 5, 2, 1, true}); len(got) != 1 || got[one] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got = w.rates(""); len(got) != 2 || got[two] != (failureRateView{ID: two, Complete: true}) {
		t.Errorf("all are %+v", got)
	}
	ten := epoch.Add(-10 * day).Format(dateLayout)
	if got = w.rates("startDate=" + ten); got[one].FailureCount != 5 {
		t.Errorf("since %s: %+v", ten, got[one])
	}
	if got = w.rates("startDate=" + ten + "&endDate=" + epoch.Add(-2*day).Format(dateLayout)); got[one] != (failureRateView{one, 1, 0, 3, 0, true}) {
		t.Errorf("until two days ago: %+v", got[one])
	}
	if got = w.rates("startDate=0001-01-01T00:00:00&endDate=0001-01-01T00:00:00&endpointId="); got[one].SuccessCount != 5 {
		t.Errorf("unset dates: %+v", got[one])
	}
	if got = w.rates(fmt.Sprintf("endpointId=%s&endpointId=%s", id('e', 9), two)); len(got) != 1 {
		t.Errorf("one that is not there: %+v", got)
	}
	w.want(w.do("GET", w.in("/endpoints/period-failure-rates?startDate=now"), ""), 400, "please specify a startDate in the format "+dateLayout)
	w.want(w.do("GET", w.in("/endpoints/period-failure-rates?endpointId=x"), ""), 400, "endpointId: not an id: want 26 characters of Crockford base 32")
}

// Beyond the bound, the newest are counted, and the answer says so.
func TestFailureRateIsBounded(t *testing.T) {
	w := newWorld(t)
	w.addEndpoint(w.project, 1)
	e := w.catalog.Snapshot().Endpoint(id('e', 1))
	w.addDeliveries(e.ID, epoch, 0, 10, event.Success)
	w.addDeliveries(e.ID, epoch.Add(time.Second), 0, 5, event.Failure)
	for most, want := range map[int]failureRateView{
		4:  {e.ID, 1, 0, 4, 0, false},
		5:  {e.ID, 1, 0, 5, 0, false},
		14: {e.ID, 5. / 14, 9, 5, 0, false},
		15: {e.ID, 5. / 15, 10, 5, 0, true},
		16: {e.ID, 5. / 15, 10, 5, 0, true},
	} {
		got, err := w.api.failureRate(t.Context(), e, everything, most)
		if err != nil || got != want {
			t.Errorf("of %d: %+v %v, want %+v", most, got, err, want)
		}
	}
}
