package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"posthaste/internal/app"
)

func TestSecretsAreMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := openSecrets(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if !first.generated || len(first.pepper) != app.PepperBytes {
		t.Fatalf("first start: %+v", first)
	}
	o := app.Options{InstanceKey: first.instanceKey, Pepper: first.pepper, SecretKeys: first.secretKeys}
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{instanceKeyFile, pepperFile, secretKeysFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 0600", name, info.Mode(), err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 3 {
		t.Errorf("%d files, want the three of keys and nothing else", len(entries))
	}

	second, err := openSecrets(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if second.generated || second.instanceKey != first.instanceKey || string(second.pepper) != string(first.pepper) || string(second.secretKeys) != string(first.secretKeys) {
		t.Errorf("second start: %+v, want %+v and not new", second, first)
	}
}

func TestRootKeyBeatsTheFile(t *testing.T) {
	dir := t.TempDir()
	got, err := openSecrets(dir, "from-the-environment")
	if err != nil {
		t.Fatal(err)
	}
	if got.instanceKey != "from-the-environment" || got.generated {
		t.Errorf("got %+v", got)
	}
	if _, err := os.Stat(filepath.Join(dir, instanceKeyFile)); !os.IsNotExist(err) {
		t.Errorf("a key that nobody needs was written: %v", err)
	}
}

func TestBadKeyFiles(t *testing.T) {
	pepper := strings.Repeat("ab", app.PepperBytes)
	for _, c := range []struct {
		name string
		make func(dir string) error
		want []string
	}{
		{"key seen by group", func(dir string) error { return writeMode(dir, instanceKeyFile, "a-key-for-everything", 0o640) }, []string{instanceKeyFile, "0640", "chmod 600"}},
		{"key seen by all", func(dir string) error { return writeMode(dir, instanceKeyFile, "a-key-for-everything", 0o604) }, []string{instanceKeyFile, "0604"}},
		{"pepper seen by all", func(dir string) error { return writeMode(dir, pepperFile, pepper, 0o644) }, []string{pepperFile, "0644"}},
		{"empty key", func(dir string) error { return writeMode(dir, instanceKeyFile, "\n", 0o600) }, []string{instanceKeyFile, "damaged"}},
		{"key without end", func(dir string) error {
			return writeMode(dir, instanceKeyFile, strings.Repeat("a", maxKeyFileBytes+1), 0o600)
		}, []string{instanceKeyFile, "damaged"}},
		{"key is a directory", func(dir string) error { return os.Mkdir(filepath.Join(dir, instanceKeyFile), 0o700) }, []string{instanceKeyFile, "not a file"}},
		{"short pepper", func(dir string) error { return writeMode(dir, pepperFile, pepper[2:], 0o600) }, []string{pepperFile, "damaged", "64"}},
		{"pepper is no hex", func(dir string) error { return writeMode(dir, pepperFile, "x"+pepper[1:], 0o600) }, []string{pepperFile, "damaged"}},
		{"pepper of a store is gone", func(dir string) error {
			store := filepath.Join(dir, "store")
			if err := os.Mkdir(store, 0o700); err != nil {
				return err
			}
			return writeMode(store, "MANIFEST-000001", "", 0o600)
		}, []string{pepperFile, "missing", "backup"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := c.make(dir); err != nil {
				t.Fatal(err)
			}
			_, err := openSecrets(dir, "")
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "a-key-for-everything") || strings.Contains(err.Error(), pepper[4:]) {
				t.Errorf("%q shows the key", err)
			}
		})
	}
}

func writeMode(dir, name, text string, mode os.FileMode) error {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return err
	}
	return os.Chmod(path, mode) // whatever the umask
}

func TestWriteKeyFileLeavesAnExistingOneAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), instanceKeyFile)
	if err := writeKeyFile(path, "first"); err != nil {
		t.Fatal(err)
	}
	if err := writeKeyFile(path, "second"); err == nil {
		t.Error("no error")
	}
	if key, err := readKeyFile(path); key != "first" || err != nil {
		t.Errorf("the file holds %q, %v", key, err)
	}
}

func TestSecretKeysRotate(t *testing.T) {
	dir := t.TempDir()
	first, err := openSecrets(dir, "from-the-environment")
	if err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	if code := run([]string{"secrets", "rotate", "--data", dir}, &out, &errs); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	second, err := openSecrets(dir, "from-the-environment")
	if err != nil {
		t.Fatal(err)
	}
	keys := func(text []byte) (lines []string) {
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				lines = append(lines, line)
			}
		}
		return lines
	}
	was, is := keys(first.secretKeys), keys(second.secretKeys)
	if len(was) != 1 || len(is) != 2 || is[1] != was[0] || is[0] == was[0] {
		t.Errorf("the keys were %d and are %d; the old one must come second", len(was), len(is))
	}
	if info, err := os.Stat(filepath.Join(dir, secretKeysFile)); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if code := run([]string{"secrets", "rotate", "--data", t.TempDir()}, &out, &errs); code != exitError {
		t.Errorf("without a file: exit %d", code)
	}
}
