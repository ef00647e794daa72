package compat

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
)

// omitted are the fields that an answer may leave out, as "schema:field", and why. All
// others of a schema have to be there; any may be null.
var omitted = func() map[string]string {
	m := map[string]string{
		"datastore.PaginationData:total":           "section 2.1 has it in brackets",
		"datastore.APIKeyResponse:user_id":         "section 2.2 leaves it out",
		"datastore.FilterSchema:is_flattened":      "of the store, not of the API",
		"datastore.MetaEventConfiguration:pub_sub": "of type pub_sub only",
		"datastore.EndpointAuthentication:*":       "only what belongs to its type",
		"datastore.OAuth2:*":                       "only what was set",
		"datastore.OAuth2SigningKey:*":             "only what the key has",
		"datastore.OAuth2FieldMapping:*":           "only what was set",
		"datastore.VerifierConfig:*":               "only what belongs to its type",
		"datastore.PubSubConfig:*":                 "only what belongs to its type",
		"models.EndpointAuthentication:*":          "only what belongs to its type",
		"models.OAuth2:*":                          "only what was set",
	}
	for name, fields := range map[string]string{
		"models.EndpointResponse":      "owner_id slack_webhook_url teams_webhook_url support_email events mtls_client_cert",
		"models.EventResponse":         "source_id app_id endpoint_metadata source_metadata data raw failure_reason",
		"models.EventDeliveryResponse": "target_url endpoint_metadata event_metadata source_metadata device_metadata description",
		"datastore.DeliveryAttempt":    "ip_address request_http_header response_http_header http_status response_data error status",
		"models.SubscriptionResponse":  "alert_config retry_config filter_config rate_limit_config",
	} {
		for _, field := range strings.Fields(fields) {
			m[name+":"+field] = "section 2.5 marks it with ?"
			switch name {
			case "models.EndpointResponse":
				m["datastore.Endpoint:"+field] = "section 2.5 marks it with ?"
			case "models.EventResponse":
				m["datastore.Event:"+field] = "section 2.5 marks it with ?"
			}
		}
	}
	return m
}()

// openEnums are enumerations that have one value in the document and any in truth.
var openEnums = []string{"config.RequestIDHeaderProvider", "config.SignatureHeaderProvider"}

// validator compares values with schemas and notes what is wrong.
type validator struct {
	wrong []string
	extra map[string]bool // fields that no schema has, as "schema.field"
}

// value compares a decoded value with a type, see schema. Any value may be null.
func (v *validator) value(at, kind string, got any) {
	if got == nil || kind == "any" {
		return
	}
	switch {
	case strings.HasPrefix(kind, "["):
		list, ok := got.([]any)
		v.kind(ok, at, "an array", got)
		for i, item := range list {
			v.value(fmt.Sprintf("%s[%d]", at, i), kind[1:len(kind)-1], item)
		}
	case strings.HasPrefix(kind, "map<"):
		object, ok := got.(map[string]any)
		v.kind(ok, at, "an object", got)
		for name, item := range object {
			v.value(at+"."+name, kind[len("map<"):len(kind)-1], item)
		}
	case !v.plain(at, kind, got):
		v.named(at, kind, got)
	}
}

// plain compares with JSON's own types, and reports whether kind is one.
func (v *validator) plain(at, kind string, got any) bool {
	switch kind {
	case "string":
		_, ok := got.(string)
		v.kind(ok, at, "a string", got)
	case "boolean":
		_, ok := got.(bool)
		v.kind(ok, at, "true or false", got)
	case "integer":
		n, ok := got.(json.Number)
		v.kind(ok && !strings.ContainsAny(n.String(), ".eE"), at, "a whole number", got)
	case "number":
		_, ok := got.(json.Number)
		v.kind(ok, at, "a number", got)
	case "object":
		_, ok := got.(map[string]any)
		v.kind(ok || free(at), at, "an object", got)
	default:
		return false
	}
	return true
}

// free reports whether a field is an object in the document and any JSON in truth.
func free(at string) bool {
	i := strings.LastIndexByte(at, '.')
	return i > 0 && slices.Contains([]string{"data", "payload", "json_schema"}, at[i+1:])
}

