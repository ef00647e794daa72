package catalog

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"posthaste/event"
	"posthaste/internal/seal"
)

var (
	oneID, twoID = event.ID{1: 1, 15: 1}, event.ID{1: 2, 15: 2}
	someTime     = time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
	someStamp    = event.StampOf(someTime)
)

// plainEndpoint has a value in every field that version 1 of its record had.
func plainEndpoint() *event.Endpoint {
	return &event.Endpoint{
		ID: oneID, ProjectID: twoID, OwnerID: "owner", URL: "https://x", Name: "name", Description: "description",
		Secrets: []event.Secret{
			{ID: oneID, Value: "old", CreatedAt: someStamp, UpdatedAt: someStamp, ExpiresAt: &someTime, DeletedAt: &someTime},
			{ID: twoID, Value: "new", CreatedAt: someStamp},
		},
		AdvancedSignatures: true, Status: event.EndpointPaused, HTTPTimeout: 10, RateLimit: 5000, RateLimitDuration: 60,
		ContentType: contentJSON, SignatureMode: event.SignConvoy,
		Authentication: &event.Authentication{Type: "api_key", APIKey: &event.APIKeyAuth{HeaderName: "X-Key", HeaderValue: "v"}},
		Contacts:       &event.Contacts{SupportEmail: "mail", SlackWebhookURL: "slack", TeamsWebhookURL: "teams"},
		CreatedAt:      someStamp,
	}
}

// fullEndpoint has a value in every field.
func fullEndpoint() *event.Endpoint {
	e := plainEndpoint()
	e.SignatureMode, e.MaxConcurrency, e.CACert = event.SignStandard, 7, "ca"
	e.CustomHeaders = []event.Header{{Name: "X-A", Value: "b"}}
	e.Strategy = &event.Strategy{Type: "linear", Duration: 1, RetryCount: 2, Jitter: new(3), NoRetryStatuses: []int{404}}
	e.ClientCert = &event.ClientCert{Cert: "cert", Key: "key"}
	e.StatusHistory = []event.StatusChange{{From: "active", To: "paused", Reason: "why", At: someTime}}
	e.AppID, e.Dynamic = &twoID, true
	return e
}

// plainSubscription has a value in every field that version 1 of its record had.
func plainSubscription() *event.Subscription {
	return &event.Subscription{
		ID: oneID, Name: "n", Type: "api", ProjectID: twoID, EndpointID: oneID, FilterConfig: event.FilterConfig{EventTypes: []string{"a", "b"}},
		DeliveryMode: "at_least_once", CreatedAt: someStamp, UpdatedAt: someStamp,
	}
}

// fullSubscription has a value in every field.
func fullSubscription() *event.Subscription {
	s := plainSubscription()
	s.Function = "function transform(p) { return p }"
	s.FilterConfig.Filter = &event.Filter{Body: json.RawMessage(`{"a":{"$gt":1}}`), Path: json.RawMessage(`{"path":"/"}`)}
	s.Extra = &event.SubscriptionExtra{
		SourceID: twoID,
		Filters: []event.TypeFilter{
			{ID: oneID, EventType: "a", EnabledAt: &someTime, Filter: event.Filter{Query: json.RawMessage(`{"q":1}`)}, CreatedAt: someTime},
		},
		AlertConfig:     &event.AlertConfig{Count: 1, Threshold: "1h"},
		RateLimitConfig: &event.RateLimitConfig{Count: 2, Duration: 3},
		RetryConfig:     &event.RetryConfig{Type: "linear", Duration: 4, RetryCount: 5},
	}
	return s
}

// fullKey has a value in every field.
func fullKey() *event.APIKey {
	return &event.APIKey{
		ID: oneID, Name: "n", ProjectID: twoID, OwnerID: "owner", MaskID: "m", Digest: []byte{1}, Scopes: event.ScopeRead,
		AllowFrom: []string{"10.0.0.0/8"}, CreatedAt: someTime, ExpiresAt: &someTime, LastUsedAt: &someTime,
	}
}

