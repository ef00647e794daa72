package api

import (
	"bytes"
	"encoding/csv"
	"errors"
	"mime/multipart"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"posthaste/event"
)

// FuzzOnboarding: whatever the CSV, the error is the client's to read, rows are bounded,
// and what was read is read again from what a CSV of it says.
func FuzzOnboarding(f *testing.F) {
	f.Add([]byte(onboardCSV), false)
	f.Add([]byte("name,url\n\"a\nb\",c\n"), false)
	f.Add([]byte("url,name,url\n"), false)
	f.Add([]byte("name,url\n\"\n"), false)
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nname,url\r\na,b\r\n--b--"), true)
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=\r\n--b--"), true)
	f.Fuzz(func(t *testing.T, text []byte, form bool) {
		var err error
		if form {
			if text, err = fileOf(text, "b"); err != nil {
				checkInvalid(t, err)
				return
			}
		}
		items, err := parseOnboarding(text)
		if err != nil {
			checkInvalid(t, err)
			return
		}
		if len(items) > maxOnboardRows+1 {
			t.Fatalf("%d rows", len(items))
		}
		again, err := parseOnboarding(onboardText(t, items))
		if err != nil || !slices.Equal(again, items) {
			t.Fatalf("%q was read as %+v, and that again as %+v, %v", text, items, again, err)
		}
	})
}

func checkInvalid(t *testing.T, err error) {
	t.Helper()
	var invalid *event.InvalidError
	if !errors.As(err, &invalid) || !utf8.ValidString(err.Error()) || len(err.Error()) > 1000 {
		t.Fatalf("%#v", err)
	}
}

func onboardText(t *testing.T, items []onboardItem) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"name", "url", "event_type", "auth_username", "auth_password"}}
	for _, i := range items {
		rows = append(rows, []string{i.Name, i.URL, i.EventType, i.AuthUsername, i.AuthPassword})
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzHeaderMask: of headers that a receiver wrote, nothing that opens something is
// shown, and all that is can be shown.
func FuzzHeaderMask(f *testing.F) {
	f.Add("Set-Cookie: s3cret\r\nX-A: 1\r\nx-a: 2\r\n", "x-own")
	f.Add("X-Own: s3cret\nx-own: s3cret\n: s3cret\nAuthorization s3cret\n\xff: \xff\n", "x-own")
	f.Fuzz(func(t *testing.T, lines, own string) {
		for name, value := range (headerMask{own: strings.ToLower(own)}).parse([]byte(lines)) {
			if hidden := event.SecretHeader(name) || strings.EqualFold(name, own); hidden && value != masked {
				t.Fatalf("%q: %q is shown", name, value)
			}
			if !utf8.ValidString(value) || strings.ContainsAny(value, "\n") {
				t.Fatalf("%q: %q cannot be shown", name, value)
			}
		}
	})
}

// A part that is cut short, or of another name, is no file.
func TestOnboardingForms(t *testing.T) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("other", "name,url")
	_ = w.Close()
	for _, body := range []string{b.String(), "", "--" + w.Boundary(), strings.Replace(b.String(), "other", "file", 1)[:80]} {
		if file, err := fileOf([]byte(body), w.Boundary()); err == nil {
			t.Errorf("%q has the file %q", body, file)
		}
	}
}
