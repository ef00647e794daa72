package api

import (
	"encoding/base64"
	"encoding/json"
	"net/url"

	"posthaste/event"
)

const formContent = "application/x-www-form-urlencoded"

// makeBody makes the body that the delivery has: the event's data, through the
// subscription's function, as a form if the endpoint takes one.
func (b *curlBuilder) makeBody() error {
	if b.endpoint != nil && b.endpoint.ClientCert != nil {
		b.note("the endpoint is called with a client certificate: add --cert and --key")
	}
	ev := b.delivery.event
	if ev == nil || ev.Deleted {
		b.note("the event's content is gone: the body is empty")
		return nil
	}
	b.body = ev.Data
	if s := b.call.snap.Subscription(b.delivery.SubscriptionID); s != nil && s.Function != "" {
		b.transform(s.Function)
	}
	if b.endpoint != nil && b.endpoint.ContentType == formContent {
		b.asForm()
	}
	return nil
}

func (b *curlBuilder) transform(function string) {
	if b.api.o.Transform == nil {
		b.note("the subscription's function is not run here: the body is the event's data")
		return
	}
	out, _, err := b.api.o.Transform(b.call.r.Context(), function, b.body)
	if err != nil {
		b.note("the subscription's function failed: the body is the event's data")
		return
	}
	b.body = out
}

// asForm writes the members of a JSON object as a form, as a delivery does: sorted by
// name, texts as they are, null as nothing, all else as JSON.
func (b *curlBuilder) asForm() {
	var members map[string]json.RawMessage
	if json.Unmarshal(b.body, &members) != nil || members == nil {
		b.note("the data is not a JSON object, so it cannot be sent as a form")
		return
	}
	form := make(url.Values, len(members))
	for name, raw := range members {
		text := string(raw)
		switch raw[0] {
		case 'n':
			text = ""
		case '"':
			_ = json.Unmarshal(raw, &text) // it was read as JSON a moment ago
		}
		form.Set(name, text)
	}
	b.body = []byte(form.Encode())
}

// authenticationHeader is the header by which an endpoint knows who calls it; without
// a value if that is a token that has to be got first.
func authenticationHeader(a *event.Authentication) curlHeader {
	switch {
	case a == nil:
	case a.Type == event.AuthOAuth2:
		return curlHeader{"Authorization", masked}
	case a.Type == event.AuthBasic && a.BasicAuth != nil:
		pair := a.BasicAuth.UserName + ":" + a.BasicAuth.Password
		return curlHeader{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}
	case a.Type == event.AuthBearer && a.Bearer != nil:
		return curlHeader{"Authorization", "Bearer " + a.Bearer.Token}
	case a.APIKey != nil:
		return curlHeader{a.APIKey.HeaderName, a.APIKey.HeaderValue}
	}
	return curlHeader{}
}
