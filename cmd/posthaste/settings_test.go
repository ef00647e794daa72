package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"posthaste/internal/app"
)

// cleanEnvironment removes variables of ours that the tests were started with.
func cleanEnvironment(t *testing.T) {
	t.Helper()
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "POSTHASTE_") {
			t.Setenv(name, value) // restores it after the test
			os.Unsetenv(name)
		}
	}
}

// posthaste runs the command and returns its exit code and what it printed.
func posthaste(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}

// effective is the configuration that the command line leads to.
func effective(t *testing.T, args ...string) map[string]any {
	t.Helper()
	code, stdout, stderr := posthaste(append([]string{"config", "print"}, args...)...)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var got map[string]any
	if err := yaml.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatalf("what is printed is no configuration file: %v\n%s", err, stdout)
	}
	return got
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "posthaste.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPrecedence(t *testing.T) {
	for _, c := range []struct {
		name, file string
		env        map[string]string
		args       []string
		setting    string
		want       string
		origin     string // "FILE" stands for the file's path
	}{
		{name: "default", setting: "partitions", want: "256", origin: "default"},
		{name: "file", file: "\npartitions: 3", setting: "partitions", want: "3", origin: "FILE:2"},
		{name: "environment", env: map[string]string{"POSTHASTE_PARTITIONS": "4"}, setting: "partitions", want: "4", origin: "POSTHASTE_PARTITIONS"},
		{name: "flag", args: []string{"--partitions=5"}, setting: "partitions", want: "5", origin: "flag"},
		{name: "environment beats file", file: "partitions: 3", env: map[string]string{"POSTHASTE_PARTITIONS": "4"}, setting: "partitions", want: "4", origin: "POSTHASTE_PARTITIONS"},
		{name: "flag beats file", file: "partitions: 3", args: []string{"--partitions=5"}, setting: "partitions", want: "5", origin: "flag"},
		{name: "flag beats all", file: "partitions: 3", env: map[string]string{"POSTHASTE_PARTITIONS": "4"}, args: []string{"--partitions=5"}, setting: "partitions", want: "5", origin: "flag"},
		{name: "a default on the command line is no default", file: "partitions: 3", args: []string{"--partitions=256"}, setting: "partitions", want: "256", origin: "flag"},
		{name: "off in the file", file: "allow-http: false", setting: "allow-http", want: "false", origin: "FILE:1"},
		{name: "off by flag", args: []string{"--no-allow-http"}, setting: "allow-http", want: "false", origin: "flag"},
		{name: "on by flag", file: "allow-http: false", args: []string{"--allow-http"}, setting: "allow-http", want: "true", origin: "flag"},
		{name: "off by environment", env: map[string]string{"POSTHASTE_ALLOW_HTTP": "false"}, setting: "allow-http", want: "false", origin: "POSTHASTE_ALLOW_HTTP"},
		{name: "list in the file", file: "egress-allow:\n  - 10.0.0.0/8\n  - fd00::/8 # ours", setting: "egress-allow", want: "[10.0.0.0/8 fd00::/8]", origin: "FILE:1"},
		{name: "list by environment", env: map[string]string{"POSTHASTE_EGRESS_ALLOW": "10.0.0.0/8,127.0.0.0/8"}, setting: "egress-allow", want: "[10.0.0.0/8 127.0.0.0/8]", origin: "POSTHASTE_EGRESS_ALLOW"},
		{name: "list by flag replaces", file: "egress-allow: [10.0.0.0/8]", args: []string{"--egress-allow=127.0.0.0/8"}, setting: "egress-allow", want: "[127.0.0.0/8]", origin: "flag"},
		{name: "size", file: "queue-bytes: 64 MiB", setting: "queue-bytes", want: "64MiB", origin: "FILE:1"},
		{name: "time", env: map[string]string{"POSTHASTE_SHUTDOWN_TIMEOUT": "90s"}, setting: "shutdown-timeout", want: "1m30s", origin: "POSTHASTE_SHUTDOWN_TIMEOUT"},
		{name: "empty file", file: "# nothing\n", setting: "partitions", want: "256", origin: "default"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cleanEnvironment(t)
			path := ""
			if c.file != "" {
				path = writeFile(t, c.file)
				t.Setenv("POSTHASTE_CONFIG", path)
			}
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			if got := fmt.Sprint(effective(t, c.args...)[c.setting]); got != c.want {
				t.Errorf("%s is %s, want %s", c.setting, got, c.want)
			}
			_, stdout, _ := posthaste(append([]string{"config", "print"}, c.args...)...)
			if want := "# " + strings.Replace(c.origin, "FILE", path, 1); !strings.HasSuffix(settingLine(stdout, c.setting), want) {
				t.Errorf("printed %q, want %q at its end", settingLine(stdout, c.setting), want)
			}
		})
	}
}

