// Package lint holds posthaste to its own rules: which package may import which,
// who may read the environment and end the process, who may sleep. It has tests
// and nothing else.
package lint
