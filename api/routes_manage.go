package api

// manageRoutes are the routes of what a project is made of: its configuration,
// endpoints, subscriptions and event types.
var manageRoutes = []route{
	{"GET /api/v1/projects", ofInstance, (*API).listProjects},
	{"POST /api/v1/projects", ofInstance, (*API).createProject},
	{"GET " + inProject, ofProject, (*API).getProject},
	{"PUT " + inProject, ofProject, (*API).updateProject},
	{"POST " + inProject, ofProject, (*API).updateProject}, // older Go clients
	{"DELETE " + inProject, ofProject, (*API).deleteProject},

	{"GET " + inProject + "/endpoints", ofProject, (*API).listEndpoints},
	{"POST " + inProject + "/endpoints", ofProject, (*API).createEndpoint},
	{"GET " + inEndpoint, ofProject, (*API).getEndpoint},
	{"PUT " + inEndpoint, ofProject, (*API).updateEndpoint},
	{"DELETE " + inEndpoint, ofProject, (*API).deleteEndpoint},
	{"PUT " + inEndpoint + "/expire_secret", ofProject, (*API).expireSecret},
	{"POST " + inEndpoint + "/secrets/{secretID}/reveal", ofProject, (*API).revealSecret},
	{"PUT " + inEndpoint + "/secrets/{secretID}/expire", ofProject, (*API).endSecret},
	{"PUT " + inEndpoint + "/pause", ofProject, (*API).pauseEndpoint},
	{"POST " + inEndpoint + "/activate", ofProject, (*API).activateEndpoint},
	{"POST " + inProject + "/endpoints/oauth2/test", ofProject, (*API).testOAuth2},

	{"GET " + inProject + "/subscriptions", ofProject, (*API).listSubscriptions},
	{"POST " + inProject + "/subscriptions", ofProject, (*API).createSubscription},
	{"POST " + inProject + "/subscriptions/test_filter", ofProject, (*API).testFilter},
	{"POST " + inProject + "/subscriptions/test_function", ofProject, (*API).testFunction},
	{"GET " + inSubscription, ofProject, (*API).getSubscription},
	{"PUT " + inSubscription, ofProject, (*API).updateSubscription},
	{"DELETE " + inSubscription, ofProject, (*API).deleteSubscription},
	{"PUT " + inSubscription + "/toggle_status", ofProject, (*API).toggleSubscription},

	{"GET " + inProject + "/event-types", ofProject, (*API).listEventTypes},
	{"POST " + inProject + "/event-types", ofProject, (*API).createEventType},
	{"POST " + inProject + "/event-types/import", ofProject, (*API).importEventTypes},
	{"PUT " + inEventType, ofProject, (*API).updateEventType},
	{"POST " + inEventType + "/deprecate", ofProject, (*API).deprecateEventType},
}
