package ingest

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// inflater decompresses bodies. It has a fixed number of workspaces, which
// bounds both the processors and the memory that compressed bodies can take:
// who finds none free waits for one, and none is held over anything but
// computing.
type inflater struct {
	free  chan *workspace
	limit int
	zstd  *zstd.Decoder
}

// workspace is what it takes to inflate one body. It belongs to the request
// that acquired it.
type workspace struct {
	in   *inflater
	src  bytes.Reader
	gzip gzip.Reader
	out  []byte
}

// Above this a workspace's buffer is dropped after use rather than kept.
const keepInflatedBytes = 1 << 20

func newInflater(count, limit int) *inflater {
	in := &inflater{free: make(chan *workspace, count), limit: limit}
	// Only DecodeAll is used, which starts no goroutine and, with the capacity
	// limit, writes into the buffer it is given and nowhere else.
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(count), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic("BUG: zstd decoder options: " + err.Error())
	}
	in.zstd = decoder
	for range count {
		in.free <- &workspace{in: in}
	}
	return in
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
	var err error
	if e == encodedGzip {
		err = w.gunzip(body)
	} else {
		err = w.unzstd(body)
	}
	if err != nil {
		return nil, malformed("Content-Encoding: the body cannot be decompressed: %v", err)
	}
	if len(w.out) > w.in.limit {
		return nil, tooLarge(w.in.limit)
	}
	return w.out, nil
}

// gunzip fills out with the body, decompressed, up to one byte over the limit.
func (w *workspace) gunzip(body []byte) error {
	w.src.Reset(body)
	if err := w.gzip.Reset(&w.src); err != nil {
		return err
	}
	w.out = w.out[:0]
	for len(w.out) <= w.in.limit {
		if len(w.out) == cap(w.out) {
			w.out = append(w.out, make([]byte, w.grown()-len(w.out))...)[:len(w.out)]
		}
		room := min(cap(w.out), w.in.limit+1)
		n, err := w.gzip.Read(w.out[len(w.out):room])
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

// unzstd is gunzip for zstd. The decoder says only that the buffer was too
// small, so it is tried again with a larger one, up to the limit.
func (w *workspace) unzstd(body []byte) error {
	if cap(w.out) < 4*len(body) {
		w.out = make([]byte, 0, min(max(4*len(body), 16<<10), w.in.limit+1))
	}
	for {
		out, err := w.in.zstd.DecodeAll(body, w.out[:0:min(cap(w.out), w.in.limit+1)])
		if !errors.Is(err, zstd.ErrDecoderSizeExceeded) {
			w.out = out
			return err
		}
		if cap(w.out) > w.in.limit {
			w.out = w.out[:w.in.limit+1]
			return nil
		}
		w.out = make([]byte, 0, w.grown())
	}
}

// grown is the next larger size of the buffer.
func (w *workspace) grown() int { return min(max(4*cap(w.out), 16<<10), w.in.limit+1) }
