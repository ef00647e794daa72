package api

import (
	"fmt"
	"strings"
	"testing"

	"posthaste/event"
)

// addSource makes a source with a verifier, of a type, over the API.
func (w *world) addSource(body string) (id, mask string) {
	w.t.Helper()
	a := w.do("POST", w.in("/sources"), body)
	w.want(a, 201, "Source created successfully")
	return a.field("uid").(string), a.field("mask_id").(string)
}

func TestSourceLifecycle(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.PublicURL = "https://hooks.example.com/" })
	id, mask := w.addSource(`{"name":"Orders","type":"http","provider":"","is_disabled":false,"custom_response":{"body":"","content_type":""},
		"verifier":{"type":"hmac","hmac":{"header":"X-Sig","hash":"SHA256","secret":"s3cret","encoding":"hex"},"basic_auth":null,"api_key":null},
		"idempotency_keys":["request.Body.id"],"event_type_location":"request.header.X-Type","pub_sub":null,"body_function":null,"what":"ever"}`)
	one := w.in("/sources/%s", id)
	shown := w.do("GET", one, "")
	w.want(shown, 200, "Source fetched successfully")
	compareGolden(t, "source", shown.stable(id, mask))
	if got := shown.field("url"); got != "https://hooks.example.com/ingest/"+mask {
		t.Errorf("url is %v", got)
	}

	// Older Go clients update with POST and send back what they read, the mask included.
	for _, method := range []string{"PUT", "POST"} {
		a := w.do(method, one, `{"name":"Renamed","type":"http","is_disabled":true,"forward_headers":["X-A","X-B"],
			"custom_response":{"body":"ok","content_type":"text/plain"},
			"verifier":{"type":"hmac","hmac":{"header":"X-Sig","hash":"SHA512","secret":"********","encoding":"base64"}}}`)
		w.want(a, 202, "Source updated successfully")
	}
	s := w.catalog.Snapshot().Source(w.project, mustID(t, id))
	if s.Name != "Renamed" || !s.IsDisabled || s.Verifier.HMac.Secret != "s3cret" || s.Verifier.HMac.Hash != "SHA512" ||
		len(s.ForwardHeaders) != 2 || len(s.IdempotencyKeys) != 1 || s.CustomResponse.Body != "ok" || s.MaskID != mask {
		t.Errorf("after the update the source is %+v", s)
	}
	// What says nothing changes nothing.
	w.want(w.do("PUT", one, `{"verifier":{"type":"","hmac":null,"basic_auth":null,"api_key":null},"custom_response":null,"forward_headers":null,"pub_sub":{"type":"","workers":0}}`),
		202, "Source updated successfully")
	if s := w.catalog.Snapshot().Source(w.project, mustID(t, id)); s.Verifier == nil || s.CustomResponse == nil || len(s.ForwardHeaders) != 2 {
		t.Errorf("nulls changed the source to %+v", s)
	}
	w.want(w.do("PUT", one, `{"forward_headers":[],"custom_response":{},"verifier":{"type":"noop"}}`), 202, "Source updated successfully")
	if s := w.catalog.Snapshot().Source(w.project, mustID(t, id)); s.CustomResponse != nil || len(s.ForwardHeaders) != 0 {
		t.Errorf("empty values left %+v", s)
	}
	w.want(w.do("DELETE", one, ""), 200, "Source deleted successfully")
	w.want(w.do("GET", one, ""), 404, "Resource not found")
}

