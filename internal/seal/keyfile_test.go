package seal

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

func TestKeyFile(t *testing.T) {
	text := NewKeyFile()
	keys, err := ParseKeyFile(text)
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	if bytes.Equal(text, NewKeyFile()) {
		t.Error("two new files have one key")
	}
	rotated, err := Rotate(text)
	if err != nil {
		t.Fatal(err)
	}
	both, err := ParseKeyFile(rotated)
	if err != nil || len(both) != 2 || both[1] != keys[0] || both[0].ID == keys[0].ID {
		t.Errorf("after the rotation: %v, %v; want a new key in front of %v", both, err, keys)
	}
	sealed := open(t, keys...).Seal(nil, []byte("x"), nil)
	if _, err := open(t, both...).Open(nil, sealed, nil); err != nil {
		t.Errorf("the rotated file does not open what is older: %v", err)
	}
}

func TestParseKeyFile(t *testing.T) {
	const good = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	for name, c := range map[string]struct{ text, want string }{
		"one":                 {"k " + good, ""},
		"windows line breaks": {"# note\r\nk " + good + "\r\n", ""},
		"spaces":              {"\n  k \t " + good + "  \n\n", ""},
		"empty":               {"", "no key"},
		"comments only":       {"# k " + good, "no key"},
		"no id":               {good, "line 1"},
		"too much":            {"k " + good + " x", "line 1"},
		"bad id":              {"ok " + good + "\nK " + good, "line 2"},
		"not base64":          {"k " + strings.Repeat("!", 44), "not base64"},
		"short":               {"k " + good[:40] + "MA==", "31 bytes"},
		"long":                {"k " + base64.StdEncoding.EncodeToString(make([]byte, 33)), "33 bytes"},
		"too many":            {strings.Repeat("k "+good+"\n", 101), "more than 100"},
	} {
		keys, err := ParseKeyFile([]byte(c.text))
		if c.want == "" {
			if err != nil || len(keys) != 1 || string(keys[0].Bytes[:4]) != "0123" {
				t.Errorf("%s: %v %v", name, keys, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), good[:20]) || strings.Contains(err.Error(), "!!!")) {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
}

func TestRotateRefuses(t *testing.T) {
	if _, err := Rotate([]byte("nothing")); err == nil {
		t.Error("a file without a key was rotated")
	}
	text := NewKeyFile()
	var err error
	for range maxKeys {
		if text, err = Rotate(text); err != nil {
			return
		}
	}
	t.Error("a file can have any number of keys")
}
