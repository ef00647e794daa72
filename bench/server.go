package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// How long a server may take to become ready and to stop.
const (
	serverReadyTimeout = 2 * time.Minute
	serverStopTimeout  = 30 * time.Second
	readyPoll          = 5 * time.Millisecond
)

// Server is the program itself, serving on loopback in a process of its own.
type Server struct {
	URL      string // of the API
	AdminURL string
	Console  string // URL of the console
	RootKey  string
	DataDir  string

	extra  []string // arguments
	killed bool
	child  *child
}

// StartServer starts a server over dataDir on free ports, with a root key made
// up for it and egress to loopback allowed, and waits until it is ready. Stop it
// in every case: it does not end with ctx, which bounds the start only.
func (l *Launcher) StartServer(ctx context.Context, dataDir string, extra ...string) (*Server, error) {
	free, err := freePorts(3)
	if err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	s := &Server{URL: "http://" + free[0], AdminURL: "http://" + free[1], Console: "http://" + free[2], RootKey: randomHex(32), DataDir: dataDir, extra: extra}
	if err := l.spawn(ctx, s); err != nil {
		return nil, err
	}
	if err := s.awaitReady(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// spawn starts the server's process, also again after its end: over the same
// directory, at the same addresses. It may not be ready yet.
func (l *Launcher) spawn(ctx context.Context, s *Server) (err error) {
	args := append(slices.Clone(l.Serve), "--data", s.DataDir, "--listen", strings.TrimPrefix(s.URL, "http://"),
		"--admin-listen", strings.TrimPrefix(s.AdminURL, "http://"), "--console-listen", strings.TrimPrefix(s.Console, "http://"),
		"--egress-allow", "127.0.0.0/8")
	cmd, errs := newCommand(context.WithoutCancel(ctx), l.Binary, append(args, s.extra...)...)
	cmd.Env = append(cmd.Env, "POSTHASTE_ROOT_KEY="+s.RootKey)
	cmd.Stdout = errs
	if s.child, err = start("server", cmd, errs); err != nil {
		return err
	}
	s.killed = false
	s.child.watch()
	return nil
}

// Stop has the server stop in its own way and waits for it. After Kill it does
// nothing.
func (s *Server) Stop() error {
	if s.killed {
		return nil
	}
	return s.child.terminate(serverStopTimeout)
}

// Kill ends the server as kill -9 does and waits for its end. The error says that
// it had ended by itself before.
func (s *Server) Kill() error {
	select {
	case <-s.child.exited:
		if s.killed {
			return nil
		}
		return s.child.explain(errors.New("ended before it was killed"))
	default:
	}
	s.killed = true
	_ = s.child.cmd.Process.Kill()
	<-s.child.exited
	return nil
}

// Exited is closed when the server has ended, for whatever reason.
func (s *Server) Exited() <-chan struct{} { return s.child.exited }

func (s *Server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, serverReadyTimeout)
	defer cancel()
	client := &http.Client{Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	for {
		err := probeReady(ctx, client, s.AdminURL+"/readyz")
		if err == nil {
			return nil
		}
		select {
		case <-s.child.exited:
			return s.child.explain(errors.New("ended before it was ready"))
		case <-ctx.Done():
			return s.child.explain(fmt.Errorf("not ready: %w (last: %w)", ctx.Err(), err))
		case <-time.After(readyPoll):
		}
	}
}

func probeReady(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return nil
}

// The ports of the servers that are started: below those that Linux gives to connections and
// to listeners that ask for any (net.ipv4.ip_local_port_range), so that it gives none of them
// away before it is used.
const (
	firstPort = 7000
	ports     = 4000
)

// freePorts finds n loopback addresses that nobody listens on. Another program that
// wants one of them may take it before it is used.
func freePorts(n int) (free []string, err error) {
	var listeners []net.Listener
	for tries := 0; len(free) < n && tries < ports; tries++ {
		ln, listenErr := net.Listen("tcp", fmt.Sprint("127.0.0.1:", firstPort+mathrand.IntN(ports)))
		if listenErr != nil {
			err = listenErr
			continue
		}
		listeners = append(listeners, ln)
		free = append(free, ln.Addr().String())
	}
	if len(free) == n {
		err = nil
	}
	for _, ln := range listeners {
		err = errors.Join(err, ln.Close())
	}
	return free, err
}

// randomHex makes a key of n random bytes.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}
