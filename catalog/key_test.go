package catalog_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"posthaste/catalog/catalogtest"
	"posthaste/event"
)

func TestKeyForm(t *testing.T) {
	w := setup(t)
	form := regexp.MustCompile(`^CO\.([0-9A-Za-z]{16})\.[0-9A-Za-z]{64}$`)
	key, text, err := w.CreateKey(w.project.ID, "ci", nil)
	must(t, err)
	m := form.FindStringSubmatch(text)
	if m == nil || m[1] != key.MaskID {
		t.Fatalf("key of mask %s does not have the form", key.MaskID)
	}
	if len(key.Digest) != 32 || bytes.Contains(key.Digest, []byte(text[20:])) || text == w.key {
		t.Error("the key is stored, or is the same twice")
	}
	if keys := w.Snapshot().Keys(w.project.ID); len(keys) != 2 || keys[1].Name != "ci" {
		t.Errorf("keys %+v", keys)
	}
}

func TestAuthenticate(t *testing.T) {
	w := setup(t)
	flip := func(s string, i int) string {
		b := []byte(s)
		if b[i]++; b[i] > 'y' {
			b[i] = 'a'
		}
		return string(b)
	}
	for name, c := range map[string]struct {
		token    string
		ok       bool
		instance bool
	}{
		"project key":               {w.key, true, false},
		"instance key":              {catalogtest.InstanceKey, true, true},
		"nothing":                   {"", false, false},
		"short":                     {"CO.x.y", false, false},
		"another secret":            {flip(w.key, len(w.key)-1), false, false},
		"another secret's start":    {flip(w.key, 20), false, false},
		"another mask":              {flip(w.key, 5), false, false},
		"another prefix":            {"XX." + w.key[3:], false, false},
		"cut":                       {w.key[:len(w.key)-1], false, false},
		"longer":                    {w.key + "a", false, false},
		"dot missing":               {w.key[:19] + "x" + w.key[20:], false, false},
		"instance key cut":          {catalogtest.InstanceKey[:len(catalogtest.InstanceKey)-1], false, false},
		"instance key longer":       {catalogtest.InstanceKey + "x", false, false},
		"very long":                 {strings.Repeat("k", 100_000), false, false},
		"the mask and no secret":    {w.key[:20] + strings.Repeat("A", 64), false, false},
		"bearer still in front":     {"Bearer " + w.key, false, false},
		"another letter case":       {strings.ToLower(w.key), false, false},
		"space behind":              {w.key + " ", false, false},
		"instance key letter case":  {strings.ToUpper(catalogtest.InstanceKey), false, false},
		"as long as a key, no form": {strings.Repeat(".", len(w.key)), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			grant, ok := w.Authenticate([]byte(c.token))
			if ok != c.ok || grant.Instance != c.instance {
				t.Fatalf("grants %+v, %v", grant, ok)
			}
			want := event.ID{}
			if c.ok && !c.instance {
				want = w.project.ID
			}
			if grant.ProjectID != want || (ok && !c.instance) == grant.KeyID.IsZero() {
				t.Errorf("grants %+v, want project %s", grant, want)
			}
		})
	}
}

func TestKeyExpiry(t *testing.T) {
	w := setup(t)
	end := w.clock.Now().Add(time.Hour)
	_, text, err := w.CreateKey(w.project.ID, "short", &end)
	must(t, err)
	w.clock.Advance(time.Hour - 1)
	if _, ok := w.Authenticate([]byte(text)); !ok {
		t.Error("the key ended early")
	}
	w.clock.Advance(1)
	if _, ok := w.Authenticate([]byte(text)); ok {
		t.Error("the key outlived its end")
	}
	if _, ok := w.open(t).Authenticate([]byte(text)); ok {
		t.Error("the key came back after a restart")
	}
	_, _, err = w.CreateKey(w.project.ID, "late", &end)
	wantInvalid(t, err, "expires_at")
}

func TestKeyRefused(t *testing.T) {
	w := setup(t)
	_, _, err := w.CreateKey(event.NewID(), "ci", nil)
	wantIs(t, err, event.ErrNotFound)
	_, _, err = w.CreateKey(w.project.ID, "", nil)
	wantInvalid(t, err, "name")
}

func TestDeleteKey(t *testing.T) {
	w := setup(t)
	key, text, err := w.CreateKey(w.project.ID, "ci", nil)
	must(t, err)
	wantIs(t, w.DeleteKey(event.NewID(), key.ID), event.ErrNotFound)
	must(t, w.DeleteKey(w.project.ID, key.ID))
	if _, ok := w.Authenticate([]byte(text)); ok {
		t.Error("a deleted key still works")
	}
	if _, ok := w.Authenticate([]byte(w.key)); !ok {
		t.Error("another key stopped working")
	}
	wantIs(t, w.DeleteKey(w.project.ID, key.ID), event.ErrNotFound)
}
