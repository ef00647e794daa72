package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// rootKeyVariable holds the instance key. It is no flag: the arguments of a
// process are there for everybody to read.
const rootKeyVariable = "POSTHASTE_ROOT_KEY"

// serviceVariable matches the variables that Kubernetes sets in every container
// for a service whose name begins with posthaste, such as POSTHASTE_SERVICE_HOST
// and POSTHASTE_PORT_5005_TCP_ADDR.
// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
var serviceVariable = regexp.MustCompile(`^POSTHASTE_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

// checkEnvironment refuses a variable of ours that nothing reads: it is most
// likely a slip, and its writer believes that it holds.
func checkEnvironment(environ, known []string) error {
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "POSTHASTE_") || slices.Contains(known, name) || isServiceVariable(name, value) {
			continue
		}
		return fmt.Errorf("unknown environment variable %s, did you mean %s?", name, nearest(name, known))
	}
	return nil
}

func isServiceVariable(name, value string) bool {
	return serviceVariable.MatchString(name) || strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://")
}

// environmentOf are the variables that any command reads.
func environmentOf(node *kong.Node) []string {
	names := []string{rootKeyVariable}
	var visit func(*kong.Node)
	visit = func(n *kong.Node) {
		for _, f := range n.Flags {
			names = append(names, f.Envs...)
		}
		for _, child := range n.Children {
			visit(child)
		}
	}
	visit(node)
	return names
}

// environmentSet is the variable that sets a flag.
func environmentSet(flag *kong.Flag) (string, bool) {
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return name, true
		}
	}
	return "", false
}
