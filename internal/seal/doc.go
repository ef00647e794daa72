// Package seal keeps secrets unreadable at rest: AES-256-GCM under keys that have
// names, so that a new key can be put into use while texts under an older one are
// still read.
package seal
