package app

import (
	"posthaste/api"
	"posthaste/catalog"
	"posthaste/engine"
	"posthaste/ingest"
	"posthaste/jobs"
	"posthaste/live"
	"posthaste/sender"
	"posthaste/wal"
)

// The packages meet here, through interfaces that the consumer declares.
var (
	_ engine.Store    = (*wal.Log)(nil)
	_ wal.Sink        = (*engine.Engine)(nil)
	_ wal.Tail        = (*live.Hub)(nil)
	_ api.Streams     = (*live.Hub)(nil)
	_ catalog.Store   = (*wal.Log)(nil)
	_ api.Reader      = (*wal.Log)(nil)
	_ api.Auditor     = (*wal.Log)(nil)
	_ api.Worker      = (*engine.Engine)(nil)
	_ api.Jobs        = batches{}
	_ jobs.Store      = (*wal.Log)(nil)
	_ jobs.Lister     = (*wal.Log)(nil)
	_ jobs.Doer       = doer{}
	_ engine.Catalog  = (*catalog.Catalog)(nil)
	_ engine.Sender   = (*sender.Sender)(nil)
	_ engine.Pool     = (*sender.Pool[*engine.Shard])(nil)
	_ ingest.Engine   = (*engine.Engine)(nil)
	_ ingest.Auth     = (*catalog.Catalog)(nil)
	_ ingest.Projects = projects{}
)
