package api

// manageDocs describe the routes of routes_manage.go.
var manageDocs = map[string]routeDoc{
	"GET /api/v1/projects":  {id: "GetProjects", tag: "Projects", summary: "List projects", text: "All of them, for a key of the instance; a project's key sees its own.", query: []string{"orgID"}, data: listOf{projectView{}}},
	"POST /api/v1/projects": {id: "CreateProject", tag: "Projects", summary: "Make a project", text: "The answer is the only one that shows the project's key.", query: []string{"orgID"}, body: projectBody{}, code: 201, data: createdProject{}},
	"GET " + inProject:      {id: "GetProject", tag: "Projects", summary: "Get a project", query: []string{"masked"}, data: projectView{}},
	"PUT " + inProject:      {id: "UpdateProject", tag: "Projects", summary: "Change a project", text: "What is left out stays as it is. The type does not change.", body: projectBody{}, code: 202, data: projectView{}, errors: []int{409}},
	"POST " + inProject:     {id: "UpdateProjectByPost", same: "PUT " + inProject},
	"DELETE " + inProject:   {id: "DeleteProject", tag: "Projects", summary: "Delete a project", text: "With all that is in it. Its keys end."},

	"GET " + inProject + "/endpoints":  {id: "GetEndpoints", tag: "Endpoints", summary: "List endpoints", query: []string{"q", "ownerId", "endpointStatus", "paging"}, data: pageOf{endpointView{}}},
	"POST " + inProject + "/endpoints": {id: "CreateEndpoint", tag: "Endpoints", summary: "Make an endpoint", body: endpointBody{}, code: 201, data: endpointView{}},
	"GET " + inEndpoint:                {id: "GetEndpoint", tag: "Endpoints", summary: "Get an endpoint", query: []string{"masked"}, data: endpointView{}},
	"PUT " + inEndpoint:                {id: "UpdateEndpoint", tag: "Endpoints", summary: "Change an endpoint", body: endpointBody{}, code: 202, data: endpointView{}, errors: []int{409}},
	"DELETE " + inEndpoint:             {id: "DeleteEndpoint", tag: "Endpoints", summary: "Delete an endpoint", text: "With its subscriptions; what it is still owed is discarded."},
	"PUT " + inEndpoint + "/expire_secret": {id: "ExpireSecret", tag: "Endpoints", summary: "Change an endpoint's secret", body: expireSecretBody{}, data: endpointView{},
		text: "The old secrets go on signing beside the new one until they end, so that receivers have time to change over."},
	"POST " + inEndpoint + "/secrets/{secretID}/reveal":  {id: "RevealSecret", tag: "Endpoints", summary: "Show a secret", text: "Beyond Convoy. Each time is in the audit log.", data: secretView{}},
	"PUT " + inEndpoint + "/secrets/{secretID}/expire":   {id: "EndSecret", tag: "Endpoints", summary: "End an old secret at once", text: "Beyond Convoy. One that has an end, and signs until then beside a newer one.", data: endpointView{}, errors: []int{400}},
	"PUT " + inEndpoint + "/pause":                       {id: "PauseEndpoint", tag: "Endpoints", summary: "Pause an endpoint, or let it go on", code: 202, data: endpointView{}},
	"POST " + inEndpoint + "/activate":                   {id: "ActivateEndpoint", tag: "Endpoints", summary: "Make an endpoint active", code: 202, data: endpointView{}},
	"POST " + inProject + "/endpoints/oauth2/test":       {id: "TestOAuth2Connection", tag: "Endpoints", summary: "Try OAuth2 credentials out", text: "Answered with 200 whether a token could be had or not; success says which.", body: oauth2RequestDoc{}, data: oauth2TestView{}, errors: []int{501}},
	"GET " + inProject + "/subscriptions":                {id: "GetSubscriptions", tag: "Subscriptions", summary: "List subscriptions", query: []string{"endpointId", "name", "paging"}, data: pageOf{subscriptionView{}}},
	"POST " + inProject + "/subscriptions":               {id: "CreateSubscription", tag: "Subscriptions", summary: "Make a subscription", body: subscriptionBody{}, code: 201, data: subscriptionView{}},
	"POST " + inProject + "/subscriptions/test_filter":   {id: "TestSubscriptionFilter", tag: "Subscriptions", summary: "Try a filter out on a made-up event", body: filterTestBody{}, data: true},
	"POST " + inProject + "/subscriptions/test_function": {id: "TestSubscriptionFunction", tag: "Subscriptions", summary: "Try a function out", body: functionBody{}, data: functionDoc{}, errors: []int{501}},
	"GET " + inSubscription:                              {id: "GetSubscription", tag: "Subscriptions", summary: "Get a subscription", data: subscriptionView{}},
	"PUT " + inSubscription:                              {id: "UpdateSubscription", tag: "Subscriptions", summary: "Change a subscription", body: subscriptionBody{}, code: 202, data: subscriptionView{}, errors: []int{409}},
	"DELETE " + inSubscription:                           {id: "DeleteSubscription", tag: "Subscriptions", summary: "Delete a subscription"},
	"PUT " + inSubscription + "/toggle_status":           {id: "ToggleSubscriptionStatus", tag: "Subscriptions", summary: "Taken for Convoy's clients; it changes nothing", code: 202, data: stubDoc{}},
	"GET " + inProject + "/event-types":                  {id: "GetEventTypes", tag: "Event types", summary: "List event types", data: listOf{eventTypeView{}}},
	"POST " + inProject + "/event-types":                 {id: "CreateEventType", tag: "Event types", summary: "Enter an event type", body: eventTypeBody{}, code: 201, data: eventTypeView{}},
	"POST " + inProject + "/event-types/import":          {id: "ImportOpenApiSpec", tag: "Event types", summary: "Enter the webhooks of an OpenAPI document", body: importDoc{}, data: listOf{eventTypeView{}}},
	"PUT " + inEventType:                                 {id: "UpdateEventType", tag: "Event types", summary: "Change an event type", body: eventTypeBody{}, code: updateEventTypeCode, data: eventTypeView{}},
	"POST " + inEventType + "/deprecate":                 {id: "DeprecateEventType", tag: "Event types", summary: "Mark an event type as one not to use any more", code: deprecateEventTypeCode, data: eventTypeView{}},
}

// What is answered to a change of an event type; the live run compares.
const (
	updateEventTypeCode    = 201
	deprecateEventTypeCode = 201
)
