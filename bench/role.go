package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// The roles a process of a measurement may have.
const (
	RoleReceiver  = "receiver"
	RoleGenerator = "generator"
	RoleNullPipe  = "nullpipe"
)

// roleConfig is the first line a role process reads.
type roleConfig struct {
	Limit    time.Duration `json:"limit"`              // the process ends after this, whatever happens
	Host     string        `json:"host,omitempty"`     // receiver: where to listen
	Secret   string        `json:"secret,omitempty"`   // receiver: of all endpoints
	Fanout   int           `json:"fanout,omitzero"`    // receiver: endpoints that each event is owed to; 0: one
	Target   string        `json:"target,omitempty"`   // null pipe: host:port of the receiver
	MaxConns int           `json:"max_conns,omitzero"` // null pipe
	Load     *Load         `json:"load,omitempty"`     // generator
}

// roleCommand is each further line.
type roleCommand struct {
	Op        string `json:"op"`
	Burst     *Burst `json:"burst,omitempty"`     // run
	First     uint64 `json:"first,omitempty"`     // begin; arrived
	Capacity  int    `json:"capacity,omitempty"`  // begin, note arrivals
	Published int    `json:"published,omitempty"` // receipts
	Every     int    `json:"every,omitempty"`     // arrived

	// note arrivals: of the endpoints up to, not including, To
	// arrivals: of the endpoint From
	// behave: how the endpoints From up to, not including, To answer from now on
	From      int       `json:"from,omitempty"`
	To        int       `json:"to,omitempty"` // of split: of the endpoints that stay healthy
	Behaviour Behaviour `json:"behaviour,omitempty"`
}

// The commands: run is the generator's, the others are the receiver's.
const (
	opRun      = "run"
	opBegin    = "begin"
	opCount    = "count"
	opReceipts = "receipts"
	opBehave   = "behave"
	opArrived  = "arrived"
	opSplit    = "split"

	opNoteArrivals = "note-arrivals"
	opArrivals     = "arrivals"
)

// roleReply answers the config line and each command.
type roleReply struct {
	Error    string       `json:"error,omitempty"`
	Addr     string       `json:"addr,omitempty"`    // of the listener, in the first reply
	Count    int          `json:"count,omitempty"`   // distinct deliveries so far; arrived: of those asked for
	Healthy  int          `json:"healthy,omitempty"` // of them, at endpoints that stay healthy
	Burst    *BurstResult `json:"burst,omitempty"`
	Receipts *Receipts    `json:"receipts,omitempty"`
	Arrivals []int64      `json:"arrivals,omitempty"` // Unix nanoseconds, in order
}

// player is a role in progress.
type player interface {
	// play carries one command out.
	play(ctx context.Context, cmd roleCommand) (roleReply, error)
	// end stops the role and waits for its goroutines.
	end() error
}

// RunRole is the whole life of a role process: it reads a roleConfig and then
// commands from in, one JSON value a line, answers each on out, and ends when in
// does, when ctx is done or when the time limit is up. In the latter two cases
// one goroutine stays behind, blocked in reading in, until that is closed.
func RunRole(ctx context.Context, role string, in io.Reader, out io.Writer) error {
	dec, enc := json.NewDecoder(in), json.NewEncoder(out)
	var cfg roleConfig
	if err := dec.Decode(&cfg); err != nil {
		return fmt.Errorf("%s: configuration: %w", role, err)
	}
	if cfg.Limit <= 0 {
		return fmt.Errorf("%s: configuration: limit %s must be more than 0", role, cfg.Limit)
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Limit)
	defer cancel()
	p, addr, err := startPlayer(role, cfg)
	if err != nil {
		return errors.Join(err, enc.Encode(roleReply{Error: err.Error()}))
	}
	err = enc.Encode(roleReply{Addr: addr})
	if err == nil {
		err = obey(ctx, p, dec, enc)
	}
	return errors.Join(err, p.end())
}

