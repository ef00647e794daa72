package main

import (
	"fmt"
	"io"
	"net/netip"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"

	"posthaste/internal/app"
)

// configCmd shows what serve would run with. It touches no data directory.
type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Say what is wrong with the configuration, if anything."`
	Print configPrintCmd `cmd:"" help:"Print every setting, and where its value comes from."`
}

// configCheckCmd takes the flags of serve: by the time it runs, they are checked.
type configCheckCmd struct{ settings }

// Run says that all is well.
func (c *configCheckCmd) Run(ctx *kong.Context) error {
	_, err := fmt.Fprintln(ctx.Stdout, "The configuration is good.")
	return err
}

// configPrintCmd takes the flags of serve.
type configPrintCmd struct{ settings }

// Run prints a configuration file that has the same effect. Keys and peppers
// are not settings, so there is nothing in it to hide.
func (c *configPrintCmd) Run(ctx *kong.Context) error {
	for _, flag := range ctx.Selected().Flags {
		if flag.Name == "config" || flag.Name == "help" {
			continue
		}
		if err := printSetting(ctx.Stdout, flag, c.origin(ctx, flag)); err != nil {
			return err
		}
	}
	return nil
}

func printSetting(w io.Writer, flag *kong.Flag, origin string) error {
	text, err := yaml.MarshalWithOptions(settingValue(flag.Target.Interface()), yaml.Flow(true))
	if err != nil {
		return fmt.Errorf("print --%s: %w", flag.Name, err)
	}
	_, err = fmt.Fprintf(w, "%s: %s # %s\n", flag.Name, text[:len(text)-1], origin)
	return err
}

// settingValue is a setting's value as a configuration file holds it.
func settingValue(v any) any {
	switch v := v.(type) {
	case []netip.Prefix:
		return texts(v)
	case []app.PortRange:
		return texts(v)
	case fmt.Stringer:
		return v.String()
	default:
		return v
	}
}

func texts[T fmt.Stringer](values []T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.String()
	}
	return list
}
