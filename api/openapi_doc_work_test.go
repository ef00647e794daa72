package api

// workDocs describe the routes of routes_work.go.
var workDocs = map[string]routeDoc{
	"GET " + inProject + "/events": {id: "GetEventsPaged", tag: "Events", summary: "List events", query: []string{"event filter", "dates", "paging"}, data: pageOf{eventDoc{}},
		text: "A search in the data looks at a bounded number of events within the dates; pagination.looked_until says how far it came."},
	"GET " + inProject + "/events/stream": {id: "StreamEvents", tag: "Events", summary: "Listen to events as they are taken in", query: []string{"endpointId", "sourceId", "idempotencyKey", "ownerId", "eventType", "lastEventId", "Last-Event-ID", "maxRows"},
		custom: "text/event-stream", errors: []int{429, 501, 503},
		text: "Beyond Convoy. Server-sent events, as of deliveries; the messages are named event, and are as the list's rows but without data."},
	"GET " + inEvent: {id: "GetEndpointEvent", tag: "Events", summary: "Get an event", data: eventDoc{}},
	"PUT " + inEvent + "/replay": {id: "ReplayEndpointEvent", tag: "Events", summary: "Route an event again", data: eventDoc{},
		text: "It is matched anew and goes out as new deliveries, under the id that receivers know."},
	"POST " + inProject + "/events/batchreplay": {id: "BatchReplayEvents", tag: "Events", summary: "Route many events again", query: []string{"event filter", "dates", "rate"},
		text: "A job does it; Location names it. The answer waits a little for its end."},
	"GET " + inProject + "/events/countbatchreplayevents": {id: "CountAffectedEvents", tag: "Events", summary: "Count the events that a batch replay would take up", query: []string{"event filter", "dates"}, data: countView{}},

	"GET " + inProject + "/eventdeliveries": {id: "GetEventDeliveriesPaged", tag: "Event deliveries", summary: "List deliveries", query: []string{"delivery filter", "query", "dates", "paging"}, data: pageOf{deliveryDoc{}}},
	"GET " + inProject + "/eventdeliveries/stream": {id: "StreamEventDeliveries", tag: "Event deliveries", summary: "Listen to deliveries as they are created and change",
		query:  []string{"delivery filter", "lastEventId", "Last-Event-ID", "maxRows"},
		custom: "text/event-stream", errors: []int{429, 501, 503}, text: streamText},
	"GET " + inDelivery:                                  {id: "GetEventDelivery", tag: "Event deliveries", summary: "Get a delivery", data: deliveryDoc{}},
	"PUT " + inDelivery + "/resend":                      {id: "ResendEventDelivery", tag: "Event deliveries", summary: "Attempt a delivery again", text: "One that failed or was discarded.", data: deliveryDoc{}},
	"POST " + inProject + "/eventdeliveries/forceresend": {id: "ForceResendEventDeliveries", tag: "Event deliveries", summary: "Send deliveries again that succeeded", body: idListDoc{}, data: retryOutcome{}},
	"POST " + inProject + "/eventdeliveries/batchretry": {id: "BatchRetryEventDelivery", tag: "Event deliveries", summary: "Attempt many deliveries again", query: []string{"delivery filter", "query", "dates", "rate"},
		text: "A job does it; Location names it."},
	"PUT " + inProject + "/eventdeliveries/batchretry": {id: "BatchRetryEventDeliveryByPut", tag: "Event deliveries", summary: "Attempt many deliveries again, as older Go clients ask", query: []string{"delivery filter", "query", "dates", "rate"},
		text: "A job does it; Location names it.", data: stubDoc{}},
	"GET " + inProject + "/eventdeliveries/countbatchretryevents": {id: "CountBatchRetryEvents", tag: "Event deliveries", summary: "Count the deliveries that a batch retry would take up", query: []string{"delivery filter", "query", "dates"}, data: countView{}},
	"GET " + inProject + "/eventdeliveries/statustotals":          {id: "GetStatusTotals", tag: "Event deliveries", summary: "Count deliveries by state", query: []string{"delivery filter", "query", "dates"}, data: totalsView{}},
	"GET " + inDelivery + "/deliveryattempts":                     {id: "GetDeliveryAttempts", tag: "Event deliveries", summary: "List a delivery's attempts", text: "The first one first. Sensitive headers are masked.", data: listOf{attemptView{}}},
	"GET " + inDelivery + "/deliveryattempts/{deliveryAttemptID}": {id: "GetDeliveryAttempt", tag: "Event deliveries", summary: "Get an attempt", data: attemptView{}},

	"GET " + inProject + "/jobs":        {id: "GetJobs", tag: "Jobs", summary: "List jobs", query: []string{"dates", "paging"}, data: pageOf{jobView{}}},
	"GET " + inJob:                      {id: "GetJob", tag: "Jobs", summary: "Get a job", data: jobView{}},
	"PUT " + inJob + "/cancel":          {id: "CancelJob", tag: "Jobs", summary: "Stop a job", text: "What is done stays done.", data: jobView{}},
	"POST " + inJob + "/cancel":         {id: "CancelJobByPost", same: "PUT " + inJob + "/cancel"},
	"GET " + inProject + "/meta-events": {id: "GetMetaEventsPaged", tag: "Meta events", summary: "List operational events", query: []string{"dates", "paging"}, data: pageOf{metaDoc{}}},
	"GET " + inMetaEvent:                {id: "GetMetaEvent", tag: "Meta events", summary: "Get an operational event", data: metaDoc{}},
	"PUT " + inMetaEvent + "/resend":    {id: "ResendMetaEvent", tag: "Meta events", summary: "Tell of it again", data: metaDoc{}},
}

// streamText says what a stream is made of.
const streamText = "Beyond Convoy. Server-sent events, of what is durable from the first message on. " +
	"delivery: a row of the list without data, and in attempt what led to the state, or null. " +
	"open: the stream begins; resumed says that it goes on behind the id that was given, without a gap. " +
	"reset: it cannot, because the server was restarted, more happened than is kept, or the id is none; read the list again. " +
	"dropped: the client was too slow and lost so many; read the list again. " +
	"batch: with maxRows, how many of how many were shown. " +
	"end: the server ends the stream, with the code and message that a request would get. " +
	"A client that is cut off goes on with the id of the last message. Batches come twice a second, a comment every 15 s, and what is not taken within 5 s ends the stream."
