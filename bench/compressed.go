package bench

import "github.com/klauspost/compress/zstd"

// compressedSample is how many payloads are compressed in one piece to see what
// they are like, at most: a megabyte of 1 KiB ones.
const compressedSample = 1024

// compressed is the size that a general compressor gets payloads of a load to, in a
// row and in one piece, as a share of theirs. It says what to expect of a store.
func compressed(l *Load, level zstd.EncoderLevel) (float64, error) {
	n := compressedSample
	if l.set != nil {
		n = min(n, l.different()) // each once: a repeat of the whole is no property of an event
	}
	var raw []byte
	for i := range n {
		at := len(raw)
		raw = l.appendData(raw, i%l.different(), uint64(i))
		stampPayload(raw[at:], uint64(i), 1_795_278_039_123_456_789+int64(i)*40_000)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return 0, err
	}
	return float64(len(enc.EncodeAll(raw, nil))) / float64(len(raw)), enc.Close()
}
