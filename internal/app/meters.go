package app

import (
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"posthaste/breaker"
	"posthaste/catalog"
	"posthaste/engine"
	"posthaste/event"
	"posthaste/internal/diskspace"
	"posthaste/internal/metrics"
	"posthaste/internal/steady"
	"posthaste/live"
	"posthaste/sender"
	"posthaste/wal"
)

// meters are the server's metrics. Handles of the hot paths are made once.
type meters struct {
	registry *metrics.Registry

	ingestSeconds   *metrics.Histogram
	ingestCodes     [600]atomic.Pointer[metrics.Counter]
	events          *metrics.Counter
	settlements     *metrics.Counter
	batchSize       *metrics.Histogram
	commitSeconds   *metrics.Histogram
	attemptSeconds  *metrics.Histogram
	deliverySeconds *metrics.Histogram
	breakersOpened  *metrics.Counter
	breakersClosed  *metrics.Counter
	clockJumps      *metrics.Counter
	unaccepted      *metrics.Counter
	localFaults     *metrics.Counter
	retainedRanges  *metrics.Counter
	postponedHours  atomic.Int64
	behind          atomic.Int64
	attempts        map[string]*metrics.Counter
	terminal        map[string]*metrics.Counter
	rejections      sync.Map // reason to *metrics.Counter
}

// attemptResults are the values of an attempt's result label.
var attemptResults = []string{"2xx", "3xx", "4xx", "5xx", "1xx", "0xx", "timeout", "dns", "connect", "tls", "reset", "malformed", "blocked", "local", "auth", "transform"}

func newMeters(version string) *meters {
	r := metrics.New()
	r.BuildInfo(version, "")
	m := &meters{
		registry:        r,
		ingestSeconds:   r.Histogram("posthaste_ingest_duration_seconds", metrics.LatencyBounds()),
		events:          r.Counter("posthaste_events_total"),
		settlements:     r.Counter("posthaste_settlements_total"),
		batchSize:       r.Histogram("posthaste_commit_batch_size", metrics.CountBounds()),
		commitSeconds:   r.Histogram("posthaste_commit_duration_seconds", metrics.LatencyBounds()),
		attemptSeconds:  r.Histogram("posthaste_delivery_attempt_duration_seconds", metrics.LatencyBounds()),
		deliverySeconds: r.Histogram("posthaste_delivery_latency_seconds", metrics.LatencyBounds()),
		breakersOpened:  r.Counter(metrics.Name("posthaste_breaker_transitions_total", "to", "open")),
		breakersClosed:  r.Counter(metrics.Name("posthaste_breaker_transitions_total", "to", "closed")),
		unaccepted:      r.Counter("posthaste_accept_failures_total"),
		localFaults:     r.Counter("posthaste_local_faults_total"),
		clockJumps:      r.Counter("posthaste_clock_jump_total"),
		retainedRanges:  r.Counter("posthaste_retention_ranges_total"),
		attempts:        make(map[string]*metrics.Counter),
		terminal:        make(map[string]*metrics.Counter),
	}
	for _, result := range attemptResults {
		m.attempts[result] = r.Counter(metrics.Name("posthaste_delivery_attempts_total", "result", result))
	}
	for _, s := range []event.Status{event.Success, event.Failure, event.Discarded} {
		m.terminal[s.String()] = r.Counter(metrics.Name("posthaste_delivery_terminal_total", "outcome", outcomeLabel(s)))
	}
	r.Gauge("posthaste_retention_postponed", func() float64 { return float64(m.postponedHours.Load()) })
	m.describe()
	return m
}

func outcomeLabel(s event.Status) string {
	switch s {
	case event.Success:
		return "delivered"
	case event.Failure:
		return "exhausted"
	default:
		return "discarded"
	}
}

