package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"posthaste/client"
)

// explained is what the API says of an attempt's signature.
type explained struct {
	Mode   string `json:"mode"`
	Header string `json:"header"`
	Value  string `json:"value"`
	Signed struct {
		Before    string   `json:"before"`
		BodyBytes int      `json:"body_bytes"`
		BodySum   string   `json:"body_sha256"`
		Exact     bool     `json:"exact"`
		Notes     []string `json:"notes"`
	} `json:"signed"`
	Signatures []struct {
		Version  string `json:"version"`
		Value    string `json:"value"`
		Hash     string `json:"hash"`
		Encoding string `json:"encoding"`
		SecretID string `json:"secret_id"`
		Print    string `json:"secret_print"`
	} `json:"signatures"`
	Checked *struct {
		Matches bool   `json:"matches"`
		Print   string `json:"secret_print"`
		Text    string `json:"text"`
	} `json:"checked"`

	Problem string `json:"-"` // why there is no explanation
}

// explain asks for the explanation of a signature; one that says why not, if it is refused.
func (v *visit) explain(ctx context.Context, delivery, attempt, computed string) *explained {
	q := url.Values{}
	if computed != "" {
		q.Set("computed", computed)
	}
	a, err := v.backend.Do(ctx, client.Request{Method: http.MethodGet,
		Path: v.api + "/eventdeliveries/" + url.PathEscape(delivery) + "/deliveryattempts/" + url.PathEscape(attempt) + "/signature", Query: q})
	x := &explained{}
	if err == nil {
		err = a.Into(x)
	}
	if err != nil {
		x.Problem = refusalText(err)
	}
	return x
}

// asJSON is a text of a form as JSON; problem says why it is none.
func asJSON(text string) (raw json.RawMessage, problem string) {
	err := json.Unmarshal([]byte(text), &raw)
	if err == nil {
		return raw, ""
	}
	where := ""
	if at := (*json.SyntaxError)(nil); errors.As(err, &at) {
		where = fmt.Sprintf(", at character %d", at.Offset)
	}
	return nil, "The data was refused because it is no JSON: " + err.Error() + where + ". Correct it, or put a text between double quotes."
}
