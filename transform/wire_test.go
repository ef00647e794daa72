package transform

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"
)

func TestFrames(t *testing.T) {
	var b bytes.Buffer
	if err := writeFrame(&b, request{Function: "f", NowNanos: -1, Seed: math.MaxUint64}, []byte("body")); err != nil {
		t.Fatal(err)
	}
	want := "\x00\x00\x00\x36\x00\x00\x00\x04" + `{"function":"f","now":-1,"seed":18446744073709551615}` + "body"
	want = "\x00\x00\x00" + string(rune(len(want)-12)) + want[4:]
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	whole := b.Bytes()
	var got request
	body, err := readFrame(bytes.NewReader(whole), &got, 4)
	if err != nil || string(body) != "body" || got.Function != "f" || got.NowNanos != -1 || got.Seed != math.MaxUint64 {
		t.Errorf("%q, %+v, %v", body, got, err)
	}
	if _, err := readFrame(bytes.NewReader(whole), &got, 3); err == nil {
		t.Error("a body larger than allowed is read")
	}
	for n := range whole {
		_, err := readFrame(bytes.NewReader(whole[:n]), &got, 4)
		if n == 0 && err != io.EOF || n > 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	if _, err := readFrame(bytes.NewReader([]byte("\xff\xff\xff\xff\x00\x00\x00\x00")), &got, 4); err == nil {
		t.Error("a header of 4 GiB is read")
	}
	if _, err := readFrame(bytes.NewReader([]byte("\x00\x00\x00\x01\x00\x00\x00\x00{")), &got, 4); err == nil {
		t.Error("a header that is not JSON is read")
	}
}
