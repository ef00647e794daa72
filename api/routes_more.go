package api

import "slices"

// moreRoutes are the routes of what stands beside Convoy's main objects: filters by
// event type, applications, bulk onboarding, test events.
var moreRoutes = slices.Concat([]route{
	{"GET " + inTypeFilters, ofProject, (*API).listTypeFilters},
	{"POST " + inTypeFilters, ofProject, (*API).createTypeFilter},
	{"POST " + inTypeFilters + "/bulk", ofProject, (*API).createTypeFilters},
	{"PUT " + inTypeFilters + "/bulk_update", ofProject, (*API).updateTypeFilters},  // Convoy's documents
	{"POST " + inTypeFilters + "/bulk_update", ofProject, (*API).updateTypeFilters}, // Convoy's server
	{"POST " + inTypeFilters + "/test/{eventType}", ofProject, (*API).testTypeFilter},
	{"GET " + inTypeFilters + "/{filterID}", ofProject, (*API).getTypeFilter},
	{"PUT " + inTypeFilters + "/{filterID}", ofProject, (*API).updateTypeFilter},
	{"DELETE " + inTypeFilters + "/{filterID}", ofProject, (*API).deleteTypeFilter},

	{"GET " + inProject + "/endpoints/period-failure-rates", ofProject, (*API).failureRates},
	{"GET " + inProject + "/statistics", ofProject, (*API).countSeries},
	{"GET " + inProject + "/statistics/endpoints", ofProject, (*API).countEndpoints},
	{"GET " + inProject + "/statistics/event-types", ofProject, (*API).countTypes},
	{"POST " + inProject + "/onboard", ofProject, (*API).onboard},
	{"POST " + inEndpoint + "/test", ofProject, (*API).sendTestEvent},
	{"GET " + inDelivery + "/curl", ofProject, (*API).curlOfDelivery},
	{"GET " + inDelivery + "/deliveryattempts/{deliveryAttemptID}/signature", ofProject, (*API).explainSignature},
	{"GET " + inEvent + "/matches", ofProject, (*API).explainMatch},
	{"GET " + inProject + "/portal", ofProject, (*API).getPortal},
	{"DELETE " + inEvent + "/content", ofProject, (*API).deleteContent},
},
	groupRoutes,
	applicationRoutes,
)

// groupRoutes are those of projects under their older name.
var groupRoutes = []route{
	{"GET /api/v1/groups", ofInstance, asGroup((*API).listProjects)},
	{"POST /api/v1/groups", ofInstance, asGroup((*API).createGroup)},
	{"GET " + inGroup, ofProject, asGroup((*API).getProject)},
	{"PUT " + inGroup, ofProject, asGroup((*API).updateProject)},
	{"DELETE " + inGroup, ofProject, asGroup((*API).deleteProject)},
}

// applicationRoutes are those of Convoy's older object between a project and its
// endpoints.
var applicationRoutes = slices.Concat(
	inTwoPlaces("GET", inApplications, (*API).listApplications),
	inTwoPlaces("POST", inApplications, (*API).createApplication),
	inTwoPlaces("GET", inApplications+"/{appID}", (*API).getApplication),
	inTwoPlaces("PUT", inApplications+"/{appID}", (*API).updateApplication),
	inTwoPlaces("DELETE", inApplications+"/{appID}", (*API).deleteApplication),
	inTwoPlaces("GET", inApplications+"/{appID}/endpoints", (*API).listAppEndpoints),
	inTwoPlaces("POST", inApplications+"/{appID}/endpoints", (*API).createAppEndpoint),
	inTwoPlaces("GET", inApplications+"/{appID}/endpoints/{endpointID}", (*API).getAppEndpoint),
	inTwoPlaces("PUT", inApplications+"/{appID}/endpoints/{endpointID}", (*API).updateAppEndpoint),
	inTwoPlaces("DELETE", inApplications+"/{appID}/endpoints/{endpointID}", (*API).deleteAppEndpoint),
)
