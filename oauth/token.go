package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"posthaste/event"
)

// MaxAnswerBytes bounds the body of a token endpoint's answer.
const MaxAnswerBytes = 64 << 10

const (
	maxTokenBytes = 16 << 10
	maxTypeBytes  = 64
	maxWordsBytes = 200 // of what a token endpoint says about a refusal
	// unknownLife is how long a token is used whose answer does not say, or says 0,
	// which some mean by it.
	unknownLife = 5 * time.Minute
	minLife     = time.Second
	// maxLife: a token that lives longer is replaced all the same.
	maxLife = 24 * time.Hour
)

// Token is what a token endpoint gave.
type Token struct {
	AccessToken string
	TokenType   string    // "Bearer", or another as the token endpoint named it
	ExpiresAt   time.Time // zero if the token endpoint did not say
	life        time.Duration
}

// Header is the value of the Authorization header.
func (t Token) Header() string { return t.TokenType + " " + t.AccessToken }

// String does not tell the token.
func (t Token) String() string { return t.TokenType + " ********" }

// parseToken reads a token endpoint's answer to a request that was sent at asked.
func parseToken(body []byte, cfg *event.OAuth2Auth, asked time.Time) (Token, error) {
	fields := event.OAuth2Fields{}
	if cfg.FieldMapping != nil {
		fields = *cfg.FieldMapping
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil || members == nil {
		return Token{}, errors.New("the token endpoint's answer is not a JSON object")
	}
	t := Token{TokenType: "Bearer"}
	var err error
	if t.AccessToken, err = accessToken(members, orElse(fields.AccessToken, "access_token")); err != nil {
		return Token{}, err
	}
	if kind := text(members[orElse(fields.TokenType, "token_type")]); kind != "" && !strings.EqualFold(kind, "bearer") {
		if len(kind) > maxTypeBytes || !httpguts.ValidHeaderFieldName(kind) {
			return Token{}, errors.New("the token endpoint's answer has a token type that no header can carry")
		}
		t.TokenType = kind
	}
	life, known := lifetime(members[orElse(fields.ExpiresIn, "expires_in")], units[cfg.ExpiryTimeUnit])
	if known {
		t.ExpiresAt = asked.Add(life)
	}
	t.life = min(life, maxLife)
	return t, nil
}

func accessToken(members map[string]json.RawMessage, name string) (string, error) {
	switch token := text(members[name]); {
	case token == "":
		return "", fmt.Errorf("the token endpoint's answer has no text %q", cut(name))
	case len(token) > maxTokenBytes:
		return "", errors.New("the access token is longer than 16 KiB")
	case !httpguts.ValidHeaderFieldValue(token):
		return "", errors.New("the access token has a character that no header can carry")
	default:
		return token, nil
	}
}

// units are those of expires_in.
var units = map[string]time.Duration{
	"": time.Second, "seconds": time.Second, "milliseconds": time.Millisecond, "minutes": time.Minute, "hours": time.Hour,
}

// lifetime reads expires_in: a number, or, as some write it, a text that is one.
func lifetime(raw json.RawMessage, unit time.Duration) (life time.Duration, known bool) {
	number := text(raw)
	if number == "" {
		number = string(raw)
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n > 0) {
		return unknownLife, false
	}
	const longest = 100 * 365 * 24 * time.Hour
	return max(minLife, time.Duration(math.Min(n*float64(unit), float64(longest)))), true
}

// refusal is an answer that is no token.
type refusal struct {
	status int
	code   string // RFC 6749's error; "" if there is none
	words  string
}

func (r *refusal) Error() string {
	switch {
	case r.status >= 300 && r.status <= 399:
		return fmt.Sprintf("the token endpoint answered %d; redirects are not followed", r.status)
	case r.code == "":
		return fmt.Sprintf("the token endpoint answered %d", r.status)
	case r.words == "":
		return fmt.Sprintf("the token endpoint answered %d: %s", r.status, r.code)
	default:
		return fmt.Sprintf("the token endpoint answered %d: %s: %s", r.status, r.code, r.words)
	}
}

// client reports whether it was the client that was not known, and not what it asked
// for that was refused.
func (r *refusal) client() bool {
	return r.status == 401 || r.status == 400 && (r.code == "invalid_client" || r.code == "invalid_request")
}

// parseRefusal reads what went wrong. hide takes secrets out of the peer's words.
func parseRefusal(status int, body []byte, hide *strings.Replacer) *refusal {
	var said struct {
		Code  string `json:"error"`
		Words string `json:"error_description"`
	}
	_ = json.Unmarshal(body, &said) // an answer in another form says only its status
	return &refusal{status, cut(hide.Replace(said.Code)), cut(hide.Replace(said.Words))}
}

// text is a JSON string's text, "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// cut makes one short line of a peer's words.
func cut(s string) string {
	if len(s) > maxWordsBytes {
		s = s[:maxWordsBytes]
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
}

func orElse(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
