package bench

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// fakeStore is what outlasts a fake server: the keys that it has had and its
// endpoints, a JSON object a line.
type fakeStore struct {
	out  *json.Encoder
	keys map[string]bool
}

type fakeRecord struct {
	Key      string        `json:",omitempty"`
	Endpoint *fakeEndpoint `json:",omitempty"`
}

// remember reads what the servers over this directory before kept, and begins to
// keep. The file is open until the process ends.
func (s *fakeServer) remember(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := os.OpenFile(filepath.Join(dir, "fake"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	s.mu.store = fakeStore{out: json.NewEncoder(f), keys: map[string]bool{}}
	for dec := json.NewDecoder(f); ; {
		var r fakeRecord
		if err := dec.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if r.Endpoint != nil {
			s.mu.endpoints[r.Endpoint.UID] = *r.Endpoint
		}
		s.mu.store.keys["Bearer "+r.Key] = true
	}
	s.mu.store.keys["Bearer "+s.key] = true
	return s.mu.store.out.Encode(fakeRecord{Key: s.key})
}

func (s *fakeStore) keep(e fakeEndpoint) { _ = s.out.Encode(fakeRecord{Endpoint: &e}) }

func (s *fakeServer) knows(authorization string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.store.keys[authorization]
}
