package event

import "strings"

// secretNames are the parts of a header's name, in lower case, that give away that its
// value opens something: Authorization, Set-Cookie, X-Api-Key and the like.
var secretNames = []string{"authorization", "cookie", "api-key", "apikey", "api_key", "token", "secret", "password"}

// SecretHeader reports whether a header's name says that its value opens something. Such a
// value of an endpoint's own header is neither recorded with an attempt nor shown.
func SecretHeader(name string) bool {
	name = strings.ToLower(name)
	for _, part := range secretNames {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
