package ingest

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// inflater decompresses bodies. It has a fixed number of workspaces, which
// bounds both the processors and the memory that compressed bodies can take:
// who finds none free waits for one, and none is held over anything but
// computing.
type inflater struct{ free chan *workspace }

// workspace is what it takes to inflate one body. It belongs to the request
// that acquired it.
type workspace struct {
	limit int // bytes of a body, decompressed
	src   bytes.Reader
	gzip  gzip.Reader
	zstd  *zstd.Decoder
	out   []byte
}

// Above this a workspace's buffer is dropped after use rather than kept.
const keepInflatedBytes = 1 << 20

// minWindowBytes is the window that a zstd decoder is to support at the least
// (RFC 8878, 3.1.1.1.2).
const minWindowBytes = 8 << 20

func newInflater(count, limit int) *inflater {
	in := &inflater{free: make(chan *workspace, count)}
	for range count {
		in.free <- &workspace{limit: limit, zstd: newZstd(limit)}
	}
	return in
}

// newZstd makes a decoder that starts no goroutine and takes memory as it
// goes, at most the window beside what it puts out. Its DecodeAll would save
// the window, but can be told no limit that holds over several frames.
func newZstd(limit int) *zstd.Decoder {
	window := uint64(max(limit, minWindowBytes))
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(window), zstd.WithDecodeBuffersBelow(0))
	if err != nil {
		panic("BUG: options of the zstd decoder: " + err.Error())
	}
	return d
}

// acquire waits for a free workspace. release must follow.
func (in *inflater) acquire() *workspace { return <-in.free }

func (in *inflater) release(w *workspace) {
	w.src.Reset(nil)
	if cap(w.out) > keepInflatedBytes {
		w.out = nil
	}
	in.free <- w
}

// inflate decompresses body. What it returns is valid until release.
func (w *workspace) inflate(e encoding, body []byte) ([]byte, *refusal) {
	w.src.Reset(body)
	r, err := w.reader(e)
	if err == nil {
		err = w.fill(r)
	}
	if err != nil {
		return nil, malformed("Content-Encoding: the body cannot be decompressed: %v", err)
	}
	if len(w.out) > w.limit {
		return nil, tooLarge(w.limit)
	}
	return w.out, nil
}

func (w *workspace) reader(e encoding) (io.Reader, error) {
	if e == encodedGzip {
		return &w.gzip, w.gzip.Reset(&w.src)
	}
	return w.zstd, w.zstd.Reset(&w.src)
}

// fill reads all of r into out, but never more than one byte over the limit.
func (w *workspace) fill(r io.Reader) error {
	w.out = w.out[:0]
	for len(w.out) <= w.limit {
		if len(w.out) == cap(w.out) {
			w.grow()
		}
		n, err := r.Read(w.out[len(w.out):min(cap(w.out), w.limit+1)])
		w.out = w.out[:len(w.out)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *workspace) grow() {
	larger := make([]byte, len(w.out), min(max(4*cap(w.out), 16<<10), w.limit+1))
	copy(larger, w.out)
	w.out = larger
}
