package api

import (
	"net/http"

	"posthaste/event"
)

var errNoSealing = &httpError{http.StatusNotImplemented, "this server has no keys for secrets"}

// sealingView is how far it is with the keys that secrets are stored under.
type sealingView struct {
	KeyID     string   `json:"key_id"`
	OlderKeys []string `json:"older_keys"`
	Running   bool     `json:"running"`
	Left      int      `json:"left"`
	Done      int      `json:"done"`
	Removable bool     `json:"removable"` // nothing in this store is sealed under an older key any more
	Error     string   `json:"error"`
}

func newSealingView(s event.Sealing) sealingView {
	v := sealingView{
		KeyID: s.KeyID, OlderKeys: s.Older, Running: s.Running, Left: s.Left, Done: s.Done, Error: s.Error,
		Removable: !s.Running && s.Left == 0 && s.Error == "",
	}
	if v.OlderKeys == nil {
		v.OlderKeys = []string{}
	}
	return v
}

func (a *API) getSealing(*call) (reply, error) {
	if a.o.Sealing == nil {
		return reply{}, errNoSealing
	}
	return respond(http.StatusOK, "Secret keys fetched successfully", newSealingView(a.o.Sealing()))
}

// reseal has the file with the keys read again, and goes on in the background.
func (a *API) reseal(c *call) (reply, error) {
	if a.o.Reseal == nil {
		return reply{}, errNoSealing
	}
	s, err := a.o.Reseal(c.who(requestID(c.r)))
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusAccepted, "Secret keys read successfully", newSealingView(s))
}
