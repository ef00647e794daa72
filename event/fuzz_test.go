package event

import "testing"

// FuzzParseID: an id has one text, and no two texts are one id but by their letter case.
func FuzzParseID(f *testing.F) {
	for _, s := range []string{"", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "01arz3ndektsv4rrffq69g5fav", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "80000000000000000000000000", "0000000000000000000000000I"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseID(text)
		if err != nil {
			return
		}
		canonical := string(AppendID(nil, id))
		again, err := ParseID(canonical)
		if err != nil || again != id || len(text) != len(canonical) {
			t.Fatalf("%q is %s, and that %s, %v", text, canonical, again, err)
		}
	})
}