// named compares with a schema.
func (v *validator) named(at, kind string, got any) {
	name, s, ok := lookUp(kind)
	if !ok {
		v.fail("%s: the test knows no schema %s", at, kind)
		return
	}
	if s.Fields == nil {
		v.value(at, s.Type, got)
		if text, ok := got.(string); ok && len(s.Enum) > 0 && text != "" && !slices.Contains(openEnums, name) && !slices.Contains(s.Enum, text) {
			v.fail("%s: %q is none of %v", at, text, s.Enum)
		}
		return
	}
	object, ok := got.(map[string]any)
	if v.kind(ok, at, "an object", got); !ok {
		return
	}
	for field, kind := range s.Fields {
		item, there := object[field]
		if !there && omitted[name+":"+field] == "" && omitted[name+":*"] == "" {
			v.fail("%s.%s is missing", at, field)
		}
		v.value(at+"."+field, kind, item)
	}
	for field := range object {
		if _, known := s.Fields[field]; !known {
			v.extra[strings.TrimPrefix(strings.TrimPrefix(name, "models."), "datastore.")+"."+field] = true
		}
	}
}

func (v *validator) kind(ok bool, at, want string, got any) {
	if !ok {
		v.fail("%s: %.60s is not %s", at, fmt.Sprint(got), want)
	}
}

func (v *validator) fail(format string, args ...any) {
	v.wrong = append(v.wrong, fmt.Sprintf(format, args...))
}

// data compares an answer's data with what is said of it: a type, "null", "page T",
// "stub", which is null or an object, or "anything".
func (v *validator) data(kind string, got any) {
	item, paged := strings.CutPrefix(kind, "page ")
	switch {
	case kind == "null":
		v.kind(got == nil, "data", "null", got)
	case kind == "stub":
		v.value("data", "object", got)
	case kind == "anything":
	case got == nil:
		v.fail("data is null, want %s", kind)
	case paged:
		page, ok := got.(map[string]any)
		v.kind(ok, "data", "a page", got)
		v.value("data.content", "["+item+"]", page["content"])
		if page["content"] == nil || page["pagination"] == nil {
			v.fail("data: a page needs content and pagination")
			return
		}
		v.value("data.pagination", "PaginationData", page["pagination"])
	default:
		v.value("data", kind, got)
	}
}

func (v *validator) outcome() string {
	sort.Strings(v.wrong)
	v.wrong = slices.Compact(v.wrong)
	if len(v.wrong) > 6 {
		v.wrong = append(v.wrong[:6], fmt.Sprintf("and %d more", len(v.wrong)-6))
	}
	return strings.Join(v.wrong, "; ")
}

func TestValidatorSeesWhatIsWrong(t *testing.T) {
	whole := `{"uid":"a","name":"n","category":"","description":"","json_schema":null,"deprecated_at":null}`
	for _, c := range []struct{ kind, json, wrong string }{
		{"models.EventTypeResponse", whole, ""},
		{"[models.EventTypeResponse]", "[" + whole + "]", ""},
		{"models.EventTypeResponse", strings.Replace(whole, `"name":"n",`, "", 1), "data.name is missing"},
		{"models.EventTypeResponse", strings.Replace(whole, `"n"`, "7", 1), "data.name: 7 is not a string"},
		{"models.EventTypeResponse", "[]", "data: [] is not an object"},
		{"models.EventTypeResponse", "null", "data is null, want models.EventTypeResponse"},
		{"null", "{}", "data: map[] is not null"},
		{"stub", `[]`, "data: [] is not an object"},
		{"page models.EventTypeResponse", `{"content":[]}`, "data: a page needs content and pagination"},
		{"models.CountResponse", `{"num":1.5}`, "data.num: 1.5 is not a whole number"},
		{"datastore.SignatureVersion", `{"created_at":"","encoding":"octal","hash":"","uid":""}`, `data.encoding: "octal" is none of [base64 hex]`},
		{"httpheader.HTTPHeader", `{"A":["b"]}`, ""},
		{"httpheader.HTTPHeader", `{"A":"b"}`, "data.A: b is not an array"},
	} {
		v := validator{extra: map[string]bool{}}
		v.data(c.kind, decode(t, c.json))
		if got := v.outcome(); got != c.wrong {
			t.Errorf("%s %s: %q, want %q", c.kind, c.json, got, c.wrong)
		}
	}
}

func decode(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
