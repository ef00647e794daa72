package jsonscan

import "testing"

func FuzzVerdict(f *testing.F) {
	for _, doc := range documents {
		f.Add([]byte(doc))
	}
	f.Add(sample(f, "event_1k.json"))
	f.Fuzz(func(t *testing.T, doc []byte) { checkVerdict(t, doc) })
}

func FuzzUnquote(f *testing.F) {
	for _, src := range quoted {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		checkUnquote(t, src)
		checkQuote(t, string(src))
	})
}