func (m *meters) describe() {
	for name, help := range map[string]string{
		"posthaste_ingest_requests_total":             "Requests to the event routes, by status code.",
		"posthaste_ingest_rejected_total":             "Requests refused as a whole, by reason.",
		"posthaste_ingest_duration_seconds":           "Time from a request's arrival to its answer.",
		"posthaste_events_total":                      "Events made durable.",
		"posthaste_settlements_total":                 "Outcomes written to the log.",
		"posthaste_commit_batch_size":                 "Events and outcomes in one commit.",
		"posthaste_commit_duration_seconds":           "Time from the start of a commit to durable.",
		"posthaste_delivery_attempts_total":           "Attempts that ended, by result.",
		"posthaste_delivery_attempt_duration_seconds": "Time of one attempt.",
		"posthaste_delivery_latency_seconds":          "Time from acceptance to the receiver's 2xx.",
		"posthaste_breaker_transitions_total":         "Circuit breakers of endpoints that opened or closed.",
		"posthaste_accept_failures_total":             "Times that no connection to the API could be accepted, for want of file descriptors or memory.",
		"posthaste_local_faults_total":                "Attempts that could not be made for a fault of this machine, do not count, and are made again.",
		"posthaste_clock_jump_total":                  "How often the machine's clock was set, by 5 s or more, while the server ran.",
		"posthaste_clock_ahead_seconds":               "How far due times and ids are ahead of the machine's clock, because that was set back.",
		"posthaste_retention_ranges_total":            "Ranges of the store that were removed because they were too old, or too much.",
		"posthaste_retention_postponed":               "Hours that are too old and stay, because something in them is still owed.",
		"posthaste_disk_free_bytes":                   "Bytes that are free on the file system of the data folder.",
		"posthaste_disk_state":                        "1 for the state that the disk is in: ok, soft (nothing new is taken), hard (attempts do not begin).",
		"posthaste_disk_refused_writes_total":         "Writes for which there was no space.",
		"posthaste_streams":                           "Streams of deliveries and events that are open, of the API and of live pages.",
		"posthaste_stream_dropped_messages_total":     "Messages that readers of streams lost because they were too slow.",
		"posthaste_streams_refused_total":             "Streams that were refused, by the limit: max-streams, or the share of one key.",
		"posthaste_delivery_terminal_total":           "Deliveries that reached their end, by outcome.",
	} {
		m.registry.Describe(name, help)
	}
}

// ingested is ingest.Metrics.Observe.
func (m *meters) ingested(code int, d time.Duration) {
	m.ingestSeconds.Observe(d.Seconds())
	code = max(0, min(code, len(m.ingestCodes)-1))
	c := m.ingestCodes[code].Load()
	if c == nil {
		c = m.registry.Counter(metrics.Name("posthaste_ingest_requests_total", "code", strconv.Itoa(code)))
		m.ingestCodes[code].Store(c)
	}
	c.Inc()
}

// rejected is ingest.Metrics.Rejected.
func (m *meters) rejected(reason string) {
	c, ok := m.rejections.Load(reason)
	if !ok {
		c, _ = m.rejections.LoadOrStore(reason, m.registry.Counter(metrics.Name("posthaste_ingest_rejected_total", "reason", reason)))
	}
	c.(*metrics.Counter).Inc()
}

// committed is wal.Options.Observe.
func (m *meters) committed(g wal.GroupStats) {
	m.events.Add(g.Events)
	m.settlements.Add(g.Settlements)
	m.batchSize.Observe(float64(g.Events + g.Settlements))
	m.commitSeconds.Observe(g.Wait.Seconds())
}

func (m *meters) hooks() engine.Hooks {
	return engine.Hooks{
		Attempted: func(result string, d time.Duration) {
			if c := m.attempts[result]; c != nil {
				c.Inc()
			}
			m.attemptSeconds.Observe(d.Seconds())
		},
		Terminal: func(outcome string, age time.Duration) {
			m.terminal[outcome].Inc()
			if outcome == event.Success.String() {
				m.deliverySeconds.Observe(age.Seconds())
			}
		},
		Behind: func(delta int) { m.behind.Add(int64(delta)) },
		Breaker: func(to breaker.State) {
			if to == breaker.Open {
				m.breakersOpened.Inc()
			} else {
				m.breakersClosed.Inc()
			}
		},
	}
}

// retained counts what a round of retention did.
func (m *meters) retained(r wal.Retained) {
	m.retainedRanges.Add(r.Ranges)
	m.postponedHours.Store(int64(len(r.Postponed)))
}

