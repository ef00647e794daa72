package receiver

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// FuzzVerify: whatever comes, the error is one that a receiver can act on, and what was
// signed verifies with nothing but its own body.
func FuzzVerify(f *testing.F) {
	const secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	v, err := New(Options{Convoy: &Convoy{Secrets: []string{"topsecret"}, Simple: true}, Standard: &Standard{Secrets: []string{secret}}})
	if err != nil {
		f.Fatal(err)
	}
	v.now = func() time.Time { return time.Unix(1_700_000_000, 0) }
	f.Add("X-Convoy-Signature: t=1700000000,v1=00", "{}")
	f.Add("X-Convoy-Signature: 00\nConvoy-Timestamp: 1", "")
	f.Add("Webhook-Id: a\nWebhook-Timestamp: 1700000000\nWebhook-Signature: v1,AA== v1a,AA==", "{}")
	f.Add("Webhook-Signature: \nWebhook-Signature: ", "")
	f.Add("Webhook-Id: .\nWebhook-Timestamp: -9223372036854775808\nWebhook-Signature: ,", "")
	f.Fuzz(func(t *testing.T, lines, body string) {
		h := http.Header{}
		for line := range strings.Lines(lines) {
			name, value, _ := strings.Cut(strings.TrimRight(line, "\n"), ": ")
			h.Add(name, value)
		}
		err := v.Verify(h, []byte(body))
		if err == nil {
			t.Fatalf("%q over %q verifies, and nobody signed it", lines, body)
		}
		if !errors.Is(err, ErrUnsigned) && !errors.Is(err, ErrHeader) && !errors.Is(err, ErrSignature) && !errors.Is(err, ErrTimestamp) {
			t.Fatalf("%q: %v", lines, err)
		}
	})
}
