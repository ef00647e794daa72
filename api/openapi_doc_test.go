package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"time"

	"posthaste/event"
	"posthaste/search"
)

// apiText is the overview at the top of the documents.
var apiText = "posthaste delivers webhooks: events are posted here, and every endpoint that a subscription connects with them gets a signed request until it takes it or its attempts are spent. " +
	"The API is Convoy's, so that Convoy's clients work with another base URL; what is beyond it is said where it is.\n\n" +
	"Every answer is an object with status, message and data; a refusal has no data, and its message names the field and what is allowed. " +
	"Lists come in pages: data has content and pagination. next_page_cursor is the first row of the next page, and prev_page_cursor, with direction=prev, leads back. Rows that arrive meanwhile do not move others.\n\n" +
	"Send X-Convoy-Version to get the older shapes of endpoints. Send Prefer: handling=strict to have fields that are not known refused by name; otherwise they are ignored. " +
	"Every answer has an X-Request-Id, which is in the log too, and every 429 and 503 has a Retry-After.\n\n" +
	"Times are RFC 3339 in UTC, dates in a query are 2006-01-02T15:04:05 in UTC, ids are ULIDs."

const keyText = "An API key, or the token of a portal link, as `Authorization: Bearer <key>`. A key has the scopes ingest, read and manage, or some of them, and reaches the whole instance, one project, or what one owner has in a project."

type tagDoc struct{ name, text string }

// tags are the chapters of the documents.
var tags = []tagDoc{
	{"Events", "What is to be delivered. An event is durable before it is answered."},
	{"Event deliveries", "One for each endpoint that is owed an event, with its attempts."},
	{"Endpoints", "Where requests are sent, and how they are signed and retried."},
	{"Subscriptions", "Which events an endpoint is owed: by type, by content, by source; and what becomes of them on the way."},
	{"Filters", "Further filters of a subscription, one for each event type."},
	{"Event types", "A project's catalogue of event types. It describes; it refuses nothing."},
	{"Sources", "Webhooks of others: a URL for each, and how a request there is verified."},
	{"Portal links", "Access for one owner's people to what is theirs."},
	{"Portal", "What a portal link's token can do, without naming the project. The same token works on the project's own routes too."},
	{"Projects", "The outermost container. One project's key sees nothing of another."},
	{"Keys", "API keys. A key is shown once, when it is made."},
	{"Audit log", "Who did what with the API, and who was refused. A record has no secret and no payload: of fields that may hold one it shows digests."},
	{"System", "How the running server is, for its operator."},
	{"Secret keys", "The keys that secrets are stored under."},
	{"Statistics", "What happened, counted in steps of time."},
	{"Jobs", "Batch retries and replays, which go on in the background and outlast a restart."},
	{"Meta events", "What the server tells about itself, and how that was delivered."},
	{"Applications", "Convoy's older object that groups endpoints. An event for an application goes to all of them."},
	{"Groups", "Projects under their older name."},
	{"Documents", "This description."},
}

// pathTexts say what stands in a path.
var pathTexts = map[string]string{
	"projectID": "Id of the project.", "endpointID": "Id of the endpoint.", "subscriptionID": "Id of the subscription.",
	"eventTypeID": "Id of the event type.", "eventID": "Id of the event.", "eventDeliveryID": "Id of the delivery.",
	"deliveryAttemptID": "Id of the attempt.", "jobID": "Id of the job.", "metaEventID": "Id of the operational event.",
	"sourceID": "Id of the source.", "portalLinkID": "Id of the portal link.", "keyID": "Id of the key.", "filterID": "Id of the filter.",
	"eventType": "An event type; the filter for it, or else the one for *, is tried.", "appID": "Id of the application.",
	"maskID": "The source's mask_id.", "secretID": "Id of the secret.",
}

// queryParam is a parameter that stands outside of a path.
type queryParam struct {
	name, text                 string
	wire                       string // what requests call it, if that is not its name
	enum                       []string
	many, number, flag, header bool
}

var deliveryStatuses = []string{"Scheduled", "Processing", "Discarded", "Failure", "Success", "Retry"}

