package catalog

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

// The stored form of each noun, byte for byte: a change here is a change of format.
func TestRecordsAreGolden(t *testing.T) {
	id, project := event.ID{1: 1, 15: 1}, event.ID{1: 2, 15: 2}
	at := time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
	for name, c := range map[string]struct {
		noun any
		want string
	}{
		"subscription": {
			&event.Subscription{ID: id, Name: "n", Type: "api", ProjectID: project, EndpointID: id, FilterConfig: event.FilterConfig{EventTypes: []string{"*"}}, DeliveryMode: "at_least_once", CreatedAt: at, UpdatedAt: at},
			`{"uid":"` + id.String() + `","name":"n","type":"api","project_id":"` + project.String() + `","endpoint_id":"` + id.String() + `","filter_config":{"event_types":["*"]},"delivery_mode":"at_least_once","created_at":"2026-03-01T12:00:00.000000005Z","updated_at":"2026-03-01T12:00:00.000000005Z","deleted_at":null}`,
		},
		"key": {
			&event.APIKey{ID: id, Name: "n", ProjectID: project, MaskID: "m", Digest: []byte{1, 2, 3}, CreatedAt: at},
			`{"uid":"` + id.String() + `","name":"n","project_id":"` + project.String() + `","mask_id":"m","digest":"AQID","created_at":"2026-03-01T12:00:00.000000005Z","expires_at":null}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := encode(c.noun)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != "\x01"+c.want {
				t.Errorf("got  %q\nwant %q", got, "\x01"+c.want)
			}
		})
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
