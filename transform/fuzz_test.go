package transform

import (
	"bytes"
	"testing"
)

// FuzzFrame: whatever a child writes, a frame is read within its bounds, and what was
// read is written and read again as it was.
func FuzzFrame(f *testing.F) {
	var b bytes.Buffer
	_ = writeFrame(&b, &answer{Kind: "x", Message: "m", Log: []string{"a"}}, []byte("body"))
	f.Add(b.Bytes())
	f.Add([]byte{0, 0, 0, 2, 0, 0, 0, 0, '{', '}'})
	f.Add([]byte{255, 255, 255, 255, 0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 2, 255, 255, 255, 255, '{', '}'})
	const maxBody = 1 << 10
	f.Fuzz(func(t *testing.T, text []byte) {
		var a, again answer
		body, err := readFrame(bytes.NewReader(text), &a, maxBody)
		if err != nil {
			return
		}
		if len(body) > maxBody {
			t.Fatalf("a body of %d bytes", len(body))
		}
		var out bytes.Buffer
		if err := writeFrame(&out, &a, body); err != nil {
			t.Fatal(err)
		}
		read, err := readFrame(&out, &again, maxBody)
		if err != nil || !bytes.Equal(read, body) || again.Kind != a.Kind || again.Message != a.Message || len(again.Log) != len(a.Log) || again.Last != a.Last {
			t.Fatalf("%+v became %+v, %v", a, again, err)
		}
	})
}