// queryParams are all parameters. An empty value is as good as none.
var queryParams = []queryParam{
	{name: "X-Convoy-Version", header: true, text: "The version of the API to speak: a date, " + CurrentVersion + " if there is none."},
	{name: "perPage", number: true, text: fmt.Sprintf("Rows of a page, %d if there is none, at most %d.", defaultPerPage, maxPerPage)},
	{name: "direction", enum: []string{"next", "prev"}, text: "Which way to page."},
	{name: "sort", enum: []string{"ASC", "DESC"}, text: "Oldest or newest first; newest if there is none."},
	{name: "next_page_cursor", text: "The first row of the page, with direction=next: what the page before said."},
	{name: "prev_page_cursor", text: "The row behind the page, with direction=prev: what the page after said."},
	{name: "startDate", text: "From this time on: 2006-01-02T15:04:05, UTC."},
	{name: "endDate", text: "Up to this second: 2006-01-02T15:04:05, UTC."},
	{name: "endpointId", many: true, text: "Of these endpoints."},
	{name: "sourceId", many: true, text: "That came in through these sources."},
	{name: "idempotencyKey", text: "With this idempotency key."},
	{name: "ownerId", text: "Of this owner."},
	{name: "query", text: "With this text somewhere in the data; of a delivery, also in its idempotency key, in why it ended or in what failed attempts got. Of deliveries it may hold operators: code:404, code:5xx, code:timeout, attempts>3, data.customer.id=cus_1, type:order.paid, endpoint:ID; with a - before one, those that it does not fit. What stands in quotes is a text."},
	{name: "body", text: "Whose data contains this JSON: every member that it names, with its value."},
	{name: "brokerMessageId", text: "Taken for Convoy's clients; nothing comes from brokers here."},
	{name: "eventId", text: "Of this event."},
	{name: "subscriptionId", text: "By this subscription."},
	{name: "eventType", text: "Of this event type. event_type means the same."},
	{name: "status", many: true, enum: deliveryStatuses, text: "In one of these states."},
	{name: "endpointStatus", wire: "status", many: true, enum: []string{"active", "inactive", "paused", "pending"}, text: "In one of these states."},
	{name: "q", text: "Whose name contains this, in any case."},
	{name: "name", text: "With this name."},
	{name: "type", text: "Of this type."},
	{name: "provider", text: "Of this provider."},
	{name: "step", number: true, text: "The length of a step in seconds, a whole number of minutes; about a hundredth of the time if there is none."},
	{name: "points", enum: []string{"true", "false"}, text: "Whether to tell of each step, or of all together only."},
	{name: "order", enum: []string{"deliveries", "trouble"}, text: "The busiest first, or those with most deliveries that failed, wait for a retry or were discarded."},
	{name: "limit", number: true, text: "How many at the most, up to 1000."},
	{name: "rate", number: true, text: fmt.Sprintf("How many a second, at most %d; as many as there can be if there is none.", maxJobRate)},
	{name: "actor", text: "By this key or portal link, by its id, or by this kind of actor."},
	{name: "action", text: "This action, as key.create; with a dot at its end, all of a kind."},
	{name: "object", text: "About the object with this id."},
	{name: "outcome", enum: []string{"done", "refused", "begun", "failed"}, text: "With this outcome."},
	{name: "dry_run", flag: true, text: "Only say what would be wrong."},
	{name: "masked", flag: true, text: "Mask secrets, or leave them out, also for a key that may see them. The audit log then has no record of their being shown."},
	{name: "computed", text: "What a receiver computed, to be compared."},
	{name: "reveal", flag: true, text: "Show secrets instead of masks."},
	{name: "lastEventId", text: "Go on behind the message with this id. The header Last-Event-ID says the same, and counts for more."},
	{name: "Last-Event-ID", header: true, text: "Go on behind the message with this id."},
	{name: "maxRows", number: true, text: fmt.Sprintf("Show so many of each batch at most, the newest, up to %d; all if there is none.", maxStreamRows)},
	{name: "orgID", text: "Taken for Convoy's clients; there is one organisation."},
	{name: "groupId", text: "The project that is meant, for a key of the instance."},
	{name: "crc_token", text: "The challenge of Twitter."},
}

// queryGroups are parameters that come together.
var queryGroups = map[string][]string{
	"paging":          {"perPage", "direction", "sort", "next_page_cursor", "prev_page_cursor"},
	"dates":           {"startDate", "endDate"},
	"event filter":    {"endpointId", "sourceId", "idempotencyKey", "ownerId", "eventType", "query", "body", "brokerMessageId"},
	"delivery filter": {"endpointId", "eventId", "subscriptionId", "eventType", "status", "idempotencyKey", "ownerId", "sourceId", "brokerMessageId"},
}

type refusalText struct {
	code int
	text string
}

// refusalTexts say when a code is answered.
var refusalTexts = []refusalText{
	{400, "Something in the request is wrong; the message names it and what is allowed."},
	{401, "No key, or one that is not known, was revoked or has ended."},
	{403, "The key is good but may not do this: it lacks a scope, or may not be used from this address."},
	{404, "There is no such thing, or it is out of the key's reach."},
	{405, "The route does not take this method; Allow names those that it takes."},
	{409, "It was changed by somebody else meanwhile, or the idempotency key belongs to other content."},
	{413, "The request is too large; the message names the limit."},
	{415, "The Content-Type or Content-Encoding is not taken here."},
	{429, "Too many requests; Retry-After says when to come again."},
	{501, "This server is not set up for it."},
	{503, "The server is overloaded, stopping or out of disk space; Retry-After says when to come again."},
}

