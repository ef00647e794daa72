package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// version is set by the build: -ldflags "-X main.version=v1.2.3". Without it
// the build information of the binary speaks.
var version string

// versionCmd prints what is running.
type versionCmd struct{}

// Run prints one line.
func (versionCmd) Run(ctx *kong.Context) error {
	v, revision := buildVersion()
	_, err := fmt.Fprintf(ctx.Stdout, "posthaste %s (revision %s, %s %s/%s)\n", v, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// buildVersion is the version and the revision of the source; "dev" and
// "unknown" where the build does not say.
func buildVersion() (v, revision string) {
	v = version
	if info, ok := debug.ReadBuildInfo(); ok {
		if module := info.Main.Version; module != "(devel)" {
			v = cmp.Or(v, module)
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return cmp.Or(v, "dev"), cmp.Or(revision, "unknown")
}