// settingLine is the line of a setting in what config print prints.
func settingLine(printed, setting string) string {
	for line := range strings.Lines(printed) {
		if strings.HasPrefix(line, setting+":") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		name, file string
		env        map[string]string
		args       []string
		want       []string // FILE stands for the file's path
	}{
		{name: "unknown key", file: "listen: 127.0.0.1:1\nadmin_lissten: x", want: []string{"FILE:2", `"admin_lissten"`, `"admin-listen"`}},
		{name: "the file in the file", file: "config: other.yaml", want: []string{"FILE:1", `"config"`}},
		{name: "duplicate key", file: "listen: a:1\nlisten: b:1", want: []string{"FILE", "already defined"}},
		{name: "not a mapping", file: "- listen", want: []string{"FILE:1"}},
		{name: "not YAML", file: "listen: [", want: []string{"FILE"}},
		{name: "two documents", file: "listen: a:1\n---\npartitions: 3", want: []string{"FILE", "second document"}},
		{name: "no value", file: "data:", want: []string{"FILE:1", "data"}},
		{name: "mapping as value", file: "data: {a: b}", want: []string{"FILE:1", "data"}},
		{name: "list of lists", file: "egress-allow: [[10.0.0.0/8]]", want: []string{"FILE:1", "egress-allow"}},
		{name: "bad value in the file", file: "\n\npartitions: many", want: []string{"--partitions", "FILE:3", "many"}},
		{name: "no file", args: []string{"--config", "/nonexistent.yaml"}, want: []string{"--config", "/nonexistent.yaml"}},
		{name: "out of range", file: "partitions: 70000", want: []string{"--partitions", "1 to 65536", "70000"}},
		{name: "zero is not the default", args: []string{"--max-in-flight=0"}, want: []string{"--max-in-flight", "1 to 1000000"}},
		{name: "everything at once", args: []string{"--partitions=0", "--endpoint-window=0"}, want: []string{"--partitions", "--endpoint-window"}},
		{name: "bad choice", args: []string{"--durability=maybe"}, want: []string{"--durability", "fsync", "relaxed", "maybe"}},
		{name: "bad choice in the file", file: "log-level: loud", want: []string{"--log-level", "debug", "loud"}},
		{name: "bad size", env: map[string]string{"POSTHASTE_QUEUE_BYTES": "1.5GB"}, want: []string{"POSTHASTE_QUEUE_BYTES", "--queue-bytes", "1GiB"}},
		{name: "bad network", args: []string{"--egress-allow=10.0.0.0"}, want: []string{"--egress-allow", "10.0.0.0"}},
		{name: "unknown variable", env: map[string]string{"POSTHASTE_PARTITION": "3"}, want: []string{"POSTHASTE_PARTITION,", "POSTHASTE_PARTITIONS"}},
		{name: "misspelt key variable", env: map[string]string{"POSTHASTE_ROOTKEY": "x"}, want: []string{rootKeyVariable}},
		{name: "unknown flag", args: []string{"--lissten=x"}, want: []string{"--lissten", "--listen"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cleanEnvironment(t)
			args, path := append([]string{"config", "check"}, c.args...), ""
			if c.file != "" {
				path = writeFile(t, c.file)
				args = append(args, "--config", path)
			}
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			code, _, stderr := posthaste(args...)
			if code != exitUsage {
				t.Errorf("exit %d, want %d", code, exitUsage)
			}
			for _, want := range c.want {
				if want = strings.Replace(want, "FILE", path, 1); !strings.Contains(stderr, want) {
					t.Errorf("%q does not say %q", stderr, want)
				}
			}
		})
	}
}

