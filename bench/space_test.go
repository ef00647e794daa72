package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func writeFile(t *testing.T, path string, size int) {
	t.Helper()
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDiskUse(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"1.sst": 100_000, "sub/2.sst": 50_000, "3.blob": 200_000, "4.log": 30_000, "MANIFEST-5": 10, "pepper.key": 10} {
		writeFile(t, filepath.Join(dir, name), size)
	}
	u, err := diskUseOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	atLeast := func(what string, got, size int64) {
		if got < size || got > size+64<<10 {
			t.Errorf("%s: %d bytes for %d", what, got, size)
		}
	}
	atLeast("tables", u.Tables, 150_000)
	atLeast("blobs", u.Blobs, 200_000)
	atLeast("logs", u.Logs, 30_000)
	atLeast("other", u.Other, 20)
	atLeast("total", u.Total(), 380_020)
	if _, err := diskUseOf(filepath.Join(dir, "none")); err == nil {
		t.Error("a directory that does not exist is empty")
	}
}

func TestSettle(t *testing.T) {
	dir := t.TempDir()
	looks := 0
	grow := func(int) {
		looks++
		_ = os.WriteFile(filepath.Join(dir, fmt.Sprint(looks, ".sst")), make([]byte, 4*settleSlack), 0o600)
	}
	s := settling{quiet: 10 * settlePoll, limit: 12 * settlePoll}
	_, settled, err := s.settle(context.Background(), dir, grow)
	if settled || err != nil {
		t.Errorf("settled while it grew: %t, %v", settled, err)
	}
	s = settling{quiet: 2 * settlePoll, limit: time.Minute}
	u, settled, err := s.settle(context.Background(), dir, func(int) {})
	if !settled || err != nil || u.Tables == 0 {
		t.Errorf("%+v, %t, %v", u, settled, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := s.settle(ctx, dir, func(int) {}); err == nil {
		t.Error("it goes on when it is to end")
	}
}

func TestAwaitRecorded(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "# TYPE posthaste_settlements_total counter\nposthaste_settlements_total %d\nother 1\n", 10*asked.Add(1))
	}))
	defer server.Close()
	s := settling{limit: time.Minute}
	if err := s.awaitRecorded(context.Background(), server.URL, 25); err != nil || asked.Load() != 3 {
		t.Errorf("%v after %d questions", err, asked.Load())
	}
	s.limit = 0
	if err := s.awaitRecorded(context.Background(), server.URL, 1000); err == nil || !strings.Contains(err.Error(), "40 outcomes are recorded, of 1000") {
		t.Errorf("error %v", err)
	}
	if _, known, err := adminMetric(context.Background(), server.URL, "posthaste_settlements"); known || err != nil {
		t.Errorf("half a name is known: %t, %v", known, err)
	}
	silent := httptest.NewServer(http.NotFoundHandler())
	defer silent.Close()
	if err := s.awaitRecorded(context.Background(), silent.URL, 1000); err != nil {
		t.Errorf("a server without metrics: %v", err)
	}
}

func TestSpaceRow(t *testing.T) {
	o := quickOptions(t, faultNone)
	o.Repeat, o.Payloads = 2, writePayloads(t, payloadLines)
	o.EnsureDefaults()
	r := &runner{Options: o, progress: NewProgress(nil), secret: randomHex(16)}
	const posted = 300_000
	row, err := r.spaceOf(context.Background(), spaceSize{posted, settling{quiet: settlePoll, limit: time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	events := posted / spacePayload
	if len(row.Runs) != 2 || row.Lost != 0 || row.Verified == 0 || row.Published < 4*events+1000 || row.BaselineValue != float64(events*spacePayload) {
		t.Errorf("row %+v", row)
	}
	if row.Value < 1 || row.Value > 1.25 || row.Target != 1.25 || len(row.Checks) != 2 || row.Checks[1].Value != row.Value || row.Checks[1].Met {
		t.Errorf("value %v, checks %+v", row.Value, row.Checks)
	}
	names := map[string]float64{}
	for _, f := range row.Figures {
		names[f.Name] = f.Value
	}
	if names["incompressible tables"] < fakeTableBytes || names["json logs"] != 0 || names["payloads file"] == 0 || names["incompressible compressed by zstd alone"] < 0.92 {
		t.Errorf("figures %v", names)
	}
	if _, known := names["json left to compact"]; known {
		t.Error("a figure that the server did not tell")
	}
	checkEmpty(t, o.DataRoot)
}

func TestSpaceRowLoses(t *testing.T) {
	o := quickOptions(t, faultLose)
	o.TailLimit = 300 * time.Millisecond
	o.EnsureDefaults()
	r := &runner{Options: o, progress: NewProgress(nil), secret: randomHex(16)}
	row, err := r.spaceOf(context.Background(), spaceSize{200_000, settling{quiet: settlePoll, limit: time.Second}})
	if row != nil || err == nil || !strings.Contains(err.Error(), "did not arrive") {
		t.Errorf("row %+v, error %v", row, err)
	}
	checkEmpty(t, o.DataRoot)
}