// fullSource has a value in every field.
func fullSource() *event.Source {
	return &event.Source{
		ID: oneID, ProjectID: twoID, MaskID: "mask", Name: "n", Type: "pub_sub", Provider: "github", IsDisabled: true,
		Verifier: &event.Verifier{
			Type: "hmac", HMac: &event.HMacVerifier{Header: "H", Hash: "SHA256", Secret: "secret-a", Encoding: "hex"},
			BasicAuth: &event.BasicAuth{UserName: "u", Password: "secret-b"}, APIKey: &event.APIKeyAuth{HeaderName: "K", HeaderValue: "secret-c"},
		},
		CustomResponse: &event.CustomResponse{Body: "<b>", ContentType: "text/html"}, ForwardHeaders: []string{"X-A"},
		IdempotencyKeys: []string{"request.body.id"}, EventTypeLocation: "request.header.X", BodyFunction: "f", HeaderFunction: "g",
		PubSub: json.RawMessage(`{"secret-d":"<"}`), CRCVerifiedAt: &someTime, CreatedAt: someTime, UpdatedAt: someTime,
	}
}

// plainSource has a value where every source has one.
func plainSource() *event.Source {
	return &event.Source{ID: oneID, ProjectID: twoID, MaskID: "mask", Name: "n", Type: "http", CreatedAt: someTime, UpdatedAt: someTime}
}

// fullLink has a value in every field.
func fullLink() *event.PortalLink {
	return &event.PortalLink{
		ID: oneID, ProjectID: twoID, Name: "n", OwnerID: "owner", Endpoints: []event.ID{oneID, twoID}, AuthType: "one_time",
		CanManageEndpoint: true, Token: "secret-token", UsedAt: &someTime, ExpiresAt: &someTime, CreatedAt: someTime, UpdatedAt: someTime,
	}
}

func fullApplication() *event.Application {
	return &event.Application{
		ID: oneID, ProjectID: twoID, Name: "n", SupportEmail: "mail", SlackWebhookURL: "slack", IsDisabled: true, CreatedAt: someTime, UpdatedAt: someTime,
	}
}

func fullProject() *event.Project {
	p := &event.Project{ID: oneID, Name: "n", CreatedAt: someTime}
	p.Config.MetaEvent.Secret = "meta"
	return p
}

func readEndpoint(value []byte) (event.Endpoint, error) {
	return (&endpointReader{}).read(oneID, value)
}

func readSubscription(value []byte) (event.Subscription, error) {
	return (&subscriptionReader{}).read(value)
}

