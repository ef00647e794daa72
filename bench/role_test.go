package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// roleUnderTest runs a role over pipes.
type roleUnderTest struct {
	in   *io.PipeWriter
	enc  *json.Encoder
	dec  *json.Decoder
	done chan error
}

func playRole(t *testing.T, role string, cfg roleConfig) *roleUnderTest {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	r := &roleUnderTest{in: inW, enc: json.NewEncoder(inW), dec: json.NewDecoder(outR), done: make(chan error, 1)}
	go func() {
		err := RunRole(context.Background(), role, inR, outW)
		_ = inR.Close()
		_ = outW.Close()
		r.done <- err
	}()
	cfg.Limit = time.Minute
	if err := r.enc.Encode(cfg); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *roleUnderTest) reply(t *testing.T) (reply roleReply) {
	t.Helper()
	if err := r.dec.Decode(&reply); err != nil {
		t.Fatal(err)
	}
	return reply
}

func (r *roleUnderTest) ask(t *testing.T, cmd roleCommand) roleReply {
	t.Helper()
	if err := r.enc.Encode(cmd); err != nil {
		t.Fatal(err)
	}
	return r.reply(t)
}

func (r *roleUnderTest) end(t *testing.T) {
	t.Helper()
	_ = r.in.Close()
	if err := <-r.done; err != nil {
		t.Errorf("the role ended with %v", err)
	}
}

func TestRolesTogether(t *testing.T) {
	const n = 300
	receiver := playRole(t, RoleReceiver, roleConfig{Host: "127.0.0.1", Secret: "s"})
	defer receiver.end(t)
	target := receiver.reply(t).Addr
	pipe := playRole(t, RoleNullPipe, roleConfig{Target: target, MaxConns: 2})
	defer pipe.end(t)
	load := &Load{Mode: ModeSingle, URL: "http://" + pipe.reply(t).Addr, Endpoints: []string{"E"}, Connections: 2, PayloadBytes: 200}
	generator := playRole(t, RoleGenerator, roleConfig{Load: load})
	defer generator.end(t)
	if hello := generator.reply(t); hello.Error != "" {
		t.Fatal(hello.Error)
	}
	receiver.ask(t, roleCommand{Op: opBegin, First: 5, Capacity: n})
	burst := generator.ask(t, roleCommand{Op: opRun, Burst: &Burst{First: 5, Max: n, For: time.Minute}})
	if burst.Error != "" || burst.Burst.Published != n {
		t.Errorf("generator: %+v", burst)
	}
	if got := receiver.ask(t, roleCommand{Op: opCount}); got.Count != n {
		t.Errorf("count %d, want %d", got.Count, n)
	}
	if got := receiver.ask(t, roleCommand{Op: opReceipts, Published: n}).Receipts; got.Delivered != n || got.Lost != 0 {
		t.Errorf("receipts %+v", got)
	}
	for _, r := range []*roleUnderTest{receiver, generator, pipe} {
		if got := r.ask(t, roleCommand{Op: "dance"}); !strings.Contains(got.Error, "unknown command") {
			t.Errorf("an unknown command is answered %+v", got)
		}
	}
}

func TestRunRoleRefuses(t *testing.T) {
	cases := []struct{ name, role, in, want string }{
		{"no configuration", RoleReceiver, "", "EOF"},
		{"no limit", RoleReceiver, `{"host":"127.0.0.1"}`, "limit"},
		{"unknown role", "tenor", `{"limit":1000000000}`, "tenor"},
		{"no load", RoleGenerator, `{"limit":1000000000}`, "load"},
		{"bad load", RoleGenerator, `{"limit":1000000000,"load":{"url":"http://h"}}`, "connections"},
		{"bad host", RoleReceiver, `{"limit":1000000000,"host":"256.0.0.1"}`, "receiver"},
		{"bad command", RoleReceiver, `{"limit":60000000000,"host":"127.0.0.1"} nonsense`, "command"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := RunRole(context.Background(), c.role, strings.NewReader(c.in), &out)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// The limit ends a role whose parent neither speaks nor goes away.
func TestRunRoleLimit(t *testing.T) {
	in, parent := io.Pipe()
	defer parent.Close()
	go func() { _, _ = io.WriteString(parent, `{"limit":20000000,"host":"127.0.0.1"}`) }()
	err := RunRole(context.Background(), RoleReceiver, in, io.Discard)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}