func startPlayer(role string, cfg roleConfig) (player, string, error) {
	switch role {
	case RoleReceiver:
		r, err := StartReceiver(cfg.Host, cfg.Secret, cfg.Fanout)
		if err != nil {
			return nil, "", err
		}
		return receiverRole{r}, r.Addr(), nil
	case RoleNullPipe:
		p, err := StartNullPipe(cfg.Target, cfg.MaxConns)
		if err != nil {
			return nil, "", err
		}
		return nullPipeRole{p}, p.Addr(), nil
	case RoleGenerator:
		if cfg.Load == nil {
			return nil, "", errors.New("generator: configuration: load is missing")
		}
		g, err := NewGenerator(*cfg.Load)
		if err != nil {
			return nil, "", err
		}
		return generatorRole{g}, "", nil
	}
	return nil, "", fmt.Errorf("role %q is not one of %s, %s, %s", role, RoleReceiver, RoleGenerator, RoleNullPipe)
}

// obey carries commands out until they end.
func obey(ctx context.Context, p player, dec *json.Decoder, enc *json.Encoder) error {
	commands := make(chan roleCommand)
	ended := make(chan error, 1)
	go readCommands(ctx, dec, commands, ended)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return err
		case cmd := <-commands:
			reply, err := p.play(ctx, cmd)
			if err != nil {
				reply = roleReply{Error: err.Error()}
			}
			if err := enc.Encode(reply); err != nil {
				return fmt.Errorf("reply to %s: %w", cmd.Op, err)
			}
		}
	}
}

// readCommands passes commands on; the end of the input is an ordinary end.
func readCommands(ctx context.Context, dec *json.Decoder, commands chan<- roleCommand, ended chan<- error) {
	for {
		var cmd roleCommand
		err := dec.Decode(&cmd)
		if errors.Is(err, io.EOF) {
			ended <- nil
			return
		}
		if err != nil {
			ended <- fmt.Errorf("command: %w", err)
			return
		}
		select {
		case commands <- cmd:
		case <-ctx.Done():
			return
		}
	}
}

type receiverRole struct{ *Receiver }

func (r receiverRole) end() error { return r.Close() }

func (r receiverRole) play(_ context.Context, cmd roleCommand) (roleReply, error) {
	switch cmd.Op {
	case opBegin:
		r.Begin(cmd.First, cmd.Capacity)
		return roleReply{}, nil
	case opCount:
		return roleReply{Count: r.Distinct(), Healthy: r.HealthyDistinct()}, nil
	case opReceipts:
		receipts := r.Receipts(cmd.Published)
		return roleReply{Receipts: &receipts}, nil
	case opArrived:
		return roleReply{Count: r.ledger.Load().Arrived(cmd.First, cmd.Every)}, nil
	case opBehave:
		return roleReply{}, r.Behave(cmd.From, cmd.To, cmd.Behaviour)
	case opSplit:
		r.Split(cmd.To)
		return roleReply{}, nil
	case opNoteArrivals:
		return roleReply{}, r.NoteArrivals(cmd.To, cmd.Capacity)
	case opArrivals:
		return roleReply{Arrivals: r.Arrivals(cmd.From)}, nil
	}
	return roleReply{}, fmt.Errorf("receiver: unknown command %q", cmd.Op)
}

type generatorRole struct{ *Generator }

func (g generatorRole) end() error { g.Close(); return nil }

func (g generatorRole) play(ctx context.Context, cmd roleCommand) (roleReply, error) {
	if cmd.Op != opRun || cmd.Burst == nil {
		return roleReply{}, fmt.Errorf("generator: unknown command %q", cmd.Op)
	}
	result, err := g.Run(ctx, *cmd.Burst)
	return roleReply{Burst: &result}, err
}

type nullPipeRole struct{ *NullPipe }

func (p nullPipeRole) end() error { return p.Close() }

func (p nullPipeRole) play(_ context.Context, cmd roleCommand) (roleReply, error) {
	return roleReply{}, fmt.Errorf("null pipe: unknown command %q", cmd.Op)
}
