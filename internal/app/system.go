package app

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"posthaste/api"
	"posthaste/internal/diskspace"
)

// system is api.Options.System. It takes locks of the engine, the sender and the store for
// a moment, so it is for people who look.
func (a *App) system() api.System {
	s := api.System{
		Version: a.o.Version, StartedAt: a.started.UTC(), Uptime: int64(time.Since(a.started) / time.Second),
		Disk: a.systemDisk(), Store: a.systemStore(), Settings: a.o.settings(),
		Clock: api.SystemClock{Now: a.wal.Now().UTC(), AheadSeconds: a.clock.Ahead().Seconds(), Jumps: int64(a.m.clockJumps.Get())},
	}
	for _, c := range a.checks() {
		s.Checks = append(s.Checks, api.SystemCheck{Name: c.name, OK: c.wrong == "", Text: c.wrong})
	}
	work := a.engine.Stats()
	s.Deliveries = api.SystemDeliveries{
		Queued: work.Queued, QueuedBytes: work.QueuedBytes, InFlight: work.InFlight, Workers: work.Workers,
		EndpointsBusy: work.Endpoints, EndpointsBehind: int(a.m.behind.Load()),
	}
	conns := a.sender.Stats()
	s.Connections = api.SystemConnections{Open: conns.Conns, Stale: conns.Stale}
	s.Objects.Projects, s.Objects.Endpoints, s.Objects.Subscriptions = a.catalog.Snapshot().Counts()
	return s
}

func (a *App) systemDisk() api.SystemDisk {
	d := api.SystemDisk{
		State: a.disk.state().String(), ReserveBytes: max(0, a.o.DiskReserve), BallastBytes: max(0, a.o.DiskBallast),
		BallastOwed: a.wal.Ballast(), RefusedWrites: a.disk.refusal.Load(),
	}
	seen := a.disk.seen.Load()
	if seen == nil {
		return d
	}
	if seen.full != nil {
		d.Reason = seen.full.Reason
	}
	if seen.usage.TotalBytes > 0 { // else it is not known
		d.FreeBytes, d.TotalBytes, d.ReadOnly = seen.usage.FreeBytes, seen.usage.TotalBytes, seen.usage.ReadOnly
	}
	return d
}

func (a *App) systemStore() api.SystemStore {
	s := a.wal.Stats()
	return api.SystemStore{
		Bytes: int64(s.DiskBytes), MemtableBytes: int64(s.MemTableBytes), CompactionDebt: int64(s.CompactionDebt), ReadAmp: s.ReadAmp,
		Flushes: s.Flushes, Compactions: s.Compactions,
		Partitions: len(a.engine.Held()), PartitionsTotal: a.wal.Partitions(),
		Packing: a.wal.Packing(), PostponedHours: a.m.postponedHours.Load(), NewestAt: a.wal.Newest().UTC(),
	}
}

// settings are the options by the names of their flags, as they are in force. Secrets, and
// what may hold some, are not among them.
func (o *Options) settings() []api.SystemSetting {
	var all []api.SystemSetting
	add := func(name string, value any) {
		all = append(all, api.SystemSetting{Name: name, Value: settingText(value)})
	}
	add("data", o.DataDir)
	add("listen", o.Listen)
	add("admin-listen", o.AdminListen)
	add("console-listen", o.ConsoleListen)
	add("console-plain-http", o.ConsolePlainHTTP)
	add("portal-parents", o.PortalParents)
	add("public-url", o.PublicURL)
	add("portal-url", o.PortalURL)
	add("strict", o.Strict)
	add("egress-allow", o.EgressAllow)
	add("egress-deny", o.EgressDeny)
	add("egress-ports", o.EgressPorts)
	add("egress-proxy", o.EgressProxy)
	add("egress-proxy-resolves", o.EgressProxyResolves)
	add("allow-http", o.AllowHTTP)
	add("retention-payload", o.RetentionPayload)
	add("retention-history", o.RetentionHistory)
	add("retention-audit", o.RetentionAudit)
	add("durability", o.Durability)
	add("shutdown-timeout", o.ShutdownTimeout)
	add("ignore-clock", o.IgnoreClock)
	add("partitions", o.Partitions)
	add("max-connections", o.MaxConnections)
	add("idle-timeout", o.IdleTimeout)
	add("max-request-bytes", bytesOf(o.MaxRequestBytes))
	add("max-payload-bytes", bytesOf(o.MaxPayloadBytes))
	add("ingest-rate", o.IngestRate)
	add("project-ingest-rate", o.ProjectIngestRate)
	add("cache-bytes", bytesOf(o.CacheBytes))
	add("memtable-bytes", bytesOf(o.MemtableBytes))
	add("disk-reserve", bytesOf(max(0, o.DiskReserve)))
	add("disk-ballast", bytesOf(max(0, o.DiskBallast)))
	add("queue-bytes", bytesOf(o.QueueBytes))
	add("max-in-flight", o.MaxInFlight)
	add("endpoint-window", o.EndpointWindow)
	add("endpoint-concurrency", o.EndpointConcurrency)
	add("response-body-bytes", bytesOf(o.ResponseBodyBytes))
	add("max-jobs", o.MaxJobs)
	add("max-streams", o.MaxStreams)
	add("scan-rows", o.ScanRows)
	add("search-rows", o.SearchRows)
	add("transform-workers", o.TransformWorkers)
	add("transform-timeout", o.TransformTimeout)
	add("transform-memory", bytesOf(o.TransformMemory))
	return all
}

// byteCount is a setting that is a size.
type byteCount int64

func bytesOf[N int | int64](n N) byteCount { return byteCount(n) }

func settingText(value any) string {
	switch v := value.(type) {
	case byteCount:
		return diskspace.Bytes(int64(v))
	case []string:
		return strings.Join(v, ", ")
	case []netip.Prefix:
		return joined(v)
	case []PortRange:
		return joined(v)
	}
	return fmt.Sprint(value)
}

func joined[T any](list []T) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ", ")
}
