package test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// driverVariable makes the test's own program the driver of a test that needs more descriptors than
// one process should have: "ADDRESS CONNECTIONS SPEAKERS".
const driverVariable = "TEST_IDLE_DRIVER"

// portsPerAddress is how many connections come from one loopback address: the system has some 28,000
// ports for them.
const portsPerAddress = 20_000

// drive opens connections and leaves them idle, the first of them after one request. It prints what
// became of them whenever it reads a line, and ends with its input.
func drive(job string) int {
	var address string
	var n, speakers int
	if _, err := fmt.Sscan(job, &address, &n, &speakers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	conns := make([]net.Conn, n)
	var next, failed atomic.Int64
	var dialers sync.WaitGroup
	for range 8 {
		dialers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i/portsPerAddress))}
				d := net.Dialer{LocalAddr: from, Timeout: 30 * time.Second, KeepAlive: -1}
				c, err := d.Dial("tcp", address)
				if err != nil {
					failed.Add(1)
					continue
				}
				if i < speakers {
					speak(c)
				}
				conns[i] = c
			}
		})
	}
	dialers.Wait()
	in := bufio.NewScanner(os.Stdin)
	for {
		open, refused := look(conns)
		fmt.Println(open, refused, failed.Load())
		if !in.Scan() {
			return 0
		}
	}
}

// speak makes one request.
func speak(c net.Conn) {
	_, _ = io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: idle\r\n\r\n")
	buf := make([]byte, 4096)
	for n := 0; n < len(buf); {
		got, err := c.Read(buf[n:])
		if n += got; err != nil || bytes.Contains(buf[:n], []byte("ready\n")) {
			return
		}
	}
}

// look counts the connections that are open, and those that were answered 503 unasked.
func look(conns []net.Conn) (open, refused int) {
	buf := make([]byte, 64)
	for _, c := range conns {
		if c == nil {
			continue
		}
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			continue
		}
		_ = raw.Read(func(fd uintptr) bool {
			n, _, err := syscall.Recvfrom(int(fd), buf, syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			switch {
			case err == syscall.EAGAIN:
				open++
			case n > 0 && bytes.HasPrefix(buf[:n], []byte("HTTP/1.1 503 ")):
				refused++
			}
			return true
		})
	}
	return open, refused
}

// driver is the child that holds idle connections.
type driver struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
}

// newDriver opens n connections to an address, of which the first speakers make one request, and
// returns when all are open, or refused.
func newDriver(t *testing.T, address string, n, speakers int) *driver {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", driverVariable, address, n, speakers))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	d := &driver{t: t}
	d.in, err = cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.out = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = d.in.Close()
		_ = cmd.Wait()
	})
	return d
}

// read reads what the driver counts.
func (d *driver) read() (open, refused, failed int) {
	d.t.Helper()
	line, err := d.out.ReadString('\n')
	if err == nil {
		_, err = fmt.Sscan(line, &open, &refused, &failed)
	}
	if err != nil {
		d.t.Fatalf("the driver of idle connections: %v", err)
	}
	return open, refused, failed
}

// look has the driver count once more.
func (d *driver) look() (open, refused, failed int) {
	d.t.Helper()
	if _, err := io.WriteString(d.in, "\n"); err != nil {
		d.t.Fatal(err)
	}
	return d.read()
}

// moreDescriptors raises how many files this process and its children may open, if it may, and returns
// how many they may.
func moreDescriptors(t *testing.T, want int) int {
	t.Helper()
	n := uint64(want)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: n, Max: n}); err == nil {
		return want
	}
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		t.Fatal(err)
	}
	r.Cur = r.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		t.Fatal(err)
	}
	return int(min(r.Cur, n))
}
