package bench

import (
	"net/url"
	"time"
)

// growthList is a listing with a filter.
type growthList struct {
	path  string // of the listing, in the project
	query string
	shown string // the query, with names in place of ids
	some  bool   // there must be rows
}

// growthSince is how long ago the border is of the listings by date.
const growthSince = time.Minute

// lists are all listings with each of their filters. last is the id of an event
// to an owner's endpoints.
func (s *growthStock) lists(plan *growthPlan, last string, now time.Time) []growthList {
	border := url.QueryEscape(now.UTC().Add(-growthSince).Format("2006-01-02T15:04:05"))
	one := "endpointId=" + s.singles[0]
	var all []growthList
	of := func(path string) func(query, shown string, some bool) {
		return func(query, shown string, some bool) {
			all = append(all, growthList{path: path, query: query, shown: shown, some: some})
		}
	}
	for _, path := range []string{"/eventdeliveries", "/events"} {
		add := of(path)
		add("", "", true)
		add("sort=ASC", "sort=ASC", true)
		add(one, "endpointId", true)
		add("ownerId="+growthOwnerPrefix+"3", "ownerId", true)
		add("sourceId="+s.source, "sourceId", path == "/events")
		add("idempotencyKey="+plan.someKey(), "idempotencyKey", true)
		add("eventType=type-3", "eventType=common", true)
		add("eventType="+growthRareType, "eventType=rare", true)
		add("startDate="+border, "startDate", false)
		add("endDate="+border, "endDate", false)
	}
	add := of("/eventdeliveries")
	add(one+"&endpointId="+s.singles[1]+"&endpointId="+s.failing, "three endpointId", true)
	add("eventId="+last, "eventId", true)
	add("subscriptionId="+s.subscription, "subscriptionId", true)
	add("eventType=none", "eventType=none", false)
	for _, status := range []string{"Success", "Failure", "Retry", "Discarded"} {
		add("status="+status, "status="+status, true)
	}
	add("status=Scheduled", "status=Scheduled", false)
	add("status=Failure&status=Discarded", "status=Failure&status=Discarded", true)
	add(one+"&status=Failure", "endpointId&status=Failure", false)
	add("eventType="+growthRareType+"&status=Success", "eventType=rare&status=Success", false)
	add = of("/events")
	add("idempotencyKey=none", "idempotencyKey=none", false)
	add("query=0000000000000077", "query=a number", false)
	add("query=nowhere", "query=nowhere", false)
	add("body="+url.QueryEscape(`{"seq":"0000000000000005"}`), "body", false)
	return all
}
