package inbound

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// inflater decompresses bodies. It has a fixed number of places, which bounds both the
// processors and the memory that compressed bodies can take: who finds none free waits
// for one, and none is held over anything but computing.
type inflater struct {
	free   chan *workspace // nil in the place of one that was not needed so far
	window uint64          // bytes that a zstd decoder may keep
}

// workspace is what it takes to inflate one body. It belongs to the request that
// acquired it.
type workspace struct {
	src  bytes.Reader
	gzip gzip.Reader
	zstd *zstd.Decoder
	out  bytes.Buffer
}

const (
	// Above this a workspace's buffer is dropped after use rather than kept.
	keepInflatedBytes = 1 << 20
	// minWindowBytes is the window that a zstd decoder is to support at the least
	// (RFC 8878, 3.1.1.1.2).
	minWindowBytes = 8 << 20
)

func newInflater(count, limit int) inflater {
	in := inflater{free: make(chan *workspace, count), window: uint64(max(limit, minWindowBytes))}
	for range count {
		in.free <- nil
	}
	return in
}

// acquire waits for a free place. release must follow.
func (in *inflater) acquire() *workspace {
	if w := <-in.free; w != nil {
		return w
	}
	// A decoder that starts no goroutine and takes memory as it goes.
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(in.window), zstd.WithDecodeBuffersBelow(0))
	if err != nil {
		panic("BUG: options of the zstd decoder: " + err.Error())
	}
	return &workspace{zstd: d}
}

func (in *inflater) release(w *workspace) {
	w.src.Reset(nil)
	w.out.Reset()
	if w.out.Cap() > keepInflatedBytes {
		w.out = bytes.Buffer{}
	}
	in.free <- w
}

// inflate decompresses a body of at most limit bytes. What it returns is valid until
// release.
func (w *workspace) inflate(c coding, body []byte, limit int) ([]byte, *refusal) {
	w.src.Reset(body)
	r, err := w.reader(c)
	if err == nil {
		_, err = w.out.ReadFrom(io.LimitReader(r, int64(limit)+1))
	}
	switch {
	case err != nil:
		return nil, malformed("Content-Encoding: the body cannot be decompressed: %v", err)
	case w.out.Len() > limit:
		return nil, tooLarge(limit)
	}
	return w.out.Bytes(), nil
}

func (w *workspace) reader(c coding) (io.Reader, error) {
	if c == gzipped {
		return &w.gzip, w.gzip.Reset(&w.src)
	}
	return w.zstd, w.zstd.Reset(&w.src)
}
