package api

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/url"
	"strings"
	"testing"
	"time"

	"posthaste/event"
	"posthaste/sig"
)

func hexMAC(h func() hash.Hash, key, message string) string {
	m := hmac.New(h, []byte(key))
	m.Write([]byte(message))
	return hex.EncodeToString(m.Sum(nil))
}

// signedAttempt adds a delivery of data whose attempt was signed with the endpoint's
// secrets, and returns where its signature is explained.
func (w *world) signedAttempt(e event.ID, data, headers string) string {
	w.t.Helper()
	w.log.addEvent(&event.Event{ID: id('f', 1), ProjectID: w.project, Type: "a", Data: []byte(data), ReceivedAt: epoch})
	d := event.Delivery{ID: id('d', 1), EventID: id('f', 1), ProjectID: w.project, EndpointID: e, Status: event.Failure, Attempts: 1}
	at := event.Attempt{DeliveryID: d.ID, EndpointID: e, Number: 1, StartedAt: epoch, StatusCode: 401,
		RequestHeaders: fmt.Appendf(nil, "Content-Length: %d\r\n%s", len(data), headers)}
	w.log.addDelivery(d, at)
	return w.in("/eventdeliveries/%s/deliveryattempts/%s/signature", d.ID, attemptID(&at, d.ID))
}

const longSecret = "an-endpoint-secret-of-length"

// The explanation of a signature names the secret that made it, and the mistakes that
// receivers make.
func TestSignatureIsExplained(t *testing.T) {
	w := newWorld(t)
	e := w.addEndpoint(w.project, 1)
	_, err := w.catalog.UpdateEndpoint(w.project, e, func(e *event.Endpoint) error {
		e.AdvancedSignatures = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.want(w.do("PUT", w.in("/endpoints/%s/expire_secret", e), `{"secret":"`+longSecret+`","expiration":24}`), 200, "endpoint secret expired successfully")
	const body = `{"b": 1, "a":[1,2]}`
	unix := fmt.Sprint(epoch.Unix())
	right := hexMAC(sha256.New, longSecret, unix+","+body)
	path := w.signedAttempt(e, body, "X-Convoy-Signature: t="+unix+",v1="+hexMAC(sha256.New, "s3cret", unix+","+body)+",v1="+right+",v1=0000\r\n")
	a := w.do("GET", path, "")
	w.want(a, 200, "Signature explained successfully")
	parts := a.field("signatures").([]any)
	id := func(i int) any { return parts[i].(map[string]any)["secret_id"] }
	if len(parts) != 3 || id(0) == nil || id(1) == nil || id(0) == id(1) || id(2) != nil || parts[1].(map[string]any)["secret_print"] != secretPrint(longSecret) {
		t.Errorf("the parts are %v", parts)
	}
	signed := a.field("signed").(map[string]any)
	if signed["before"] != unix+"," || signed["exact"] != true || strings.Contains(a.body, longSecret) {
		t.Errorf("signed is %v", signed)
	}
	raw := hmac.New(sha256.New, []byte(longSecret))
	raw.Write([]byte(unix + "," + body))
	for computed, want := range map[string]string{
		right: "This is right", "v1=" + right: "This is right", strings.ToUpper(right): "right but for its case",
		base64.StdEncoding.EncodeToString(raw.Sum(nil)):                  "another encoding",
		hexMAC(sha256.New, longSecret, body):                             "over the body alone",
		hexMAC(sha256.New, longSecret, unix+"."+body):                    "a full stop",
		hexMAC(sha256.New, longSecret, unix+","+`{"b":1,"a":[1,2]}`):     "read as JSON and written again",
		hexMAC(sha256.New, longSecret, unix+","+`{"a": [1, 2], "b": 1}`): "read as JSON and written again",
		hexMAC(sha256.New, longSecret, unix+","+body+"\n"):               "a line break",
		hexMAC(sha1.New, longSecret, unix+","+body):                      "SHA-1",
		"ffff": "none of the usual mistakes",
	} {
		checked := w.do("GET", path+"?computed="+url.QueryEscape(computed), "").field("checked").(map[string]any)
		if text := fmt.Sprint(checked["text"]); !strings.Contains(text, want) || checked["matches"] != strings.Contains(want, "right") {
			t.Errorf("%s: %v, want %s", computed, checked, want)
		}
	}
}

// So is one of Standard Webhooks.
func TestStandardSignatureIsExplained(t *testing.T) {
	w := newWorld(t)
	e := w.addEndpoint(w.project, 1)
	key := strings.Repeat("k", 24)
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte(key))
	_, err := w.catalog.UpdateEndpoint(w.project, e, func(e *event.Endpoint) error {
		e.SignatureMode, e.Secrets = event.SignStandard, []event.Secret{{ID: idOf('x', 9), Value: secret, CreatedAt: stamp, UpdatedAt: stamp}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := sig.NewStandard([]string{secret})
	if err != nil {
		t.Fatal(err)
	}
	value := string(signer.Append(nil, "msg_1", epoch.Truncate(time.Second), []byte("{}")))
	unix := fmt.Sprint(epoch.Unix())
	path := w.signedAttempt(e, "{}", "webhook-id: msg_1\r\nwebhook-timestamp: "+unix+"\r\nwebhook-signature: "+value+"\r\n")
	a := w.do("GET", path+"?computed="+url.QueryEscape(value), "")
	if part := a.field("signatures").([]any)[0].(map[string]any); part["secret_id"] != idOf('x', 9).String() || a.field("checked").(map[string]any)["matches"] != true {
		t.Errorf("it is %s", a.Data)
	}
	wrong := hexMAC(sha256.New, secret, "msg_1."+unix+".{}")
	if a := w.do("GET", path+"?computed="+wrong, ""); !strings.Contains(fmt.Sprint(a.field("checked")), "decode the rest from base64") {
		t.Errorf("with the secret's text as the key: %v", a.field("checked"))
	}
}
