package app

import (
	"bytes"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/api"
	"posthaste/catalog"
	"posthaste/event"
	"posthaste/inbound"
	"posthaste/ingest"
	"posthaste/ratelimit"
)

// defaultKeyHeader is the idempotency header that every project starts with. A
// project that chose another relies on it, so each of its events must have a key.
const defaultKeyHeader = "X-Convoy-Idempotency-Key"

func (a *App) newIntake() *ingest.Ingest {
	projects := projects{a.catalog, a.o.MaxPayloadBytes}
	return ingest.New(ingest.Options{
		Engine:          a.engine,
		Auth:            a.catalog,
		Projects:        projects,
		MaxRequestBytes: a.o.MaxRequestBytes,
		Limits: ingest.Limits{
			Instance:  perSecond(a.o.IngestRate),
			Project:   perSecond(a.o.ProjectIngestRate),
			OfProject: projects.limit,
		},
		Metrics: ingest.Metrics{Observe: a.m.ingested, Rejected: a.m.rejected, Refused: a.refused()},
	})
}

func (a *App) newInbound(limits *ingest.Ingest) *inbound.Inbound {
	return inbound.New(inbound.Options{
		Engine:          a.engine,
		Sources:         sources{projects{a.catalog, a.o.MaxPayloadBytes}},
		MaxRequestBytes: a.o.MaxRequestBytes,
		Admit:           limits.Admit,
		OnCRC:           a.challenged,
		Metrics:         inbound.Metrics{Observe: a.m.ingested, Rejected: a.m.rejected},
	})
}

// largest is how large the body may be of a request that is yet to be read: those who
// may post events have the most, and who has no key next to nothing.
func (a *App) largest(h *fasthttp.RequestHeader) int {
	if mask, ok := bytes.CutPrefix(h.RequestURI(), []byte("/ingest/")); ok {
		mask, _, _ = bytes.Cut(mask, []byte{'?'})
		_, of, _ := sources{projects{a.catalog, a.o.MaxPayloadBytes}}.SourceByMask(string(mask))
		return of.MaxPayload
	}
	_, token, _ := bytes.Cut(h.Peek(fasthttp.HeaderAuthorization), []byte{' '})
	grant, ok := a.catalog.Authenticate(bytes.TrimLeft(token, " "))
	switch {
	case !ok:
		return 0
	case grant.Scopes.Has(event.ScopeIngest):
		return a.o.MaxRequestBytes
	}
	return api.DefaultMaxBodyBytes
}

// refused is who hears why intake refused a request: nobody, unless debug lines are
// written.
func (a *App) refused() func(requestID string, code int, message string) {
	if !a.log.Debug().Enabled() {
		return nil
	}
	return func(requestID string, code int, message string) {
		a.log.Debug().Str("request", requestID).Int("code", code).Str("message", message).Msg("a request was refused")
	}
}

// perSecond is a limit of so many events a second, of which a second's worth may come
// at once; 0 is none.
func perSecond(n int) ratelimit.Limit {
	if n == 0 {
		return ratelimit.Limit{}
	}
	return ratelimit.PerDuration(n, time.Second, n)
}

// projects is the catalog as the intake asks it.
type projects struct {
	c   *catalog.Catalog
	max int // bytes of one event's data, whatever a project says
}

// MaxPayload implements ingest.Projects.
func (p projects) MaxPayload(id event.ID) (bytes int, requireKey, ok bool) {
	project := p.c.Snapshot().Project(id)
	if project == nil || project.IsMeta() {
		return 0, false, false
	}
	bytes = p.max
	if own := project.Config.MaxPayloadReadSize; own > 0 {
		bytes = min(bytes, own)
	}
	return bytes, project.Config.RequestIDHeader != defaultKeyHeader, true
}

// limit is a project's own rate limit, if it is in force.
func (p projects) limit(id event.ID) (l ratelimit.Limit, own bool) {
	project := p.c.Snapshot().Project(id)
	if project == nil || !project.Config.RateLimit.Enabled {
		return l, false
	}
	rate := project.Config.RateLimit
	return ratelimit.PerDuration(rate.Count, time.Duration(rate.Duration)*time.Second, rate.Count), true
}

// sources is the catalog as a request to a source asks it.
type sources struct{ projects }

// SourceByMask implements inbound.Sources.
func (s sources) SourceByMask(mask string) (src *event.Source, of inbound.Limits, ok bool) {
	if src = s.c.Snapshot().SourceByMask(mask); src == nil {
		return nil, of, false
	}
	if of.MaxPayload, _, ok = s.MaxPayload(src.ProjectID); !ok {
		return nil, of, false
	}
	return src, of, true
}