func mustEncode(t *testing.T, noun any) []byte {
	t.Helper()
	value, err := encodeNoun(nil, noun)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// The stored form of each noun, byte for byte, without seals, whose bytes are random:
// a change here is a change of format.
func TestRecordsAreGolden(t *testing.T) {
	key := &event.APIKey{ID: oneID, Name: "n", ProjectID: twoID, MaskID: "m", Digest: []byte{1, 2, 3}, CreatedAt: someTime}
	kind := &event.EventType{ID: oneID, ProjectID: twoID, Name: "n", Category: "c", JSONSchema: json.RawMessage(`{"a":1}`), CreatedAt: someTime}
	for name, c := range map[string]struct {
		noun any
		want string
	}{
		"plain endpoint":     {withoutAuthentication(plainEndpoint()), "\x02\x00\xcb\x01\x9e\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x05\t\x04\v\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x03\x80\xa9\xa1\x9a\r\x05\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x03\x80\xa9\xa1\x9a\r\x05\xffۏ\xf9\xce\x03\x00\x00\x00\x01\x06paused\x14\x90Nx\x10application/json\x04\x05\x05\x80\xa9\xa1\x9a\r\x05\xffۏ\xf9\xce\x03\x00\x00ownerhttps://xnamedescriptionmailslackteams\x00oldnew"},
		"endpoint":           {fullEndpoint(), "\x02\x00\xcb\x01\x9e\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x05\t\x04\v\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x03\x80\xa9\xa1\x9a\r\x05\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x03\x80\xa9\xa1\x9a\r\x05\xffۏ\xf9\xce\x03\x00\x00\x00\x01\x06paused\x14\x90Nx\x10application/json\x04\x05\x05\x80\xa9\xa1\x9a\r\x05\xffۏ\xf9\xce\x03\x00\x00ownerhttps://xnamedescriptionmailslackteams\x89\x04{\"authentication\":{\"type\":\"api_key\",\"api_key\":{\"header_name\":\"X-Key\",\"header_value\":\"v\"}},\"signature_mode\":\"standard-webhooks\",\"custom_headers\":[{\"Name\":\"X-A\",\"Value\":\"b\"}],\"strategy\":{\"type\":\"linear\",\"duration\":1,\"retry_count\":2,\"jitter\":3,\"no_retry_statuses\":[404]},\"max_concurrency\":7,\"mtls_client_cert\":{\"client_cert\":\"cert\",\"client_key\":\"key\"},\"ca_cert\":\"ca\",\"status_history\":[{\"from\":\"active\",\"to\":\"paused\",\"reason\":\"why\",\"at\":\"2026-03-01T12:00:00.000000005Z\"}],\"app_id\":\"00080000000000000000000002\",\"dynamic\":true}oldnew"},
		"plain subscription": {plainSubscription(), "\x02\x00XT\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x03api\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x01\x01\rat_least_once\x80\xa9\xa1\x9a\r\x05\x80\xa9\xa1\x9a\r\x05\x00\x00nab"},
		"subscription":       {fullSubscription(), "\x02\x00\xe8\x04\xe3\x04\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x03api\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x01\x01\rat_least_once\x80\xa9\xa1\x9a\r\x05\x80\xa9\xa1\x9a\r\x05\x00\x8e\x04{\"filter\":{\"body\":{\"a\":{\"$gt\":1}},\"path\":{\"path\":\"/\"}},\"function\":\"function transform(p) { return p }\",\"extra\":{\"source_id\":\"00080000000000000000000002\",\"filters\":[{\"uid\":\"00040000000000000000000001\",\"event_type\":\"a\",\"enabled_at\":\"2026-03-01T12:00:00.000000005Z\",\"filter\":{\"query\":{\"q\":1}},\"created_at\":\"2026-03-01T12:00:00.000000005Z\",\"updated_at\":\"0001-01-01T00:00:00Z\"}],\"alert_config\":{\"count\":1,\"threshold\":\"1h\"},\"rate_limit_config\":{\"count\":2,\"duration\":3},\"retry_config\":{\"type\":\"linear\",\"duration\":4,\"retry_count\":5}}}nab"},
		"project":            {fullProject(), "\x02\x00\x91\b{\"uid\":\"00040000000000000000000001\",\"name\":\"n\",\"logo_url\":\"\",\"type\":\"\",\"config\":{\"max_payload_read_size\":0,\"replay_attacks_prevention_enabled\":false,\"add_event_id_trace_headers\":false,\"verify_dynamic_events\":false,\"allow_unmatched_dynamic_urls\":false,\"disable_endpoint\":false,\"multiple_endpoint_subscriptions\":false,\"search_policy\":\"\",\"ssl\":{\"enforce_secure_endpoints\":false},\"ratelimit\":{\"count\":0,\"duration\":0},\"strategy\":{\"type\":\"\",\"duration\":0,\"retry_count\":0},\"signature\":{\"header\":\"\",\"versions\":null},\"request_id_header\":\"\",\"dead_endpoint\":{\"strategy\":\"\",\"count\":0,\"window\":0},\"circuit_breaker\":{\"enabled\":false,\"sample_rate\":0,\"error_timeout\":0,\"failure_threshold\":0,\"success_threshold\":0,\"minimum_request_count\":0,\"observability_window\":0,\"consecutive_failure_threshold\":0},\"meta_event\":{\"is_enabled\":false,\"type\":\"\",\"event_type\":null,\"url\":\"\",\"secret\":\"\"},\"retention\":{\"payload\":0,\"history\":0,\"max_bytes\":0},\"idempotency_window\":0},\"created_at\":\"2026-03-01T12:00:00.000000005Z\",\"updated_at\":\"0001-01-01T00:00:00Z\",\"deleted_at\":null}meta"},
		"key":                {key, "\x01" + `{"uid":"00040000000000000000000001","name":"n","project_id":"00080000000000000000000002","mask_id":"m","digest":"AQID","created_at":"2026-03-01T12:00:00.000000005Z","expires_at":null}`},
		"full key":           {fullKey(), "\x01{\"uid\":\"00040000000000000000000001\",\"name\":\"n\",\"project_id\":\"00080000000000000000000002\",\"owner_id\":\"owner\",\"mask_id\":\"m\",\"digest\":\"AQ==\",\"scopes\":2,\"allow_from\":[\"10.0.0.0/8\"],\"created_at\":\"2026-03-01T12:00:00.000000005Z\",\"expires_at\":\"2026-03-01T12:00:00.000000005Z\",\"last_used_at\":\"2026-03-01T12:00:00.000000005Z\"}"},
		"plain source":       {plainSource(), "\x02\x00\xb3\x03{\"uid\":\"00040000000000000000000001\",\"project_id\":\"00080000000000000000000002\",\"mask_id\":\"mask\",\"name\":\"n\",\"type\":\"http\",\"provider\":\"\",\"is_disabled\":false,\"verifier\":null,\"custom_response\":null,\"forward_headers\":null,\"idempotency_keys\":null,\"event_type_location\":\"\",\"body_function\":\"\",\"header_function\":\"\",\"pub_sub\":null,\"crc_verified_at\":null,\"created_at\":\"2026-03-01T12:00:00.000000005Z\",\"updated_at\":\"2026-03-01T12:00:00.000000005Z\"}"},
		"source":             {fullSource(), "\x02\x00\xca\x05{\"uid\":\"00040000000000000000000001\",\"project_id\":\"00080000000000000000000002\",\"mask_id\":\"mask\",\"name\":\"n\",\"type\":\"pub_sub\",\"provider\":\"github\",\"is_disabled\":true,\"verifier\":{\"type\":\"hmac\",\"hmac\":{\"header\":\"H\",\"hash\":\"SHA256\",\"secret\":\"\",\"encoding\":\"hex\"},\"basic_auth\":{\"username\":\"u\",\"password\":\"\"},\"api_key\":{\"header_name\":\"K\",\"header_value\":\"\"}},\"custom_response\":{\"body\":\"<b>\",\"content_type\":\"text/html\"},\"forward_headers\":[\"X-A\"],\"idempotency_keys\":[\"request.body.id\"],\"event_type_location\":\"request.header.X\",\"body_function\":\"f\",\"header_function\":\"g\",\"pub_sub\":null,\"crc_verified_at\":\"2026-03-01T12:00:00.000000005Z\",\"created_at\":\"2026-03-01T12:00:00.000000005Z\",\"updated_at\":\"2026-03-01T12:00:00.000000005Z\"}{\"hmac\":\"secret-a\",\"password\":\"secret-b\",\"api_key\":\"secret-c\",\"pub_sub\":{\"secret-d\":\"<\"}}"},
		"portal link":        {fullLink(), "\x02\x00\xa6\x03{\"uid\":\"00040000000000000000000001\",\"project_id\":\"00080000000000000000000002\",\"name\":\"n\",\"owner_id\":\"owner\",\"endpoints\":[\"00040000000000000000000001\",\"00080000000000000000000002\"],\"auth_type\":\"one_time\",\"can_manage_endpoint\":true,\"token\":\"\",\"used_at\":\"2026-03-01T12:00:00.000000005Z\",\"expires_at\":\"2026-03-01T12:00:00.000000005Z\",\"created_at\":\"2026-03-01T12:00:00.000000005Z\",\"updated_at\":\"2026-03-01T12:00:00.000000005Z\"}secret-token"},
		"application":        {fullApplication(), "\x01{\"uid\":\"00040000000000000000000001\",\"project_id\":\"00080000000000000000000002\",\"name\":\"n\",\"support_email\":\"mail\",\"slack_webhook_url\":\"slack\",\"is_disabled\":true,\"created_at\":\"2026-03-01T12:00:00.000000005Z\",\"updated_at\":\"2026-03-01T12:00:00.000000005Z\"}"},
		"event type":         {kind, "\x01{\"uid\":\"00040000000000000000000001\",\"project_id\":\"00080000000000000000000002\",\"name\":\"n\",\"category\":\"c\",\"description\":\"\",\"json_schema\":{\"a\":1},\"created_at\":\"2026-03-01T12:00:00.000000005Z\",\"updated_at\":\"0001-01-01T00:00:00Z\",\"deprecated_at\":null}"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mustEncode(t, c.noun); string(got) != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func withoutAuthentication(e *event.Endpoint) *event.Endpoint {
	e.Authentication = nil
	return e
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What was written before endpoints and subscriptions lost their time of deletion, and
// before projects and keys had what they have since: it is read, and the time dropped.
func TestOlderRecordsAreRead(t *testing.T) {
	endpoint, subscription := fullEndpoint(), fullSubscription()
	endpoint.AppID, endpoint.Dynamic, subscription.Extra = nil, false, nil
	key := &event.APIKey{
		ID: oneID, Name: "n", ProjectID: twoID, MaskID: "m", Digest: []byte{1, 2, 3}, Scopes: event.ScopeAll, CreatedAt: someTime,
	}
	for name, c := range map[string]struct {
		value string
		want  any
	}{
		"plain endpoint":     {"\x02\x00\xd1\x01\xa4\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x05\t\x04\v\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x03\x80\xa9\xa1\x9a\r\x05\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x03\x80\xa9\xa1\x9a\r\x05\xffۏ\xf9\xce\x03\x00\x00\x00\x01\x06paused\x14\x90Nx\x10application/json\x04\x05\x05\x80\xa9\xa1\x9a\r\x05\xffۏ\xf9\xce\x03\x00\x01\x80\xa9\xa1\x9a\r\x05ownerhttps://xnamedescriptionmailslackteams\x00oldnew", withoutAuthentication(plainEndpoint())},
		"endpoint":           {"\x02\x00\xd1\x01\xa4\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x05\t\x04\v\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x03\x80\xa9\xa1\x9a\r\x05\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x03\x80\xa9\xa1\x9a\r\x05\xffۏ\xf9\xce\x03\x00\x00\x00\x01\x06paused\x14\x90Nx\x10application/json\x04\x05\x05\x80\xa9\xa1\x9a\r\x05\xffۏ\xf9\xce\x03\x00\x01\x80\xa9\xa1\x9a\r\x05ownerhttps://xnamedescriptionmailslackteams\xd4\x03{\"authentication\":{\"type\":\"api_key\",\"api_key\":{\"header_name\":\"X-Key\",\"header_value\":\"v\"}},\"signature_mode\":\"standard-webhooks\",\"custom_headers\":[{\"Name\":\"X-A\",\"Value\":\"b\"}],\"strategy\":{\"type\":\"linear\",\"duration\":1,\"retry_count\":2,\"jitter\":3,\"no_retry_statuses\":[404]},\"max_concurrency\":7,\"mtls_client_cert\":{\"client_cert\":\"cert\",\"client_key\":\"key\"},\"ca_cert\":\"ca\",\"status_history\":[{\"from\":\"active\",\"to\":\"paused\",\"reason\":\"why\",\"at\":\"2026-03-01T12:00:00.000000005Z\"}]}oldnew", endpoint},
		"plain subscription": {"\x02\x00^Z\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x03api\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x01\x01\rat_least_once\x80\xa9\xa1\x9a\r\x05\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05\x00nab", plainSubscription()},
		"subscription":       {"\x02\x00\xc6\x01\xc1\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x03api\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x01\x01\rat_least_once\x80\xa9\xa1\x9a\r\x05\x80\xa9\xa1\x9a\r\x05\x01\x80\xa9\xa1\x9a\r\x05g{\"filter\":{\"body\":{\"a\":{\"$gt\":1}},\"path\":{\"path\":\"/\"}},\"function\":\"function transform(p) { return p }\"}nab", subscription},
		"project":            {"\x02\x00\xce\a{\"uid\":\"00040000000000000000000001\",\"name\":\"n\",\"logo_url\":\"\",\"type\":\"\",\"config\":{\"max_payload_read_size\":0,\"replay_attacks_prevention_enabled\":false,\"add_event_id_trace_headers\":false,\"disable_endpoint\":false,\"multiple_endpoint_subscriptions\":false,\"search_policy\":\"\",\"ssl\":{\"enforce_secure_endpoints\":false},\"ratelimit\":{\"count\":0,\"duration\":0},\"strategy\":{\"type\":\"\",\"duration\":0,\"retry_count\":0},\"signature\":{\"header\":\"\",\"versions\":null},\"request_id_header\":\"\",\"dead_endpoint\":{\"strategy\":\"\",\"count\":0,\"window\":0},\"circuit_breaker\":{\"enabled\":false,\"sample_rate\":0,\"error_timeout\":0,\"failure_threshold\":0,\"success_threshold\":0,\"minimum_request_count\":0,\"observability_window\":0,\"consecutive_failure_threshold\":0},\"meta_event\":{\"is_enabled\":false,\"type\":\"\",\"event_type\":null,\"url\":\"\",\"secret\":\"\"},\"retention\":{\"payload\":0,\"history\":0,\"max_bytes\":0},\"idempotency_window\":0},\"created_at\":\"2026-03-01T12:00:00.000000005Z\",\"updated_at\":\"0001-01-01T00:00:00Z\",\"deleted_at\":null}meta", fullProject()},
		"key":                {"\x01" + `{"uid":"00040000000000000000000001","name":"n","project_id":"00080000000000000000000002","mask_id":"m","digest":"AQID","created_at":"2026-03-01T12:00:00.000000005Z","expires_at":null}`, key},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readNoun(c.want, []byte(c.value))
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%v\ngot  %+v\nwant %+v", err, got, c.want)
			}
		})
	}
}

// readNoun reads a record of the same kind as like, whose secrets are in clear.
func readNoun(like any, value []byte) (any, error) {
	switch like.(type) {
	case *event.Endpoint:
		e, err := readEndpoint(value)
		return &e, err
	case *event.Subscription:
		s, err := readSubscription(value)
		return &s, err
	case *event.Project:
		p, err := decodeProject(nil, oneID, value)
		return &p, err
	}
	k, err := decodeKey(value)
	return &k, err
}

// What the first version of the program wrote.
func TestVersion1IsRead(t *testing.T) {
	const (
		endpoint     = "01a90100010000000000000000000000000001000200000000000000000000000000020509040b02000100000000000000000000000000010380a9a19a0d0580a9a19a0d050180a9a19a0d050180a9a19a0d05000200000000000000000000000000020380a9a19a0d05ffdb8ff9ce03000000010670617573656414904e78106170706c69636174696f6e2f6a736f6e010701050104050580a9a19a0d05ffdb8ff9ce03000180a9a19a0d056f776e657268747470733a2f2f786e616d656465736372697074696f6e6f6c646e65776170695f6b6579582d4b6579766d61696c736c61636b7465616d73"
		subscription = "015900010000000000000000000000000001010361706900020000000000000000000000000002000100000000000000000000000000010201010d61745f6c656173745f6f6e636580a9a19a0d0580a9a19a0d050180a9a19a0d056e6162"
		project      = "\x01" + `{"uid":"00040000000000000000000001","name":"n","logo_url":"","type":"","config":{"max_payload_read_size":0,"replay_attacks_prevention_enabled":false,"add_event_id_trace_headers":false,"disable_endpoint":false,"multiple_endpoint_subscriptions":false,"search_policy":"","ssl":{"enforce_secure_endpoints":false},"ratelimit":{"count":0,"duration":0},"strategy":{"type":"","duration":0,"retry_count":0},"signature":{"header":"","versions":null},"request_id_header":""},"created_at":"2026-03-01T12:00:00.000000005Z","updated_at":"0001-01-01T00:00:00Z","deleted_at":null}`
	)
	if e, err := readEndpoint(unhex(t, endpoint)); err != nil || !reflect.DeepEqual(&e, plainEndpoint()) {
		t.Errorf("endpoint: %v\ngot  %+v\nwant %+v", err, e, *plainEndpoint())
	}
	if s, err := readSubscription(unhex(t, subscription)); err != nil || !reflect.DeepEqual(&s, plainSubscription()) {
		t.Errorf("subscription: %v\ngot  %+v\nwant %+v", err, s, *plainSubscription())
	}
	want := fullProject()
	want.Config.MetaEvent.Secret = ""
	if p, err := decodeProject(nil, oneID, []byte(project)); err != nil || !reflect.DeepEqual(&p, want) {
		t.Errorf("project: %v\ngot  %+v\nwant %+v", err, p, *want)
	}
}

func TestPackedRoundTrip(t *testing.T) {
	none := []event.Secret{}
	for name, e := range map[string]*event.Endpoint{
		"plain":       plainEndpoint(),
		"full":        fullEndpoint(),
		"zero":        {ID: oneID, Secrets: none, SignatureMode: event.SignConvoy},
		"other words": {ID: oneID, Secrets: none, SignatureMode: event.SignConvoy, Status: "odd", ContentType: "text/plain"},
		"negative":    {ID: oneID, Secrets: none, SignatureMode: event.SignConvoy, RateLimit: -1},
	} {
		for how, box := range map[string]*seal.Box{"clear": nil, "sealed": testBox(t, "k1")} {
			value, err := packEndpoint(box, e)
			if err != nil {
				t.Fatal(err)
			}
			got, err := (&endpointReader{box: box}).read(oneID, value)
			if err != nil || !reflect.DeepEqual(&got, e) {
				t.Errorf("%s, %s: %v\ngot  %+v\nwant %+v", name, how, err, got, *e)
			}
		}
	}
	for _, s := range []*event.Subscription{plainSubscription(), fullSubscription()} {
		got, err := readSubscription(mustEncode(t, s))
		if err != nil || !reflect.DeepEqual(&got, s) {
			t.Errorf("%v\ngot  %+v\nwant %+v", err, got, *s)
		}
	}
	for how, box := range map[string]*seal.Box{"clear": nil, "sealed": testBox(t, "k1")} {
		value, err := encodeNoun(box, fullProject())
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeProject(box, oneID, value)
		if err != nil || !reflect.DeepEqual(&got, fullProject()) {
			t.Errorf("project, %s: %v %+v", how, err, got)
		}
	}
}

func TestSplitRoundTrip(t *testing.T) {
	for how, box := range map[string]*seal.Box{"clear": nil, "sealed": testBox(t, "k1")} {
		for _, noun := range []any{fullSource(), plainSource(), fullLink(), &event.PortalLink{ID: oneID, Token: "t"}} {
			value, err := encodeNoun(box, noun)
			if err != nil {
				t.Fatal(err)
			}
			if box != nil && strings.Contains(string(value), "secret-") {
				t.Errorf("%T, %s: a secret can be read in %q", noun, how, value)
			}
			got, err := readSplit(box, noun, value)
			if err != nil || !reflect.DeepEqual(got, noun) {
				t.Errorf("%s: %v\ngot  %+v\nwant %+v", how, err, got, noun)
			}
			accepted := 0
			for n := range value {
				if _, err := readSplit(box, noun, value[:n]); err == nil {
					accepted++
				}
			}
			if accepted > mostCuts(noun) {
				t.Errorf("%T, %s: of %d ways to cut it, %d were accepted", noun, how, len(value), accepted)
			}
			for i := range value {
				damaged := []byte(string(value))
				damaged[i] ^= 1
				_, _ = readSplit(box, noun, damaged) // must return
			}
		}
	}
	if s := fullSource(); !reflect.DeepEqual(s, fullSource()) || mustEncode(t, s) == nil || s.Verifier.HMac.Secret == "" {
		t.Error("encoding a source takes its secrets from it")
	}
}

// mostCuts is in how many ways a record in clear can be cut so that only compiling it
// finds out: a token has no length of its own, and a source may have no secrets.
func mostCuts(noun any) int {
	if l, ok := noun.(*event.PortalLink); ok {
		return len(l.Token)
	}
	return 1
}

func readSplit(box *seal.Box, like any, value []byte) (any, error) {
	if _, ok := like.(*event.Source); ok {
		s, err := decodeSource(box, oneID, value)
		return &s, err
	}
	l, err := decodeLink(box, oneID, value)
	return &l, err
}

func testBox(t *testing.T, ids ...string) *seal.Box {
	t.Helper()
	keys := make([]seal.Key, len(ids))
	for i, id := range ids {
		keys[i] = seal.Key{ID: id, Bytes: sha256.Sum256([]byte(id))}
	}
	box, err := seal.Open(keys)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// Whatever happens to a record, reading it ends; and one that is cut or has
// something behind it is refused.
func TestDamagedPackedRecords(t *testing.T) {
	box := testBox(t, "k1")
	sealed, err := packEndpoint(box, fullEndpoint())
	if err != nil {
		t.Fatal(err)
	}
	endpoint := func(v []byte) error { _, err := (&endpointReader{box: box}).read(oneID, v); return err }
	sub := func(v []byte) error { _, err := readSubscription(v); return err }
	for name, c := range map[string]struct {
		value []byte
		read  func([]byte) error
	}{
		"endpoint":        {mustEncode(t, fullEndpoint()), endpoint},
		"plain endpoint":  {mustEncode(t, withoutAuthentication(plainEndpoint())), endpoint},
		"sealed endpoint": {sealed, endpoint},
		"subscription":    {mustEncode(t, fullSubscription()), sub},
	} {
		for n := range c.value {
			if c.read(c.value[:n]) == nil {
				t.Errorf("%s: the first %d of %d bytes were accepted", name, n, len(c.value))
			}
		}
		if c.read(append([]byte(string(c.value)), 0)) == nil {
			t.Errorf("%s: a byte too many was accepted", name)
		}
		for i := range c.value {
			for bit := range 8 {
				damaged := []byte(string(c.value))
				damaged[i] ^= 1 << bit
				_ = c.read(damaged) // must return
			}
		}
	}
}

func TestDigestIsHMACSHA256(t *testing.T) {
	for _, pepper := range []int{16, 63, 64, 65, 200} {
		for _, text := range []int{16, 63, 64, 84, maxTokenBytes} {
			d := newDigester([]byte(strings.Repeat("p", pepper)))
			input := []byte(strings.Repeat("t", text))
			h := hmac.New(sha256.New, []byte(strings.Repeat("p", pepper)))
			h.Write(input)
			if got := d.sum(input); !hmac.Equal(got[:], h.Sum(nil)) {
				t.Errorf("pepper of %d, text of %d bytes: %x, want %x", pepper, text, got, h.Sum(nil))
			}
		}
	}
}

func TestRandomAlphanumericUsesAllOfTheAlphabet(t *testing.T) {
	seen := make(map[byte]int)
	for _, b := range randomAlphanumeric(62 * 200) {
		seen[b]++
	}
	if len(seen) != 62 {
		t.Fatalf("%d different characters, want 62", len(seen))
	}
	for b, n := range seen {
		if n < 100 || n > 300 {
			t.Errorf("%q drawn %d times of 200 expected", b, n)
		}
	}
}
