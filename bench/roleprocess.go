package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Launcher says how to start this program again in another role.
type Launcher struct {
	Binary string        // path of the program
	Role   []string      // arguments of the role sub-command; the role's name is added
	Serve  []string      // arguments of the server sub-command; its flags are added
	Limit  time.Duration // hard limit on the life of a role process
}

// roleProcess is a role in a process of its own. One call at a time.
type roleProcess struct {
	*child
	stdin io.WriteCloser
	enc   *json.Encoder
	dec   *json.Decoder
	addr  string // where it listens
}

// startRole starts a role process and waits until it is ready. It is killed when
// ctx is done.
func (l *Launcher) startRole(ctx context.Context, role string, cfg roleConfig) (*roleProcess, error) {
	cfg.Limit = l.Limit
	cmd, errs := newCommand(ctx, l.Binary, append(slices.Clone(l.Role), role)...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", role, err), stdin.Close())
	}
	c, err := start(role, cmd, errs)
	if err != nil {
		return nil, err
	}
	p := &roleProcess{child: c, stdin: stdin, enc: json.NewEncoder(stdin), dec: json.NewDecoder(stdout)}
	hello, err := p.exchange(cfg)
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	p.addr = hello.Addr
	return p, nil
}

// call has the process carry out one command.
func (p *roleProcess) call(cmd roleCommand) (roleReply, error) {
	reply, err := p.exchange(cmd)
	if err != nil {
		return reply, fmt.Errorf("%s: %w", cmd.Op, err)
	}
	return reply, nil
}

func (p *roleProcess) exchange(line any) (reply roleReply, err error) {
	if err := p.enc.Encode(line); err != nil {
		return reply, p.explain(err)
	}
	if err := p.dec.Decode(&reply); err != nil {
		return reply, p.explain(err)
	}
	if reply.Error != "" {
		return reply, fmt.Errorf("%s: %s", p.name, reply.Error)
	}
	return reply, nil
}

// stop ends the process and waits for it.
func (p *roleProcess) stop() error { return p.hangUp(p.stdin) }