// schemaNames are the names of types whose Go name does not do.
var schemaNames = map[reflect.Type]string{
	reflect.TypeFor[onboardDoc](): "OnboardRequest", reflect.TypeFor[importDoc](): "ImportRequest", reflect.TypeFor[oauth2RequestDoc](): "OAuth2TestRequest", reflect.TypeFor[portalTokenRequestDoc](): "PortalTokenRequest", reflect.TypeFor[idListDoc](): "IDs",
	reflect.TypeFor[eventTypeView]():        "EventTypeEntry",
	reflect.TypeFor[eventView]():            "EventMetadata",
	reflect.TypeFor[createdProject]():       "CreatedProject",
	reflect.TypeFor[configView]():           "ProjectConfig",
	reflect.TypeFor[configBody]():           "ProjectConfigRequest",
	reflect.TypeFor[keyView]():              "ProjectKey",
	reflect.TypeFor[roleView]():             "ProjectKeyRole",
	reflect.TypeFor[apiKeyView]():           "Key",
	reflect.TypeFor[filterView]():           "SubscriptionFilter",
	reflect.TypeFor[filterBody]():           "SubscriptionFilterRequest",
	reflect.TypeFor[filterPartsView]():      "FilterParts",
	reflect.TypeFor[filterTestScopes]():     "FilterTestParts",
	reflect.TypeFor[metaView]():             "MetaEvent",
	reflect.TypeFor[metaEventView]():        "MetaEventConfig",
	reflect.TypeFor[metaEventBody]():        "MetaEventConfigRequest",
	reflect.TypeFor[event.Secret]():         "StoredSecret",
	reflect.TypeFor[searchView]():           "DeliverySearch",
	reflect.TypeFor[search.Term]():          "SearchTerm",
	reflect.TypeFor[matchView]():            "SubscriptionMatch",
	reflect.TypeFor[matchesView]():          "EventMatches",
	reflect.TypeFor[secretView]():           "Secret",
	reflect.TypeFor[event.CustomResponse](): "CustomResponse",
	reflect.TypeFor[event.StatusChange]():   "StatusChange",
}

// schemaTexts say what a schema is.
var schemaTexts = map[string]string{
	"Pagination":      "Where a page lies in its list. looked and looked_until are there when a search ended a page early, because it had looked at enough; the cursors lead on. search is there when deliveries were searched: what the server understood, and how many rows it read; not for portal tokens.",
	"Endpoint":        "Where requests are sent. Of url and target_url, and of name and title, there is the one that the version knows.",
	"EndpointRequest": "An endpoint to make or to change. Of a change, what is left out stays as it is.",
	"Event":           "An event. Its status tells about matching, not about delivery: Success means that an endpoint was found for it.",
	"Delivery":        "An event on its way to one endpoint.",
	"Attempt":         "One request to an endpoint, and what came of it.",
	"Subscription":    "Which events an endpoint is owed.",
	"TypeFilter":      "A filter of a subscription for one event type.",
	"Source":          "Where webhooks of others come in. Secrets are masked. A source of type pub_sub is kept and shown, and always disabled: this server reads no brokers.",
	"PortalLink":      "Access for one owner's people.",
	"Project":         "A project and its configuration.",
	"ProjectConfig":   "What a project decides for its endpoints.",
	"Key":             "An API key.",
	"Job":             "A batch retry or replay.",
	"MetaEvent":       "What the server told about itself.",
	"EventTypeEntry":  "An entry of the catalogue.",
	"Application":     "A group of endpoints.",
	"FilterParts":     "Conditions in Convoy's language: $gt, $in, $regex, $or and so on, over dotted paths.",
}

// fieldTexts say what a field is where its Go comment does not do.
var fieldTexts = map[string]string{
	"Pagination.prev_page_cursor": "The first row of this page.",
	"Pagination.next_page_cursor": "The first row of the next page, or the last row of this one if there is none.",
	"Endpoint.secrets":            "All that sign, oldest first; masked for a key that may only read.",
	"Event.data":                  "As it was posted, byte for byte.",
	"Delivery.status":             "Discarded: the endpoint takes no deliveries.",
}

// requiredIn are the fields that a request has to have.
var requiredIn = map[string][]string{
	"SingleEvent": {"event_type", "data"}, "FanoutEvent": {"owner_id", "event_type", "data"},
	"BroadcastEvent": {"event_type", "data"}, "DynamicEvent": {"url", "event_type", "data"},
	"ProjectRequest": nil,
}

