package main

import (
	"errors"
	"net/http"

	"posthaste/client"
)

// replayCmd routes events again, to the endpoints that want them now.
type replayCmd struct {
	Event string `placeholder:"ID" help:"Replay this event."`
	eventFilter
	batchFlags

	remote
}

// Run replays one event, or starts a job over those that the filter selects.
func (c *replayCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	query, err := c.eventFilter.query(s)
	switch {
	case err != nil:
		return err
	case c.Event == "" && len(query) == 0:
		return usageError{errors.New("say which events, as with --event ID or --since 2h")}
	case c.Event != "" && len(query) > 0:
		return usageError{errors.New("give either --event or filters")}
	case c.Event != "":
		row, err := in.Events().Change(s.ctx, http.MethodPut, c.Event, "replay", nil)
		if err != nil {
			return err
		}
		return s.done(row.Raw, "Event %s is replayed.", row.Value.ID)
	}
	b := batch{
		session: s, in: in, kind: client.JobReplay, verb: "replay", noun: "events", query: query,
		count: in.CountReplay, start: in.BatchReplay,
	}
	return b.run(c.batchFlags)
}
