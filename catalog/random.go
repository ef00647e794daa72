package catalog

import "crypto/rand"

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// randomAlphanumeric draws n letters and digits, each equally likely: of a random
// byte, the values from 248 on (4 times 62) are thrown away.
func randomAlphanumeric(n int) []byte {
	out := make([]byte, 0, n)
	var random [2 * keySecretLen]byte
	for {
		_, _ = rand.Read(random[:]) // never fails: it ends the process instead
		for _, b := range random {
			if b >= 4*byte(len(alphanumeric)) {
				continue
			}
			if out = append(out, alphanumeric[int(b)%len(alphanumeric)]); len(out) == n {
				return out
			}
		}
	}
}