// enums are the values of texts, by "schema.field".
var enums = map[string][]string{
	"Project.type": {"outgoing", "incoming"}, "ProjectRequest.type": {"outgoing", "incoming"},
	"Event.status":                {"Processing", "Failure", "Success", "Retry", "Pending"},
	"Delivery.status":             deliveryStatuses,
	"MetaEvent.status":            deliveryStatuses,
	"Delivery.delivery_mode":      {event.AtLeastOnce, event.AtMostOnce},
	"Subscription.delivery_mode":  {event.AtLeastOnce, event.AtMostOnce},
	"Endpoint.signature_mode":     {event.SignConvoy, event.SignStandard},
	"Source.type":                 {event.SourceHTTP, event.SourceREST, event.SourcePubSub, event.SourceDBStream},
	"Verifier.type":               {event.VerifyNothing, event.VerifyHMac, event.VerifyBasic, event.VerifyAPIKey},
	"PortalLink.auth_type":        {event.PortalStatic, event.PortalRefresh, event.PortalOneTime},
	"Key.key_type":                {"instance", "project", "portal"},
	"Strategy.type":               {event.StrategyLinear, event.StrategyExponential, event.StrategySchedule},
	"DeliveryMetadata.strategy":   {event.StrategyLinear, event.StrategyExponential, event.StrategySchedule},
	"DeadEndpointConfig.strategy": {event.DeadExhausted, event.DeadConsecutive, event.DeadWindow},
}

// enumTypes are the values of Go types.
var enumTypes = map[reflect.Type][]string{
	reflect.TypeFor[event.EndpointStatus](): {string(event.EndpointActive), string(event.EndpointInactive), string(event.EndpointPaused), string(event.EndpointPending)},
	reflect.TypeFor[event.JobKind]():        {string(event.JobRetry), string(event.JobReplay)},
}

// Types whose parts are put together when they are written, and those that have no name.
type (
	paginationDoc struct {
		pagination
		*cutView
		Search *searchView `json:"search,omitempty"`
	}
	eventDoc struct {
		eventView
		Data json.RawMessage `json:"data"`
	}
	deliveryMetadataDoc struct {
		deliveryMetadata
		Data json.RawMessage `json:"data"`
	}
	deliveryDoc struct {
		deliveryView
		Metadata      deliveryMetadataDoc `json:"metadata"`
		EventMetadata *eventView          `json:"event_metadata"`
	}
	metaDoc struct {
		metaView
		Metadata deliveryMetadataDoc `json:"metadata"`
	}
	functionDoc struct {
		Log     []string        `json:"log"`
		Payload json.RawMessage `json:"payload"`
	}
	matchDoc struct {
		IsMatch bool `json:"is_match"`
	}
	portalTokenDoc struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	acceptedDoc struct {
		ID event.ID `json:"uid"` // Of the event, also of a duplicate
	}
	batchItemDoc struct {
		Status  bool   `json:"status"`
		ID      string `json:"uid,omitempty"`
		Message string `json:"message"`
	}
	stubDoc               struct{}
	portalTokenRequestDoc struct {
		Token string `json:"token"`
	}
	idListDoc struct {
		IDs []string `json:"ids"`
	}
	importDoc struct {
		Spec string `json:"spec"` // An OpenAPI document, as a text; its webhooks are entered
	}
	oauth2RequestDoc struct {
		OAuth2 *event.OAuth2Auth `json:"oauth2"`
	}
)

// Events in a request. Package ingest reads them without a struct.
type (
	eventFields struct {
		EventType      string            `json:"event_type"`
		Data           json.RawMessage   `json:"data"`            // Any JSON; it is delivered as it is
		CustomHeaders  map[string]string `json:"custom_headers"`  // Go with every request
		IdempotencyKey string            `json:"idempotency_key"` // A second event with the same is answered and not sent
	}
	singleEvent struct {
		EndpointID string `json:"endpoint_id"` // This, or app_id
		AppID      string `json:"app_id"`      // An application, to whose endpoints it goes, or an endpoint
		eventFields
	}
	fanoutEvent struct {
		OwnerID string `json:"owner_id"` // To whose endpoints it goes
		eventFields
	}
	broadcastEvent struct{ eventFields }
	dynamicEvent   struct {
		URL        string   `json:"url"`
		Secret     string   `json:"secret"`
		EventTypes []string `json:"event_types"`
		eventFields
	}
	batchEvent struct {
		EndpointID string `json:"endpoint_id"`
		AppID      string `json:"app_id"`
		OwnerID    string `json:"owner_id"`
		Broadcast  bool   `json:"broadcast"`
		eventFields
	}
)

// routeDocs are the documents of all routes, from the tables of the other files.
var routeDocs = func() map[string]routeDoc {
	all := map[string]routeDoc{}
	for _, table := range []map[string]routeDoc{intakeDocs, workDocs, manageDocs, accessDocs, moreDocs} {
		maps.Copy(all, table)
	}
	return all
}()
