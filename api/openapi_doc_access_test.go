package api

// accessDocs describe the routes of routes_access.go.
var accessDocs = map[string]routeDoc{
	"GET /api/v1/keys":               {id: "GetInstanceKeys", tag: "Keys", summary: "List the instance's keys", query: []string{"paging"}, data: pageOf{apiKeyView{}}},
	"POST /api/v1/keys":              {id: "CreateInstanceKey", tag: "Keys", summary: "Make a key of the instance", text: "The key itself is in this answer and in no other.", body: keyBody{}, code: 201, data: apiKeyView{}},
	"GET " + instanceKey:             {id: "GetInstanceKey", tag: "Keys", summary: "Get a key of the instance", data: apiKeyView{}},
	"DELETE " + instanceKey:          {id: "RevokeInstanceKey", tag: "Keys", summary: "Revoke a key of the instance"},
	"PUT " + instanceKey + "/revoke": {id: "RevokeInstanceKeyByPut", same: "DELETE " + instanceKey},

	"GET " + inProject + "/keys":    {id: "GetKeys", tag: "Keys", summary: "List a project's keys", query: []string{"paging"}, data: pageOf{apiKeyView{}}},
	"POST " + inProject + "/keys":   {id: "CreateKey", tag: "Keys", summary: "Make a key of a project, or of an owner in it", text: "It can have no more than the key that makes it. The key itself is in this answer and in no other.", body: keyBody{}, code: 201, data: apiKeyView{}},
	"GET " + projectKey:             {id: "GetKey", tag: "Keys", summary: "Get a key", data: apiKeyView{}},
	"DELETE " + projectKey:          {id: "RevokeKey", tag: "Keys", summary: "Revoke a key"},
	"PUT " + projectKey + "/revoke": {id: "RevokeKeyByPut", same: "DELETE " + projectKey},

	"GET " + inProject + "/sources":                {id: "LoadSourcesPaged", tag: "Sources", summary: "List sources", query: []string{"type", "provider", "q", "paging"}, data: pageOf{sourceView{}}},
	"POST " + inProject + "/sources":               {id: "CreateSource", tag: "Sources", summary: "Make a source", body: sourceBody{}, code: 201, data: sourceView{}},
	"POST " + inProject + "/sources/test_function": {id: "TestSourceFunction", tag: "Sources", summary: "Try a function out", body: functionBody{}, data: functionDoc{}, errors: []int{501}},
	"GET " + inSource:                              {id: "GetSource", tag: "Sources", summary: "Get a source", data: sourceView{}},
	"PUT " + inSource:                              {id: "UpdateSource", tag: "Sources", summary: "Change a source", body: sourceBody{}, code: 202, data: sourceView{}, errors: []int{409}},
	"POST " + inSource:                             {id: "UpdateSourceByPost", same: "PUT " + inSource},
	"DELETE " + inSource:                           {id: "DeleteSource", tag: "Sources", summary: "Delete a source"},

	"GET " + inProject + "/portal-links":  {id: "LoadPortalLinksPaged", tag: "Portal links", summary: "List portal links", query: []string{"ownerId", "q", "masked", "paging"}, data: pageOf{portalLinkView{}}},
	"POST " + inProject + "/portal-links": {id: "CreatePortalLink", tag: "Portal links", summary: "Make a portal link", body: portalLinkBody{}, code: 201, data: portalLinkView{}},
	"GET " + inLink:                       {id: "GetPortalLink", tag: "Portal links", summary: "Get a portal link", query: []string{"masked"}, data: portalLinkView{}},
	"PUT " + inLink:                       {id: "UpdatePortalLink", tag: "Portal links", summary: "Change a portal link", text: "The JSON text \"{}\" as the whole body, which older Go clients send, revokes it and is answered with 200.", body: portalLinkBody{}, code: 202, data: portalLinkView{}, second: &secondDoc{200, nil}, errors: []int{409}},
	"DELETE " + inLink:                    {id: "DeletePortalLink", same: "PUT " + inLink + "/revoke"},
	"PUT " + inLink + "/revoke":           {id: "RevokePortalLink", tag: "Portal links", summary: "Revoke a portal link", text: "Its tokens end at once."},
	"GET " + inLink + "/refresh_token":    {id: "RefreshPortalLinkAuthToken", tag: "Portal links", summary: "Get a short-lived token", data: ""},
	"GET /api/v1/audit":                   {id: "GetInstanceAudit", tag: "Audit log", summary: "List the audit log of the instance", text: "Every record, those of projects included.", query: []string{"actor", "action", "object", "outcome", "paging", "dates"}, data: pageOf{auditView{}}},
	"GET " + inProject + "/audit":         {id: "GetAudit", tag: "Audit log", summary: "List the audit log of a project", text: "It asks for the scope read.", query: []string{"actor", "action", "object", "outcome", "paging", "dates"}, data: pageOf{auditView{}}},
	"GET /api/v1/system":                  {id: "GetSystem", tag: "System", summary: "How the running server is", text: "Disk, store, deliveries in memory, connections, clock, keys for secrets and the settings in force. It asks for a key of the instance, and has no secret.", data: systemView{}, errors: []int{501}},
	"GET /api/v1/secrets":                 {id: "GetSecretKeys", tag: "Secret keys", summary: "Which key secrets are stored under", data: sealingView{}, errors: []int{501}},
	"POST /api/v1/secrets/reseal":         {id: "ResealSecrets", tag: "Secret keys", summary: "Read the key file again and store secrets under its first key", text: "It goes on in the background; once removable is true, nothing in this store needs the older keys.", code: 202, data: sealingView{}, errors: []int{501}},

	"POST /portal-api/token": {id: "ExchangePortalToken", tag: "Portal", summary: "Exchange a link's token for a short-lived one", text: "A link of type one_time can do so once.", body: portalTokenRequestDoc{}, data: portalTokenDoc{}, open: true, errors: []int{401}},
}