func (m *meters) watchLog(l *wal.Log) {
	gauge := func(name string, f func(wal.Stats) float64) {
		m.registry.Gauge(name, func() float64 { return f(l.Stats()) })
	}
	gauge("posthaste_store_disk_bytes", func(s wal.Stats) float64 { return float64(s.DiskBytes) })
	gauge("posthaste_pebble_memtable_bytes", func(s wal.Stats) float64 { return float64(s.MemTableBytes) })
	gauge("posthaste_pebble_compaction_debt_bytes", func(s wal.Stats) float64 { return float64(s.CompactionDebt) })
	gauge("posthaste_pebble_read_amp", func(s wal.Stats) float64 { return float64(s.ReadAmp) })
	m.registry.CounterFunc("posthaste_pebble_flushes_total", func() float64 { return float64(l.Stats().Flushes) })
	m.registry.CounterFunc("posthaste_pebble_compactions_total", func() float64 { return float64(l.Stats().Compactions) })
}

func (m *meters) watchDisk(d *disk) {
	m.registry.Gauge("posthaste_disk_free_bytes", func() float64 {
		if seen := d.seen.Load(); seen != nil && seen.usage.TotalBytes > 0 { // else it is not known
			return float64(seen.usage.FreeBytes)
		}
		return math.NaN()
	})
	for _, state := range diskspace.States {
		m.registry.Gauge(metrics.Name("posthaste_disk_state", "state", state.String()), func() float64 {
			if d.state() == state {
				return 1
			}
			return 0
		})
	}
	m.registry.CounterFunc("posthaste_disk_refused_writes_total", func() float64 { return float64(d.refusal.Load()) })
}

func (m *meters) watchEngine(e *engine.Engine, s *sender.Sender) {
	gauge := func(name string, f func(engine.Stats) float64) {
		m.registry.Gauge(name, func() float64 { return f(e.Stats()) })
	}
	gauge(`posthaste_deliveries_queued`, func(s engine.Stats) float64 { return float64(s.Queued) })
	gauge("posthaste_queue_bytes", func(s engine.Stats) float64 { return float64(s.QueuedBytes) })
	gauge("posthaste_inflight", func(s engine.Stats) float64 { return float64(s.InFlight) })
	gauge("posthaste_pool_workers", func(s engine.Stats) float64 { return float64(s.Workers) })
	gauge("posthaste_endpoints_busy", func(s engine.Stats) float64 { return float64(s.Endpoints) })
	m.registry.Gauge("posthaste_endpoints_behind", func() float64 { return float64(m.behind.Load()) })
	m.registry.Gauge("posthaste_connections", func() float64 { return float64(s.Stats().Conns) })
	m.registry.CounterFunc("posthaste_conn_stale_total", func() float64 { return float64(s.Stats().Stale) })
}

func (m *meters) watchClock(c *steady.Clock) {
	m.registry.Gauge("posthaste_clock_ahead_seconds", func() float64 { return c.Ahead().Seconds() })
}

func (m *meters) watchStreams(h *live.Hub) {
	m.registry.Gauge("posthaste_streams", func() float64 { return float64(h.Stats().Open) })
	count := func(name string, f func(live.Stats) uint64) {
		m.registry.CounterFunc(name, func() float64 { return float64(f(h.Stats())) })
	}
	count("posthaste_stream_dropped_messages_total", func(s live.Stats) uint64 { return s.Dropped })
	count(metrics.Name("posthaste_streams_refused_total", "limit", "max-streams"), func(s live.Stats) uint64 { return s.Refused })
	count(metrics.Name("posthaste_streams_refused_total", "limit", "key"), func(s live.Stats) uint64 { return s.RefusedHolder })
}

func (m *meters) watchCatalog(c *catalog.Catalog) {
	count := func(name string, f func(projects, endpoints, subscriptions int) int) {
		m.registry.Gauge(name, func() float64 { return float64(f(c.Snapshot().Counts())) })
	}
	count("posthaste_projects", func(p, _, _ int) int { return p })
	count("posthaste_endpoints", func(_, e, _ int) int { return e })
	count("posthaste_subscriptions", func(_, _, s int) int { return s })
}