func TestCheckAccepts(t *testing.T) {
	cleanEnvironment(t)
	t.Setenv(rootKeyVariable, "a-key-for-everything")
	// What Kubernetes adds for services named posthaste and posthaste-admin.
	for name, value := range map[string]string{
		"POSTHASTE_SERVICE_HOST":             "10.0.0.1",
		"POSTHASTE_SERVICE_PORT":             "5005",
		"POSTHASTE_SERVICE_PORT_API":         "5005",
		"POSTHASTE_PORT":                     "tcp://10.0.0.1:5005",
		"POSTHASTE_PORT_5005_TCP":            "tcp://10.0.0.1:5005",
		"POSTHASTE_PORT_5005_TCP_ADDR":       "10.0.0.1",
		"POSTHASTE_ADMIN_PORT_5006_TCP_PORT": "5006",
	} {
		t.Setenv(name, value)
	}
	if code, stdout, stderr := posthaste("config", "check"); code != exitOK || !strings.Contains(stdout, "good") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
}

func TestExampleConfig(t *testing.T) {
	cleanEnvironment(t)
	const path = "../../posthaste.example.yaml"
	want := effective(t)
	if got := effective(t, "--config", path); !reflect.DeepEqual(got, want) {
		t.Errorf("the example's values are %v, the defaults are %v", got, want)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var shown map[string]any
	if err := yaml.Unmarshal(text, &shown); err != nil {
		t.Fatal(err)
	}
	for setting := range want {
		if _, ok := shown[setting]; !ok {
			t.Errorf("%s is not in the example", setting)
		}
	}
}

func TestDefaultsAreThoseOfTheServer(t *testing.T) {
	cleanEnvironment(t)
	var c cli
	parser, err := newParser(&c, os.Stdout, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"serve"}); err != nil {
		t.Fatal(err)
	}
	var want app.Options
	want.EnsureDefaults()
	got := c.Serve.options()
	want.AllowHTTP, want.Version, want.OnFatal = got.AllowHTTP, got.Version, nil
	want.ConsoleListen = "127.0.0.1:5007" // where the flag is empty there is no console
	if !reflect.DeepEqual(got, want) {
		t.Errorf("flags default to %+v, the server to %+v", got, want)
	}
}

func TestVariablesAreNamedAfterFlags(t *testing.T) {
	parser, err := newParser(&cli{}, os.Stdout, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Children {
		if command.Name != "serve" {
			continue
		}
		for _, f := range command.Flags {
			want := "POSTHASTE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
			if len(f.Envs) != 1 || f.Envs[0] != want {
				t.Errorf("--%s reads %v, want %s", f.Name, f.Envs, want)
			}
		}
		return
	}
	t.Error("there is no serve")
}

func TestByteSize(t *testing.T) {
	for text, want := range map[string]byteSize{
		"0": 0, "65536": 1 << 16, "64KiB": 1 << 16, "3 MiB": 3 << 20, " 1GiB ": 1 << 30, "2TiB": 2 << 40, "1025": 1025,
	} {
		var got, again byteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
		if err := again.UnmarshalText([]byte(got.String())); err != nil || again != got {
			t.Errorf("%d is written %s and read as %d, %v", got, got, again, err)
		}
	}
	for _, text := range []string{"", "KiB", "-1", "1.5MiB", "1kb", "9223372036854775808", "9000000TiB"} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken as %d", text, got)
		}
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"listen", "lisen", 1}, {"flaw", "lawn", 2}} {
		if got := editDistance(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := editDistance(c.b, c.a); got != c.want {
			t.Errorf("from %q to %q: %d, want %d", c.b, c.a, got, c.want)
		}
	}
	if got := nearest("lisen", []string{"data", "listen", "config"}); got != "listen" {
		t.Errorf("nearest is %q", got)
	}
}
