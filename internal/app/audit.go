package app

import (
	"fmt"
	"time"

	"posthaste/event"
)

// recordRun puts down that this server started, with its version.
func (a *App) recordRun(action string) error {
	err := a.wal.Audit(event.Audit{
		Actor: event.Actor{Kind: event.ActorServer}, Action: action, Outcome: event.AuditDone,
		Object: event.AuditObject{Kind: "server", Name: "posthaste " + a.o.Version},
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return nil
}

// forgetAudits removes what is too old of the audit log.
func (a *App) forgetAudits(now time.Time) {
	if a.o.RetentionAudit == 0 {
		return
	}
	n, err := a.wal.ForgetAudits(now.Add(-a.o.RetentionAudit))
	if err != nil {
		a.log.Error().Err(err).Msg("what is too old of the audit log was not removed; trying again in a minute")
		return
	}
	if n > 0 {
		a.log.Info().Int("ranges", n).Msg("removed what was too old of the audit log")
	}
}
