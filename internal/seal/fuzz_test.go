package seal

import (
	"strings"
	"testing"
)

// FuzzParseKeyFile: what is read is read again from what Rotate writes, below a new
// key, and no error shows a key.
func FuzzParseKeyFile(f *testing.F) {
	k := key("k7f3q2mz4a", 7)
	f.Add([]byte(preamble + k.line()))
	f.Add([]byte(k.line() + "\r\n#\n \n" + k.line()))
	f.Add([]byte("a b"))
	f.Add([]byte("a " + strings.Repeat("A", 43) + "="))
	f.Add([]byte("\x00 \xff="))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := ParseKeyFile(text)
		if err != nil {
			for word := range strings.FieldsSeq(string(text)) {
				if len(word) >= 40 && strings.Contains(err.Error(), word) {
					t.Fatalf("%q shows what may be a key", err)
				}
			}
			return
		}
		rotated, err := Rotate(text)
		if err != nil {
			if len(keys) < maxKeys {
				t.Fatal(err)
			}
			return
		}
		again, err := ParseKeyFile(rotated)
		if err != nil || len(again) != len(keys)+1 {
			t.Fatalf("%d keys, rotated %d, %v", len(keys), len(again), err)
		}
		for i := range keys {
			if again[i+1] != keys[i] {
				t.Fatalf("key %d is another after a rotation", i)
			}
		}
	})
}

// FuzzOpenSealed: nothing opens that was not sealed. Each process of the fuzzer seals the
// text anew, under another nonce.
func FuzzOpenSealed(f *testing.F) {
	b := open(f, key("a", 1), key("b", 2))
	sealed := b.Seal(nil, []byte("text"), []byte("aad"))
	f.Add(sealed, []byte("aad"))
	f.Add(sealed, []byte("other"))
	f.Add(sealed[:len(sealed)-1], []byte("aad"))
	f.Add([]byte{version, 255}, []byte{})
	f.Fuzz(func(t *testing.T, text, aad []byte) {
		out, err := b.Open(nil, text, aad)
		if err == nil && (len(text) != len(sealed) || string(aad) != "aad" || string(out) != "text") {
			t.Fatalf("%x opened as %q", text, out)
		}
	})
}
