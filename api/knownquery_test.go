package api

import "testing"

// A misspelt filter must not select everything.
func TestABatchActionRefusesParametersThatItDoesNotKnow(t *testing.T) {
	w := newWorld(t)
	const says = `the query parameter "eventTipe" is not known, and what it leaves out would be taken up as well; known are endpointId, ` +
		`eventId, subscriptionId, sourceId, ownerId, status, eventType, event_type, idempotencyKey, brokerMessageId, query, body, q, startDate, endDate, rate`
	for path, method := range map[string]string{
		"/events/batchreplay": "POST", "/events/countbatchreplayevents": "GET",
		"/eventdeliveries/batchretry": "POST", "/eventdeliveries/countbatchretryevents": "GET",
	} {
		w.want(w.do(method, w.in("%s?eventTipe=paid", path), ""), 400, says)
	}
	w.want(w.do("GET", w.in("/events?eventTipe=paid"), ""), 200, "App events fetched successfully")
	if n := len(w.jobs.jobs); n != 0 {
		t.Errorf("%d jobs were started", n)
	}
}
