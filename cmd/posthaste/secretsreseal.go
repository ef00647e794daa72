package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"posthaste/client"
)

// secretsResealCmd has a running server read secrets.key again and waits until all is
// sealed under the first key of it.
type secretsResealCmd struct {
	Detach bool `help:"Do not wait for the end."`

	remote
}

// resealEvery is how often the server is asked how far it is.
const resealEvery = 200 * time.Millisecond

// sealing is how far it is.
type sealing struct {
	KeyID     string   `json:"key_id"`
	OlderKeys []string `json:"older_keys"`
	Running   bool     `json:"running"`
	Left      int      `json:"left"`
	Done      int      `json:"done"`
	Error     string   `json:"error"`
}

// Run asks, waits, and says what may go from the file.
func (c *secretsResealCmd) Run(s *session) error {
	now, raw, err := askSealing(s, http.MethodPost, "/api/v1/secrets/reseal")
	tick := time.NewTicker(resealEvery)
	defer tick.Stop()
	for err == nil && now.Running && !c.Detach {
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-tick.C:
			now, raw, err = askSealing(s, http.MethodGet, "/api/v1/secrets")
		}
	}
	switch {
	case err != nil:
		return err
	case now.Error != "":
		return errors.New("not every secret is sealed under the new key, so keep the older ones in the file: " + clean(now.Error))
	case now.Running:
		return s.done(raw, "Secrets are sealed under the key %s from now on; %d records are written anew.", now.KeyID, now.Left)
	case len(now.OlderKeys) == 0:
		return s.done(raw, "Every secret is sealed under the key %s, the only one of the file.", now.KeyID)
	}
	return s.done(raw, "Every secret is sealed under the key %s (%d records were written). The store needs no other: take the lines of %s out of %s once no backup needs them.",
		now.KeyID, now.Done, strings.Join(now.OlderKeys, ", "), secretKeysFile)
}

func askSealing(s *session, method, path string) (now sealing, raw json.RawMessage, err error) {
	a, err := s.client.Do(s.ctx, client.Request{Method: method, Path: path, Again: true})
	if err != nil {
		return now, nil, err
	}
	err = a.Into(&now)
	return now, a.Data, err
}
