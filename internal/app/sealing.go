package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"posthaste/event"
	"posthaste/internal/seal"
)

// sealing is how far it is with a new key for secrets. What it does:
//
//	key file ─► catalog: seals under the new key from here on
//	         ─► audit log: begun ─► every record anew ─► tables rewritten ─► audit log: done
//
// Both keys stay in the file until the last step. A crash before it leaves records under
// either; the next start finds those under the older one and writes them anew.
type sealing struct {
	wake chan struct{} // has room for one

	mu    sync.Mutex // guards what follows; held while the key file is read
	state event.Sealing
	by    event.Audit // who asked
	older string      // the key that sealed before
}

// resealAction is how the audit log calls it.
const resealAction = "secrets.reseal"

// Reseal reads the keys for secrets again. If there is a new one in front, secrets are
// sealed under it from now on, and those that are stored are written anew in the
// background; see Sealing. An error that is an event.InvalidError is about the key file,
// and nothing has changed. Any goroutine may call it once the server has started. by is
// who asked; its zero value is the operator, by a signal.
func (a *App) Reseal(by event.Audit) (event.Sealing, error) {
	keys, err := a.readSecretKeys()
	if err != nil {
		return event.Sealing{}, event.Invalid("", "the keys for secrets: %s", err)
	}
	box, err := seal.Open(keys)
	if err != nil {
		return event.Sealing{}, event.Invalid("", "the keys for secrets: %s", err)
	}
	s := &a.sealing
	s.mu.Lock()
	defer s.mu.Unlock()
	_, before := a.catalog.Unsealed()
	left, err := a.catalog.Rekey(box)
	if err != nil {
		return event.Sealing{}, err
	}
	s.state.KeyID, s.state.Older = box.KeyID(), nil
	for _, k := range keys[1:] {
		s.state.Older = append(s.state.Older, k.ID)
	}
	if left == 0 && before == box.KeyID() {
		return a.sealingLocked(), nil
	}
	s.state.Running, s.state.Done, s.state.Error = true, 0, ""
	s.by, s.older = by, before
	if err := a.wal.Audit(s.record(event.AuditBegun)); err != nil {
		return event.Sealing{}, err
	}
	a.log.Info().Str("key", box.KeyID()).Str("before", before).Int("records", left).Msg("a new key for secrets: every secret is sealed under it, in the background")
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return a.sealingLocked(), nil
}

// Reload reads again what can be while the server runs: the keys for secrets.
func (a *App) Reload() error {
	_, err := a.Reseal(event.Audit{})
	return err
}

// Sealing says how far Reseal is.
func (a *App) Sealing() event.Sealing {
	a.sealing.mu.Lock()
	defer a.sealing.mu.Unlock()
	return a.sealingLocked()
}

func (a *App) sealingLocked() event.Sealing {
	state := a.sealing.state
	state.Older = slices.Clone(state.Older)
	state.Left, _ = a.catalog.Unsealed()
	return state
}

// record is what the audit log says. The caller holds mu.
func (s *sealing) record(outcome string) event.Audit {
	r := s.by
	if r.Actor.Kind == "" {
		r.Actor.Kind = event.ActorServer
		r.Reason = "SIGHUP"
	}
	r.Action, r.Outcome, r.Count = resealAction, outcome, s.state.Done
	r.Object = event.AuditObject{Kind: "secret_key", Name: s.state.KeyID}
	r.Changes = []event.AuditChange{{Field: "key", Before: s.older, After: s.state.KeyID}}
	return r
}

func (a *App) readSecretKeys() ([]seal.Key, error) {
	if a.o.ReadSecretKeys == nil {
		return nil, errors.New("this server does not read them again; start it anew")
	}
	text, err := a.o.ReadSecretKeys()
	if err != nil {
		return nil, err
	}
	return seal.ParseKeyFile(text)
}

// keepSealed writes records anew whenever Reseal asks for it, until ctx ends. What is left
// then, the next start does.
func (a *App) keepSealed(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.sealing.wake:
		}
		n, err := a.catalog.Reseal(ctx)
		if err == nil {
			err = a.wal.CompactCatalog()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.endReseal(n, err)
	}
}

// endReseal says that all is written, unless there is a newer key already.
func (a *App) endReseal(n int, err error) {
	s := &a.sealing
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Done += n
	if len(s.wake) > 0 && err == nil {
		return
	}
	s.state.Running = false
	outcome := event.AuditDone
	if err != nil {
		s.state.Error, outcome = err.Error(), event.AuditFailed
	}
	if auditErr := a.wal.Audit(s.record(outcome)); auditErr != nil {
		err = errors.Join(err, auditErr)
	}
	if err != nil {
		a.log.Error().Err(err).Int("records", n).Msg("not every secret was sealed under the new key; keep the older ones in the key file and ask again")
		return
	}
	a.log.Info().Str("key", s.state.KeyID).Int("records", s.state.Done).Msg("every secret is sealed under the first key of the key file; this store needs no other")
}

// resealAtStart writes the secrets anew that are in clear, or under a key that is not the
// first of its file any more.
func (a *App) resealAtStart(ctx context.Context, keys []seal.Key) error {
	s := &a.sealing
	s.state.KeyID = keys[0].ID
	for _, k := range keys[1:] {
		s.state.Older = append(s.state.Older, k.ID)
	}
	n, err := a.catalog.Reseal(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	if n == 0 {
		return nil
	}
	if err := a.wal.CompactCatalog(); err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	s.state.Done = n
	record := s.record(event.AuditDone)
	record.Reason = "found at the start"
	if err := a.wal.Audit(record); err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	a.log.Info().Int("records", n).Msg("secrets were sealed under the first key of the key file")
	return nil
}
