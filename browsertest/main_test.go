package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"posthaste/browsertest/tab"
)

// What all tests share: one browser, one server with its receivers, and the table that is
// printed at the end.
var (
	chrome  *tab.Browser
	shared  *server
	summary = &report{}
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	begin := time.Now()
	path := tab.Binary()
	if path == "" {
		fmt.Println("SKIPPED: no Chromium is installed here, so nothing was tested in a browser. browsertest/chromium installs it; CHROMIUM names one that is elsewhere.")
		return 0
	}
	dir, err := os.MkdirTemp("", "posthaste-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program, err := build(dir)
	if err == nil {
		shared, err = startServer(program, filepath.Join(dir, "data"))
	}
	if err == nil {
		err = shared.launch()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer shared.stop()
	if chrome, err = tab.Start(context.Background(), path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer chrome.Stop()
	code := m.Run()
	summary.print(os.Stdout, time.Since(begin))
	return code
}

// build is the program under test: the one that POSTHASTE names, or one that is made from
// the module around this one.
func build(dir string) (string, error) {
	if path := os.Getenv("POSTHASTE"); path != "" {
		return path, nil
	}
	path := filepath.Join(dir, "posthaste")
	command := exec.Command("go", "build", "-o", path, "./cmd/posthaste")
	command.Dir = ".."
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
}
