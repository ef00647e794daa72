package app

import (
	"context"
	"time"

	"posthaste/event"
	"posthaste/internal/diskspace"
)

// What requests and attempts leave behind without waiting for it to be written: when API
// keys were last used, when Twitter last had its challenge answered, and which attempts the
// egress rules refused.

// keyUseEvery is how often it is written when API keys were last used, and
// challengeEvery how often one source's challenge is.
const (
	keyUseEvery    = time.Minute
	challengeEvery = time.Minute
	maxChallenges  = 64 // that wait to be written; more are forgotten
)

// challenge is one that a source answered.
type challenge struct {
	project, source event.ID
	at              time.Time
}

// challenged notes that a source answered a challenge. Anybody who knows its URL may
// ask for one, so it neither waits nor writes.
func (a *App) challenged(project, source event.ID) {
	select {
	case a.challenges <- challenge{project, source, time.Now().UTC().Round(0)}:
	default:
	}
}

// keepNotes writes notes until ctx ends, and the last use of keys and what was refused
// then once more.
func (a *App) keepNotes(ctx context.Context) error {
	tick := time.NewTicker(keyUseEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			a.flushKeyUse()
			a.flushBlocks(true)
			return ctx.Err()
		case <-tick.C:
			a.flushKeyUse()
			a.flushBlocks(false)
		case c := <-a.challenges:
			a.writeChallenge(c)
		}
	}
}

func (a *App) flushKeyUse() {
	if a.disk.state() == diskspace.Hard {
		return
	}
	if err := a.catalog.FlushKeyUse(); err != nil {
		a.log.Warn().Err(err).Msg("when API keys were last used was not written; trying again in a minute")
	}
}

func (a *App) writeChallenge(c challenge) {
	if a.disk.state() == diskspace.Hard {
		return
	}
	src := a.catalog.Snapshot().Source(c.project, c.source)
	if src == nil || src.CRCVerifiedAt != nil && c.at.Sub(*src.CRCVerifiedAt) < challengeEvery {
		return
	}
	_, err := a.catalog.UpdateSource(c.project, c.source, func(s *event.Source) error {
		s.CRCVerifiedAt = &c.at
		return nil
	})
	if err != nil {
		a.log.Warn().Err(err).Str("source", c.source.String()).Msg("the answered challenge was not noted")
	}
}