func mustID(t *testing.T, text string) event.ID {
	t.Helper()
	id, err := event.ParseID(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestSourcesAreListed(t *testing.T) {
	w := newWorld(t)
	w.addSource(`{"name":"GitHub","provider":"github","verifier":{"hmac":{"header":"","hash":"","secret":"s","encoding":""}}}`)
	w.addSource(`{"name":"Plain"}`)
	w.addSource(`{"name":"Queue","type":"pub_sub","pub_sub":{"type":"sqs","workers":1,"sqs":{"queue_name":"q","access_key_id":"a","secret_key":"s","default_region":"r"}}}`)
	for query, want := range map[string]int{
		"": 3, "?type=&provider=&q=": 3, "?type=pub_sub": 1, "?type=http": 2, "?provider=github": 1, "?q=PLA": 1, "?perPage=2": 2,
		"?type=pub_sub&provider=github": 0,
	} {
		if got := len(w.rows(w.in("/sources%s", query)).Content); got != want {
			t.Errorf("%q lists %d sources, want %d", query, got, want)
		}
	}
}

// A source of a broker is shown as it was sent, but for its secrets, and is disabled.
func TestBrokerSources(t *testing.T) {
	w := newWorld(t)
	id, mask := w.addSource(`{"name":"Queue","type":"pub_sub","is_disabled":false,"pub_sub":{"type":"kafka","workers":2,
		"kafka":{"brokers":["b:9092"],"consumer_group_id":"g","topic_name":"t","auth":{"type":"plain","username":"u","password":"p4ss","tls":true}},"sqs":null}}`)
	shown := w.do("GET", w.in("/sources/%s", id), "")
	compareGolden(t, "source-broker", shown.stable(id, mask))
	w.want(w.do("PUT", w.in("/sources/%s", id), `{"pub_sub":{"type":"kafka","workers":3,"kafka":{"brokers":["b:9092"],"topic_name":"t","auth":{"username":"u","password":"********"}}}}`),
		202, "Source updated successfully")
	s := w.catalog.Snapshot().Source(w.project, mustID(t, id))
	if !strings.Contains(string(s.PubSub), `"password":"p4ss"`) || !strings.Contains(string(s.PubSub), `"workers":3`) {
		t.Errorf("the broker is %s", s.PubSub)
	}
	w.want(w.do("PUT", w.in("/sources/%s", id), `{"pub_sub":{"type":"sqs","sqs":{"secret_key":"********"}}}`), 400,
		"pub_sub.sqs.secret_key: is the mask that answers show, and there is nothing behind it; give the value itself")
}

// Brokers that are not known by name have secrets too, and what is none is shown.
func TestSecretsOfOtherBrokersAreMasked(t *testing.T) {
	shown := string(maskedBroker([]byte(`{"type":"x","access_key_id":"id","sasl":{"Password":"HID"},"Auth_Token":"HID",
		"private_key":["HID"],"connection_string":"amqp://u:HID@h","client":[{"clientSecret":{"a":"HID"}}],"secret_key":null}`)))
	if strings.Contains(shown, "HID") || strings.Count(shown, masked) != 5 || !strings.Contains(shown, `"access_key_id":"id"`) {
		t.Errorf("shown as %s", shown)
	}
}

func TestBadSources(t *testing.T) {
	w := newWorld(t)
	id, _ := w.addSource(`{"name":"x"}`)
	for body, message := range map[string]string{
		`{"type":"pub_sub"}`:   "type: a source's type does not change; it is http",
		`{"pub_sub":[1]}`:      "pub_sub: want an object with a type",
		`{"pub_sub":"sqs"}`:    "pub_sub: want an object with a type",
		`{"verifier":"hmac"}`:  "verifier: want an object, got string (at byte 18)",
		`{"is_disabled":"no"}`: "is_disabled: want true or false, got string (at byte 19)",
		`{"verifier":{"type":"basic_auth","basic_auth":{"username":"u","password":"********"}}}`:  "verifier.basic_auth.password: is the mask that answers show, and there is nothing behind it; give the value itself",
		`{"verifier":{"type":"api_key","api_key":{"header_name":"h","header_value":"********"}}}`: "verifier.api_key.header_value: is the mask that answers show, and there is nothing behind it; give the value itself",
	} {
		w.want(w.do("PUT", w.in("/sources/%s", id), body), 400, message)
	}
	other, _ := w.addProject(2)
	w.want(w.do("GET", fmt.Sprintf("/api/v1/projects/%s/sources/%s", other, id), ""), 404, "Resource not found")
}
