package seal

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func open(t testing.TB, keys ...Key) *Box {
	t.Helper()
	b, err := Open(keys)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func key(id string, fill byte) Key {
	k := Key{ID: id}
	for i := range k.Bytes {
		k.Bytes[i] = fill
	}
	return k
}

func TestSealedTextOpens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, err := Open([]Key{key(rapid.StringMatching(`[a-z0-9-]{1,32}`).Draw(t, "id"), 7)})
		if err != nil {
			t.Fatal(err)
		}
		text, aad, dst := rapid.SliceOf(rapid.Byte()).Draw(t, "text"), rapid.SliceOf(rapid.Byte()).Draw(t, "aad"), rapid.SliceOf(rapid.Byte()).Draw(t, "dst")
		sealed := b.Seal(bytes.Clone(dst), text, aad)
		if !bytes.HasPrefix(sealed, dst) {
			t.Fatal("Seal changed what was there")
		}
		opened, err := b.Open(bytes.Clone(dst), sealed[len(dst):], aad)
		if err != nil || !bytes.Equal(opened, append(dst, text...)) {
			t.Fatalf("%v: %q", err, opened)
		}
		if id, err := KeyID(sealed[len(dst):]); err != nil || id != b.KeyID() {
			t.Fatalf("key id %q, %v", id, err)
		}
	})
}

func TestTheSameTextIsNeverSealedAlike(t *testing.T) {
	b := open(t, key("a", 1))
	if one, two := b.Seal(nil, []byte("text"), nil), b.Seal(nil, []byte("text"), nil); bytes.Equal(one, two) {
		t.Error("two seals of one text are the same: the nonce is")
	}
	if bytes.Contains(b.Seal(nil, []byte("plaintext"), nil), []byte("plain")) {
		t.Error("the text can be read in its seal")
	}
}

func TestEveryChangedBitIsFound(t *testing.T) {
	b := open(t, key("ab", 1), key("cd", 2))
	sealed := b.Seal(nil, []byte("a secret"), []byte("object"))
	for i := range sealed {
		for bit := range 8 {
			damaged := bytes.Clone(sealed)
			damaged[i] ^= 1 << bit
			if got, err := b.Open(nil, damaged, []byte("object")); err == nil || len(got) != 0 {
				t.Errorf("byte %d, bit %d: opened as %q", i, bit, got)
			}
		}
	}
	for n := range sealed {
		if _, err := b.Open(nil, sealed[:n], []byte("object")); err == nil {
			t.Errorf("%d bytes of %d opened", n, len(sealed))
		}
	}
	for name, aad := range map[string]string{"another object": "Object", "none": "", "longer": "object1"} {
		if _, err := b.Open(nil, sealed, []byte(aad)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeysAreRotated(t *testing.T) {
	old, next := key("old", 1), key("new", 2)
	sealed := open(t, old).Seal(nil, []byte("text"), nil)
	both := open(t, next, old)
	if text, err := both.Open(nil, sealed, nil); err != nil || string(text) != "text" {
		t.Errorf("the older key does not open: %v", err)
	}
	if id, _ := KeyID(both.Seal(nil, nil, nil)); id != "new" {
		t.Errorf("sealed under %q, want the first key", id)
	}
	_, err := open(t, next).Open(nil, sealed, nil)
	var unknown *UnknownKeyError
	if !errors.As(err, &unknown) || unknown.ID != "old" || !strings.Contains(err.Error(), `"old"`) {
		t.Errorf("without the older key: %v", err)
	}
	if _, err := open(t, key("old", 3)).Open(nil, sealed, nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("under another key of the same id: %v", err)
	}
}

func TestOpenRefusesKeys(t *testing.T) {
	for name, keys := range map[string][]Key{
		"none":        nil,
		"no id":       {key("", 1)},
		"long id":     {key(strings.Repeat("a", 33), 1)},
		"upper case":  {key("A", 1)},
		"line break":  {key("a\n", 1)},
		"an id twice": {key("a", 1), key("a", 2)},
	} {
		if _, err := Open(keys); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestAKeyIsNotPrinted(t *testing.T) {
	k := key("name", 'Q')
	for _, text := range []string{fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %s", k, k, k, k), fmt.Sprint(&k), fmt.Sprint([]Key{k})} {
		if strings.Contains(text, "81") || strings.Contains(text, "QQ") || strings.Contains(text, "5151") {
			t.Errorf("printed as %s", text)
		}
	}
}

func TestNewerVersionIsNamed(t *testing.T) {
	b := open(t, key("a", 1))
	sealed := b.Seal(nil, []byte("x"), nil)
	sealed[0] = 2
	if _, err := b.Open(nil, sealed, nil); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("%v", err)
	}
}

func BenchmarkOpen(b *testing.B) {
	box := open(b, key("k7f3q2mz4a", 1))
	aad := make([]byte, 17)
	sealed := box.Seal(nil, make([]byte, 30), aad)
	dst := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := box.Open(dst, sealed, aad); err != nil {
			b.Fatal(err)
		}
	}
}
