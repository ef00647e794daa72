package sig

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding"
	"hash"
	"sync"
)

const (
	maxSumBytes   = 64              // SHA512
	maxTextBytes  = 2 * maxSumBytes // SHA512 in hex
	maxStampBytes = len("-9223372036854775808,")
	// stampRoom is for what is signed before a body: in Standard Webhooks an id of
	// up to 64 bytes, too. With a longer one the memory is allocated.
	stampRoom = 64 + maxStampBytes + 1
)

// algorithm is one hash function and the pool of its hashers. The twelve of
// them are made when the program starts and are never changed.
type algorithm struct {
	name  string
	size  int // bytes of a digest
	block int // bytes of a block (for SHA-3, the rate)
	pool  sync.Pool
}

// algorithms holds every hash that Convoy can be configured with, in the order
// of its documentation.
var algorithms = [...]*algorithm{
	newAlgorithm("MD5", md5.New),
	newAlgorithm("SHA1", sha1.New),
	newAlgorithm("SHA224", sha256.New224),
	newAlgorithm("SHA256", sha256.New),
	newAlgorithm("SHA384", sha512.New384),
	newAlgorithm("SHA512", sha512.New),
	newAlgorithm("SHA3_224", func() hash.Hash { return sha3.New224() }),
	newAlgorithm("SHA3_256", func() hash.Hash { return sha3.New256() }),
	newAlgorithm("SHA3_384", func() hash.Hash { return sha3.New384() }),
	newAlgorithm("SHA3_512", func() hash.Hash { return sha3.New512() }),
	newAlgorithm("SHA512_224", sha512.New512_224),
	newAlgorithm("SHA512_256", sha512.New512_256),
}

func newAlgorithm(name string, newHash func() hash.Hash) *algorithm {
	h := newHash()
	a := &algorithm{name: name, size: h.Size(), block: h.BlockSize()}
	a.pool.New = func() any { return &hasher{resumable: newHash().(resumable)} }
	return a
}

// Hashes returns the names of the hashes, as a Version takes them.
func Hashes() []string {
	names := make([]string, len(algorithms))
	for i, a := range algorithms {
		names[i] = a.name
	}
	return names
}

// find returns nil for an unknown name.
func find(name string) *algorithm {
	for _, a := range algorithms {
		if a.name == name {
			return a
		}
	}
	return nil
}

// resumable is a hash whose state can be saved and restored; every hash of the
// standard library is.
type resumable interface {
	hash.Hash
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// hasher is a hash with the memory that one use of it needs: what is passed to
// an interface's method would otherwise be allocated each time. Between get and
// put it belongs to one goroutine.
type hasher struct {
	resumable
	sum   [maxSumBytes]byte
	stamp [stampRoom]byte
}

func (a *algorithm) get() *hasher { return a.pool.Get().(*hasher) }

// put clears what is derived from a secret: the state and the digest.
func (a *algorithm) put(h *hasher) {
	h.Reset()
	clear(h.sum[:])
	a.pool.Put(h)
}

// restore continues from a saved state.
//
// UnmarshalBinary, and not hash.Cloner, because Clone allocates the copy:
// 14 ns without allocation against 65 ns and 128 bytes for SHA256
// (BenchmarkRestore).
func (h *hasher) restore(state []byte) {
	if err := h.UnmarshalBinary(state); err != nil {
		panic("BUG: saved hash state: " + err.Error())
	}
}
