package api

// intakeDocs describe what packages ingest and inbound serve, and the documents.
var intakeDocs = map[string]routeDoc{
	"POST " + inProject + "/events": {id: "CreateEndpointEvent", tag: "Events", summary: "Post an event to one endpoint",
		text: "It goes to the endpoint that endpoint_id names, or to all of an application's. An endpoint without a subscription gets one that takes everything.",
		body: singleEvent{}, code: 201, data: acceptedDoc{}, errors: []int{409, 429}},
	"POST " + inProject + "/events/fanout": {id: "CreateEndpointFanoutEvent", tag: "Events", summary: "Post an event to all endpoints of an owner",
		body: fanoutEvent{}, code: 201, data: acceptedDoc{}, errors: []int{409, 429}},
	"POST " + inProject + "/events/broadcast": {id: "CreateBroadcastEvent", tag: "Events", summary: "Post an event to every subscription that wants it",
		text: "A subscription that was made the moment before gets it.",
		body: broadcastEvent{}, code: 201, data: acceptedDoc{}, errors: []int{409, 429}},
	"POST " + inProject + "/events/dynamic": {id: "CreateDynamicEvent", tag: "Events", summary: "Post an event to a URL",
		text: "The endpoint with this URL, and its subscription, are made or changed before the answer.",
		body: dynamicEvent{}, code: 201, data: acceptedDoc{}, errors: []int{409, 429}},
	"POST " + inProject + "/events/batch": {id: "CreateEventBatch", tag: "Events", summary: "Post many events at once",
		text: "An array, or one event a line as application/x-ndjson; gzip and zstd are taken. Each event stands for itself: data says what became of it, in order. Beyond Convoy.",
		body: []batchEvent{}, media: []string{"application/json", "application/x-ndjson"}, code: 201, data: listOf{batchItemDoc{}}, errors: []int{409, 429}},
	"POST /ingest/{maskID}": {id: "ReceiveWebhook", tag: "Sources", summary: "Take in a webhook of somebody else",
		text: "It is verified as the source says and becomes an event for the subscriptions of the source. A form becomes a JSON object. The answer is the source's custom response, if it has one.",
		body: map[string]any{}, media: []string{"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}, data: 0, errors: []int{429}, open: true},
	"GET /ingest/{maskID}": {id: "AnswerChallenge", tag: "Sources", summary: "Answer Twitter's challenge", query: []string{"crc_token"}, custom: "application/json", open: true, errors: []int{405}},
	"GET /openapi.yaml":    {id: "GetOpenAPI", tag: "Documents", summary: "This description, for programs", custom: "application/yaml", open: true},
	"GET /docs":            {id: "GetDocs", tag: "Documents", summary: "This description, to be read", custom: "text/html", open: true},
}
