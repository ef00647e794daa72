package api

const (
	instanceKey = "/api/v1/keys/{keyID}"
	projectKey  = inProject + "/keys/{keyID}"
	inSource    = inProject + "/sources/{sourceID}"
	inLink      = inProject + "/portal-links/{portalLinkID}"
)

// accessRoutes are the routes of who may do what and of what comes in from outside:
// keys, portal links and sources.
var accessRoutes = []route{
	{"GET /api/v1/keys", ofInstance, (*API).listKeys},
	{"POST /api/v1/keys", ofInstance, (*API).createKey},
	{"GET " + instanceKey, ofInstance, (*API).getKey},
	{"DELETE " + instanceKey, ofInstance, (*API).revokeKey},
	{"PUT " + instanceKey + "/revoke", ofInstance, (*API).revokeKey},

	{"GET " + inProject + "/keys", ofProject, (*API).listKeys},
	{"POST " + inProject + "/keys", ofProject, (*API).createKey},
	{"GET " + projectKey, ofProject, (*API).getKey},
	{"DELETE " + projectKey, ofProject, (*API).revokeKey},
	{"PUT " + projectKey + "/revoke", ofProject, (*API).revokeKey},

	{"GET " + inProject + "/sources", ofProject, (*API).listSources},
	{"POST " + inProject + "/sources", ofProject, (*API).createSource},
	{"POST " + inProject + "/sources/test_function", ofProject, (*API).testFunction},
	{"GET " + inSource, ofProject, (*API).getSource},
	{"PUT " + inSource, ofProject, (*API).updateSource},
	{"POST " + inSource, ofProject, (*API).updateSource}, // older Go clients
	{"DELETE " + inSource, ofProject, (*API).deleteSource},

	{"GET " + inProject + "/portal-links", ofProject, (*API).listPortalLinks},
	{"POST " + inProject + "/portal-links", ofProject, (*API).createPortalLink},
	{"GET " + inLink, ofProject, (*API).getPortalLink},
	{"PUT " + inLink, ofProject, (*API).updatePortalLink},
	{"DELETE " + inLink, ofProject, (*API).revokePortalLink},
	{"PUT " + inLink + "/revoke", ofProject, (*API).revokePortalLink},
	{"GET " + inLink + "/refresh_token", ofProject, (*API).refreshPortalLink},
	{"GET /api/v1/audit", ofInstance, (*API).listInstanceAudit},
	{"GET " + inProject + "/audit", ofProject, (*API).listProjectAudit},
	{"GET /api/v1/system", ofInstance, (*API).getSystem},
	{"GET /api/v1/secrets", ofInstance, (*API).getSealing},
	{"POST /api/v1/secrets/reseal", ofInstance, (*API).reseal},

	{"POST /portal-api/token", ofNobody, (*API).exchangePortalToken},
}
