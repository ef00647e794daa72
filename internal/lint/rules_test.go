package lint

import (
	"fmt"
	"slices"
	"strings"
)

// allowedImports says which of our packages each of our packages may import
// outside its tests. A new package is added here, with thought: the graph goes
// one way, from the command down to the nouns, and engine, wal, sender and
// ingest meet in internal/app only.
var allowedImports = map[string][]string{
	"event":     {},
	"sig":       {},
	"ratelimit": {},
	"retry":     {"event"},
	"breaker":   {"event"},
	"match":     {"event", "internal/jsonscan"},
	"transform": {},
	"receiver":  {"sig"},
	"oauth":     {"event"},
	"search":    {"event"},
	"jobs":      {"event", "search"},
	"stats":     {"event"},
	"live":      {"event"},
	"inbound":   {"event", "sig", "internal/jsonscan"},
	"client":    {},

	"internal/diskspace": {},
	"internal/jsonscan":  {},
	"internal/lifecycle": {},
	"internal/lint":      {},
	"internal/metrics":   {},
	"internal/netguard":  {},
	"internal/seal":      {},
	"internal/steady":    {},
	"internal/wheel":     {},

	"wal":                 {"event", "stats", "internal/metrics", "internal/steady"},
	"wal/waltest":         {}, // for tests: it is in nobody's list
	"catalog":             {"event", "sig", "ratelimit", "retry", "breaker", "match", "internal/seal"},
	"catalog/catalogtest": {"event", "catalog"}, // for tests: it is in nobody's list
	"sender":              {"event", "catalog", "oauth", "sig", "retry", "internal/metrics", "internal/netguard"},
	"engine":              {"event", "catalog", "breaker", "match", "ratelimit", "retry", "internal/lifecycle", "internal/metrics", "internal/wheel"},
	"ingest":              {"event", "ratelimit", "internal/jsonscan", "internal/metrics"},
	"api":                 {"event", "catalog", "live", "match", "retry", "search", "sig", "stats", "transform", "internal/metrics", "internal/netguard"},

	"console": {"client"}, // it asks the API

	"internal/app": {
		"api", "breaker", "catalog", "console", "engine", "event", "inbound", "ingest", "jobs", "live", "oauth", "ratelimit", "sender", "sig", "transform", "wal",
		"internal/diskspace", "internal/jsonscan", "internal/lifecycle", "internal/metrics", "internal/netguard", "internal/seal", "internal/steady", "internal/wheel",
	},
	"bench":         {"bench/report"}, // speaks HTTP only
	"bench/report":  {},
	"cmd/posthaste": {"bench", "bench/report", "client", "internal/app", "receiver"},
	"test":          {},
	"test/mutants":  {},
	"test/compat":   {},
}

// ownedModules are the heavy dependencies of one package each, and of the packages
// below it, tests included.
var ownedModules = map[string]string{
	"github.com/cockroachdb/pebble": "wal",
	"github.com/panjf2000/ants":     "sender",
	"github.com/dop251/goja":        "transform",
}

// commandOnly is what only a command may do: read flags and the environment,
// and end the process. An empty list bans the package.
var commandOnly = map[string][]string{
	"flag":                       nil,
	"github.com/alecthomas/kong": nil,
	"os":                         {"Args", "Environ", "Exit", "ExpandEnv", "Getenv", "LookupEnv", "Setenv", "Unsetenv", "Clearenv"},
	"syscall":                    {"Environ", "Exit", "Getenv", "Setenv"},
	"log":                        {"Fatal", "Fatalf", "Fatalln"},
}

// maxFileLines is where a file has become two.
const maxFileLines = 600

// sleepers are the files outside tests that may call time.Sleep, and why. All
// others wait for what they wait for.
var sleepers = map[string]string{}

// A check returns what is wrong with a file.

func checkImports(f *sourceFile) []string {
	allowed, known := allowedImports[f.pkg]
	if !known {
		return []string{fmt.Sprintf("%s: package %s is not in allowedImports: say there what it may import", f.path, f.pkg)}
	}
	var wrong []string
	for _, p := range f.imports() {
		ours, found := strings.CutPrefix(p, module+"/")
		if found && !f.test && !slices.Contains(allowed, ours) {
			wrong = append(wrong, fmt.Sprintf("%s: %s must not import %s", f.path, f.pkg, ours))
		}
	}
	return wrong
}

func checkOwned(f *sourceFile) []string {
	var wrong []string
	for _, p := range f.imports() {
		for owned, owner := range ownedModules {
			if strings.HasPrefix(p+"/", owned+"/") && !strings.HasPrefix(f.pkg+"/", owner+"/") {
				wrong = append(wrong, fmt.Sprintf("%s: only %s may import %s", f.path, owner, p))
			}
		}
	}
	return wrong
}

func checkCommandOnly(f *sourceFile) []string {
	if f.test || strings.HasPrefix(f.pkg, "cmd/") {
		return nil
	}
	var wrong []string
	for pkg, names := range commandOnly {
		if names == nil && slices.Contains(f.imports(), pkg) {
			wrong = append(wrong, fmt.Sprintf("%s: only a command may import %s", f.path, pkg))
		}
		f.uses(pkg, func(name, at string) {
			if slices.Contains(names, name) {
				wrong = append(wrong, fmt.Sprintf("%s: only a command may use %s.%s", at, pkg, name))
			}
		})
	}
	return wrong
}

func checkSleep(f *sourceFile) []string {
	if f.test || sleepers[f.path] != "" {
		return nil
	}
	return sleeps(f)
}

// sleeps are the places where a file calls time.Sleep.
func sleeps(f *sourceFile) []string {
	var at []string
	f.uses("time", func(name, where string) {
		if name == "Sleep" {
			at = append(at, where+": wait for what you wait for, or give the reason in sleepers")
		}
	})
	return at
}

func checkLength(f *sourceFile) []string {
	if f.lines <= maxFileLines {
		return nil
	}
	return []string{fmt.Sprintf("%s: %d lines, want at most %d", f.path, f.lines, maxFileLines)}
}

// packageComment reports whether the file says what its package is.
func packageComment(f *sourceFile) bool {
	doc := f.syntax.Doc.Text()
	return strings.HasPrefix(doc, "Package "+f.syntax.Name.Name+" ") || strings.HasPrefix(doc, "Command ")
}
