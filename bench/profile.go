package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// profileOf is the file for a scenario's CPU profile: of its last repeat, and
// with the scenario's name in it when there are several.
func (r *runner) profileOf(name string, repeat int) string {
	if r.CPUProfile == "" || repeat != r.Repeat {
		return ""
	}
	if len(r.Scenarios) == 1 {
		return r.CPUProfile
	}
	ext := filepath.Ext(r.CPUProfile)
	return strings.TrimSuffix(r.CPUProfile, ext) + "." + name + ext
}

// fetchProfile has the server profile itself for d and writes the profile to a
// file. It returns when the profile is complete.
func fetchProfile(ctx context.Context, adminURL string, d time.Duration, file string) error {
	url := fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", adminURL, max(int(d.Seconds()), 1))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: new(http.Transport), Timeout: d + time.Minute}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("cpu profile: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("cpu profile: %s answers %s", url, resp.Status)
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("cpu profile: %w", err)
	}
	_, err = io.Copy(f, resp.Body)
	return errors.Join(err, f.Close())
}
