//go:build !linux

package diskspace

import "errors"

// Look is not known on this system.
func Look(string) (Usage, error) { return Usage{}, errors.ErrUnsupported }
