package api

import "time"

// now is the time that what is made in the API is dated with.
func (a *API) now() time.Time { return a.o.Now().UTC() }
