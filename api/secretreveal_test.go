package api

import (
	"strings"
	"testing"

	"posthaste/event"
)

// A secret is shown on its own, to those who may manage, and an old one can be ended.
func TestSecretsAreRevealedAndEnded(t *testing.T) {
	w := newWorld(t)
	path := w.in("/endpoints/%s", w.addEndpoint(w.project, 1))
	w.want(w.do("PUT", path+"/expire_secret", `{"secret":"a-second-secret-of-length","expiration":24}`), 200, "endpoint secret expired successfully")
	masked := w.do("GET", path+"?masked=true", "")
	w.want(masked, 200, "Endpoint fetched successfully")
	if strings.Contains(masked.body, "s3cret") || strings.Contains(masked.body, "a-second-secret") {
		t.Errorf("masked, it shows %s", masked.Data)
	}
	rows := masked.field("secrets").([]any)
	old, current := rows[0].(map[string]any), rows[1].(map[string]any)
	shown := w.do("POST", path+"/secrets/"+current["uid"].(string)+"/reveal", "")
	w.want(shown, 200, "Secret revealed successfully")
	if shown.field("value") != "a-second-secret-of-length" || shown.field("print") != current["print"] || len(current["print"].(string)) != printDigits {
		t.Errorf("revealed is %s, masked %v", shown.Data, current)
	}
	if old["print"] != nil {
		t.Errorf("a short secret has the print %v", old["print"])
	}
	reader, _ := w.newKey(w.in("/keys"), `{"name":"reader","scopes":["read"]}`)
	w.want(w.do("POST", path+"/secrets/"+current["uid"].(string)+"/reveal", "", as(reader)...), 403, `this key may not manage; it needs the scope "manage"`)
	w.want(w.do("POST", path+"/secrets/"+event.NewID().String()+"/reveal", ""), 404, "Resource not found")
	w.want(w.do("PUT", path+"/secrets/"+current["uid"].(string)+"/expire", ""), 400, "this is the secret that the endpoint signs with; rotate it, and keep the old one for no time at all")
	w.want(w.do("PUT", path+"/secrets/"+old["uid"].(string)+"/expire", ""), 200, "Secret ended successfully")
	if got := secretsOf(w.do("GET", path, "")); got != "[a-second-secret-of-length until <nil>]" {
		t.Errorf("left are %s", got)
	}
	w.want(w.do("PUT", path+"/secrets/"+old["uid"].(string)+"/expire", ""), 404, "Resource not found")
}
