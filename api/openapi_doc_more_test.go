package api

// inApps and inApp are where applications are.
const (
	inApps = inProject + inApplications
	inApp  = inApps + "/{appID}"
)

// moreDocs describe the routes of routes_more.go.
var moreDocs = map[string]routeDoc{
	"GET " + inTypeFilters:                        {id: "GetFilters", tag: "Filters", summary: "List a subscription's filters", data: listOf{typeFilterView{}}},
	"POST " + inTypeFilters:                       {id: "CreateFilter", tag: "Filters", summary: "Make a filter for an event type", body: typeFilterBody{}, code: 201, data: typeFilterView{}},
	"POST " + inTypeFilters + "/bulk":             {id: "BulkCreateFilters", tag: "Filters", summary: "Make several filters, or none", body: []typeFilterBody{}, code: 201, data: listOf{typeFilterView{}}},
	"PUT " + inTypeFilters + "/bulk_update":       {id: "BulkUpdateFilters", tag: "Filters", summary: "Change several filters, or none", body: []typeFilterUpdate{}, data: listOf{typeFilterView{}}, errors: []int{409}},
	"POST " + inTypeFilters + "/bulk_update":      {id: "BulkUpdateFiltersByPost", same: "PUT " + inTypeFilters + "/bulk_update"},
	"POST " + inTypeFilters + "/test/{eventType}": {id: "TestFilter", tag: "Filters", summary: "Try a subscription's filters out on a made-up event", body: typeFilterTestBody{}, data: matchDoc{}},
	"GET " + inTypeFilters + "/{filterID}":        {id: "GetFilter", tag: "Filters", summary: "Get a filter", data: typeFilterView{}},
	"PUT " + inTypeFilters + "/{filterID}":        {id: "UpdateFilter", tag: "Filters", summary: "Change a filter", body: typeFilterBody{}, data: typeFilterView{}, errors: []int{409}},
	"DELETE " + inTypeFilters + "/{filterID}":     {id: "DeleteFilter", tag: "Filters", summary: "Delete a filter"},

	"GET " + inProject + "/endpoints/period-failure-rates": {id: "GetEndpointPeriodFailureRates", tag: "Endpoints", summary: "Get the failure rates of endpoints", query: []string{"endpointId", "dates"}, data: listOf{failureRateView{}},
		text: "Of the last seven days, if there are no dates."},
	"GET " + inProject + "/statistics": {id: "GetStatistics", tag: "Statistics", summary: "Count what happened, in steps of time", query: []string{"dates", "step", "endpointId", "eventType"}, data: seriesView{},
		text: "Beyond Convoy. Of the last day, if there are no dates. Of the project, or of one endpoint or event type."},
	"GET " + inProject + "/statistics/endpoints":   {id: "GetEndpointStatistics", tag: "Statistics", summary: "Count what happened, by endpoint", text: "Beyond Convoy. The busiest first, 1000 at the most.", query: []string{"dates", "step", "endpointId", "points", "order", "limit"}, data: listOf{seriesView{}}},
	"GET " + inProject + "/statistics/event-types": {id: "GetEventTypeStatistics", tag: "Statistics", summary: "Count what happened, by event type", text: "Beyond Convoy. The busiest first, 1000 at the most.", query: []string{"dates", "step", "points", "order", "limit"}, data: listOf{seriesView{}}},
	"POST " + inEndpoint + "/test":                 {id: "SendTestEvent", tag: "Endpoints", summary: "Send a test event to an endpoint", text: "Beyond Convoy. It goes whatever the endpoint's subscriptions say.", body: testEventBody{}, optional: true, code: 201, data: testEventView{}},
	"GET " + inDelivery + "/curl":                  {id: "GetDeliveryCurl", tag: "Event deliveries", summary: "Get a delivery's request as a command", text: "Beyond Convoy. As plain text, if Accept asks for it.", query: []string{"reveal"}, data: curlView{}},
	"GET " + inDelivery + "/deliveryattempts/{deliveryAttemptID}/signature": {id: "ExplainSignature", tag: "Event deliveries", summary: "Explain an attempt's signature", query: []string{"computed"}, data: signatureView{},
		text: "Beyond Convoy. What was signed, which secret made each part and, if computed is given, whether that is right or which mistake leads to it. Secrets are told apart by their prints."},
	"GET " + inEvent + "/matches":    {id: "ExplainMatch", tag: "Events", summary: "Say what each subscription makes of an event", text: "Beyond Convoy. As the subscriptions are now.", data: matchesView{}},
	"GET " + inProject + "/portal":   {id: "GetPortal", tag: "Portal", summary: "What a portal shows beside its objects", text: "Beyond Convoy. Whose it is, what it may do, how it looks, how the project signs and when it tries again.", data: portalView{}},
	"DELETE " + inEvent + "/content": {id: "DeleteEventContent", tag: "Events", summary: "Delete an event's content", text: "Beyond Convoy. Its data is gone for good; the event and its deliveries stay to be seen, and no attempt is made any more.", errors: []int{501}},

	"POST " + inProject + "/onboard": {id: "BulkOnboard", tag: "Endpoints", summary: "Make many endpoints with their subscriptions", text: "As JSON, or as a CSV file in a form with the columns name, url, event_type, auth_username and auth_password.",
		query: []string{"dry_run"}, body: onboardDoc{}, media: []string{"application/json", "multipart/form-data"}, code: 202, data: onboardAccepted{}, second: &secondDoc{200, onboardDryRun{}}},

	"GET /api/v1/groups":  {id: "GetGroups", tag: "Groups", summary: "List projects", data: listOf{projectView{}}, old: true},
	"POST /api/v1/groups": {id: "CreateGroup", tag: "Groups", summary: "Make a project", body: projectBody{}, code: 201, data: groupDoc{}, old: true},
	"GET " + inGroup:      {id: "GetGroup", tag: "Groups", summary: "Get a project", data: projectView{}, old: true},
	"PUT " + inGroup:      {id: "UpdateGroup", tag: "Groups", summary: "Change a project", body: projectBody{}, code: 202, data: projectView{}, old: true, errors: []int{409}},
	"DELETE " + inGroup:   {id: "DeleteGroup", tag: "Groups", summary: "Delete a project", old: true},

	"GET " + inApps:                               {id: "GetApplications", tag: "Applications", summary: "List applications", query: []string{"q", "paging"}, data: pageOf{applicationView{}}},
	"POST " + inApps:                              {id: "CreateApplication", tag: "Applications", summary: "Make an application", text: "With a url, it has an endpoint at once.", body: applicationBody{}, code: 201, data: applicationView{}},
	"GET " + inApp:                                {id: "GetApplication", tag: "Applications", summary: "Get an application", data: applicationView{}},
	"PUT " + inApp:                                {id: "UpdateApplication", tag: "Applications", summary: "Change an application", text: "Disabling it pauses its endpoints.", body: applicationBody{}, code: 202, data: applicationView{}, errors: []int{409}},
	"DELETE " + inApp:                             {id: "DeleteApplication", tag: "Applications", summary: "Delete an application and its endpoints"},
	"GET " + inApp + "/endpoints":                 {id: "GetApplicationEndpoints", tag: "Applications", summary: "List an application's endpoints", data: listOf{appEndpointView{}}},
	"POST " + inApp + "/endpoints":                {id: "CreateApplicationEndpoint", tag: "Applications", summary: "Give an application an endpoint", body: appEndpointBody{}, code: 201, data: appEndpointView{}},
	"GET " + inApp + "/endpoints/{endpointID}":    {id: "GetApplicationEndpoint", tag: "Applications", summary: "Get an application's endpoint", data: appEndpointView{}},
	"PUT " + inApp + "/endpoints/{endpointID}":    {id: "UpdateApplicationEndpoint", tag: "Applications", summary: "Change an application's endpoint", body: appEndpointBody{}, code: 202, data: appEndpointView{}, errors: []int{409}},
	"DELETE " + inApp + "/endpoints/{endpointID}": {id: "DeleteApplicationEndpoint", tag: "Applications", summary: "Delete an application's endpoint"},
}

type onboardDoc struct {
	Items []onboardItem `json:"items"`
}

type groupDoc struct {
	projectView
	APIKey keyView     `json:"api_key"`
	Group  projectView `json:"group"` // The same once more
}
