package main

import (
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"posthaste/internal/app"
)

// settings is what can be configured of the server: the one list of flags,
// environment variables, keys of the configuration file, and their defaults,
// which are those of app.Options. A variable is the flag in capitals after
// POSTHASTE_; a key is the flag.
type settings struct {
	ConfigFile string `name:"config" env:"POSTHASTE_CONFIG" placeholder:"FILE" help:"Configuration file, in YAML."`

	Data        string `env:"POSTHASTE_DATA" default:"./data" placeholder:"DIR" help:"Directory of the store and its keys (${default})."`
	Listen      string `env:"POSTHASTE_LISTEN" default:"127.0.0.1:5005" placeholder:"HOST:PORT" help:"Where the API listens (${default})."`
	AdminListen string `env:"POSTHASTE_ADMIN_LISTEN" default:"127.0.0.1:5006" placeholder:"HOST:PORT" help:"Where metrics, health and profiles listen (${default}). They ask for no key."`

	ConsoleListen    string   `env:"POSTHASTE_CONSOLE_LISTEN" default:"127.0.0.1:5007" placeholder:"HOST:PORT" help:"Where the console and the portal's pages listen; empty serves none (${default})."`
	ConsolePlainHTTP bool     `name:"console-plain-http" env:"POSTHASTE_CONSOLE_PLAIN_HTTP" default:"false" negatable:"" help:"Let people sign in over http from other machines; over https and from this one they always may (${default})."`
	PortalParents    []string `env:"POSTHASTE_PORTAL_PARENTS" placeholder:"ORIGIN" help:"Pages that may show the portal in a frame, by their origins."`

	PublicURL string `name:"public-url" env:"POSTHASTE_PUBLIC_URL" placeholder:"URL" help:"Where clients reach the API, as the URLs of sources show it."`
	PortalURL string `name:"portal-url" env:"POSTHASTE_PORTAL_URL" placeholder:"URL" help:"Where people reach the portal, as portal links show it."`
	Strict    bool   `env:"POSTHASTE_STRICT" default:"false" negatable:"" help:"Refuse management requests that have unknown fields (${default})."`

	EgressAllow []netip.Prefix  `env:"POSTHASTE_EGRESS_ALLOW" placeholder:"CIDR" help:"Networks that are not public and that deliveries may reach all the same."`
	EgressDeny  []netip.Prefix  `env:"POSTHASTE_EGRESS_DENY" placeholder:"CIDR" help:"Networks that deliveries may not reach, whatever else is allowed."`
	EgressPorts []app.PortRange `env:"POSTHASTE_EGRESS_PORTS" placeholder:"PORT" help:"Ports, or ranges such as 8000-8999, that deliveries may reach and no others; none: all but those of other services, such as 22 and 6379."`
	AllowHTTP   bool            `name:"allow-http" env:"POSTHASTE_ALLOW_HTTP" default:"true" negatable:"" help:"Let endpoints be http and not only https, where their project does (${default})."`

	EgressProxy         string `env:"POSTHASTE_EGRESS_PROXY" placeholder:"URL" help:"HTTP proxy that deliveries are made through, http://host:port. HTTP_PROXY and its like are not read."`
	EgressProxyAuthFile string `env:"POSTHASTE_EGRESS_PROXY_AUTH_FILE" placeholder:"FILE" help:"File with user:password for the proxy, readable by its owner only."`
	EgressProxyResolves bool   `env:"POSTHASTE_EGRESS_PROXY_RESOLVES" default:"false" negatable:"" help:"Leave host names to the proxy, which then has to refuse private addresses (${default})."`

	CAFile string `name:"ca-file" env:"POSTHASTE_CA_FILE" placeholder:"FILE" help:"Certificates in PEM that https endpoints are trusted by, beside the system's."`

	RetentionPayload time.Duration `env:"POSTHASTE_RETENTION_PAYLOAD" default:"0s" placeholder:"TIME" help:"How long events and their data are kept; 0 is for ever. A project may say otherwise (${default})."`
	RetentionHistory time.Duration `env:"POSTHASTE_RETENTION_HISTORY" default:"0s" placeholder:"TIME" help:"How long deliveries and attempts are kept; 0 is for ever. A project may say otherwise (${default})."`
	RetentionAudit   time.Duration `env:"POSTHASTE_RETENTION_AUDIT" default:"0s" placeholder:"TIME" help:"How long the audit log is kept; 0 is for ever (${default})."`

	Durability      string        `env:"POSTHASTE_DURABILITY" default:"fsync" enum:"fsync,relaxed" placeholder:"MODE" help:"fsync: an acknowledged event is on disk. relaxed: a power cut may lose the last moments (${default})."`
	ShutdownTimeout time.Duration `env:"POSTHASTE_SHUTDOWN_TIMEOUT" default:"30s" placeholder:"TIME" help:"How long a graceful stop waits for attempts that are on their way (${default})."`
	IgnoreClock     bool          `env:"POSTHASTE_IGNORE_CLOCK" default:"false" negatable:"" help:"Serve although this machine's clock is more than a day behind the newest event of the store, instead of waiting until it is set (${default})."`
	Partitions      int           `env:"POSTHASTE_PARTITIONS" default:"256" placeholder:"N" help:"Partitions of a new store; one that exists keeps its own (${default})."`

	MaxConnections int           `env:"POSTHASTE_MAX_CONNECTIONS" default:"8192" placeholder:"N" help:"Connections to the API that are open at a time; one more is answered 503 (${default})."`
	IdleTimeout    time.Duration `env:"POSTHASTE_IDLE_TIMEOUT" default:"75s" placeholder:"TIME" help:"How long a connection to the API may wait for its next request (${default})."`

	MaxRequestBytes     byteSize `env:"POSTHASTE_MAX_REQUEST_BYTES" default:"16MiB" placeholder:"SIZE" help:"Largest request, decompressed (${default})."`
	MaxPayloadBytes     byteSize `env:"POSTHASTE_MAX_PAYLOAD_BYTES" default:"1MiB" placeholder:"SIZE" help:"Largest data of one event (${default})."`
	IngestRate          int      `env:"POSTHASTE_INGEST_RATE" default:"0" placeholder:"N" help:"Events a second that are taken in, of all projects together; 0 is no limit (${default})."`
	ProjectIngestRate   int      `env:"POSTHASTE_PROJECT_INGEST_RATE" default:"0" placeholder:"N" help:"Events a second that are taken in, of each project; 0 is no limit. A project may set a rate of its own (${default})."`
	CacheBytes          byteSize `env:"POSTHASTE_CACHE_BYTES" default:"64MiB" placeholder:"SIZE" help:"Memory for what is read back from the log (${default})."`
	MemtableBytes       byteSize `env:"POSTHASTE_MEMTABLE_BYTES" default:"32MiB" placeholder:"SIZE" help:"Memory of one table of the log that is not yet on disk as a table; up to four at a time (${default})."`
	DiskReserve         byteSize `env:"POSTHASTE_DISK_RESERVE" default:"512MiB" placeholder:"SIZE" help:"What is to stay free on the disk of the data: with less, nothing new is taken; 0 is none (${default})."`
	DiskBallast         byteSize `env:"POSTHASTE_DISK_BALLAST" default:"64MiB" placeholder:"SIZE" help:"Size of a file that is given up when the disk is full all the same; 0 is none (${default})."`
	QueueBytes          byteSize `env:"POSTHASTE_QUEUE_BYTES" default:"128MiB" placeholder:"SIZE" help:"Memory for deliveries that wait; the rest waits on disk (${default})."`
	MaxInFlight         int      `env:"POSTHASTE_MAX_IN_FLIGHT" default:"4096" placeholder:"N" help:"Attempts at once, to all endpoints (${default})."`
	EndpointWindow      int      `env:"POSTHASTE_ENDPOINT_WINDOW" default:"1024" placeholder:"N" help:"Deliveries of one endpoint kept in memory; the rest waits on disk (${default})."`
	EndpointConcurrency int      `env:"POSTHASTE_ENDPOINT_CONCURRENCY" default:"32" placeholder:"N" help:"Attempts at once to one endpoint (${default})."`
	ResponseBodyBytes   byteSize `env:"POSTHASTE_RESPONSE_BODY_BYTES" default:"4KiB" placeholder:"SIZE" help:"How much of an answer's body is kept with its attempt (${default})."`
	MaxJobs             int      `env:"POSTHASTE_MAX_JOBS" default:"4" placeholder:"N" help:"Batch retries and replays at work at once (${default})."`
	MaxStreams          int      `env:"POSTHASTE_MAX_STREAMS" default:"64" placeholder:"N" help:"Clients that listen to streams of deliveries and events at once (${default})."`

	ScanRows   int `env:"POSTHASTE_SCAN_ROWS" default:"2000" placeholder:"N" help:"Rows that a page of a listing looks at before it ends early (${default})."`
	SearchRows int `env:"POSTHASTE_SEARCH_ROWS" default:"5000" placeholder:"N" help:"Events whose data a page of a search looks at before it ends early (${default})."`

	TransformWorkers int           `env:"POSTHASTE_TRANSFORM_WORKERS" default:"2" placeholder:"N" help:"Processes that run subscriptions' functions (${default})."`
	TransformTimeout time.Duration `env:"POSTHASTE_TRANSFORM_TIMEOUT" default:"1s" placeholder:"TIME" help:"Time for one call of a function (${default})."`
	TransformMemory  byteSize      `env:"POSTHASTE_TRANSFORM_MEMORY" default:"64MiB" placeholder:"SIZE" help:"Memory for the functions of one process (${default})."`

	CoreDumps bool `env:"POSTHASTE_CORE_DUMPS" default:"false" negatable:"" help:"Let the system write the memory of this process, with secrets in clear, to disk when it crashes, and let debuggers look at it (${default})."`

	LogLevel  string `env:"POSTHASTE_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" placeholder:"LEVEL" help:"What is logged: ${enum} (${default})."`
	LogFormat string `env:"POSTHASTE_LOG_FORMAT" default:"auto" enum:"auto,json,console" placeholder:"FORMAT" help:"How: ${enum}; auto is console on a terminal (${default})."`

	file *configFile `kong:"-"`
}

// BeforeResolve reads the configuration file and lets it speak for settings
// that neither a flag nor a variable names. The parser calls it.
func (s *settings) BeforeResolve(ctx *kong.Context) error {
	flags := ctx.Selected().Flags
	if err := checkEnvironment(os.Environ(), environmentOf(ctx.Model.Node)); err != nil {
		return err
	}
	path := configPath(ctx, flags)
	if path == "" {
		return nil
	}
	file, err := readConfigFile(path, keysOf(flags))
	if err != nil {
		return err
	}
	s.file = file
	ctx.AddResolver(file)
	return nil
}

// Validate reports every setting that is out of its range. The parser calls it.
func (s *settings) Validate() error {
	o := s.options()
	return o.ValidateSettings()
}

// options is what the server is opened with, short of the keys, the logger and
// the version.
func (s *settings) options() app.Options {
	return app.Options{
		DataDir:             s.Data,
		Listen:              s.Listen,
		AdminListen:         s.AdminListen,
		ConsoleListen:       s.ConsoleListen,
		ConsolePlainHTTP:    s.ConsolePlainHTTP,
		PortalParents:       s.PortalParents,
		EgressAllow:         s.EgressAllow,
		EgressDeny:          s.EgressDeny,
		EgressPorts:         s.EgressPorts,
		EgressProxy:         s.EgressProxy,
		EgressProxyResolves: s.EgressProxyResolves,
		AllowHTTP:           s.AllowHTTP,
		Durability:          s.Durability,
		ShutdownTimeout:     s.ShutdownTimeout,
		IgnoreClock:         s.IgnoreClock,
		MaxConnections:      s.MaxConnections,
		IdleTimeout:         s.IdleTimeout,
		MaxRequestBytes:     int(s.MaxRequestBytes),
		MaxPayloadBytes:     int(s.MaxPayloadBytes),
		IngestRate:          s.IngestRate,
		ProjectIngestRate:   s.ProjectIngestRate,
		PublicURL:           s.PublicURL,
		PortalURL:           s.PortalURL,
		Strict:              s.Strict,
		CacheBytes:          int64(s.CacheBytes),
		MemtableBytes:       int64(s.MemtableBytes),
		DiskReserve:         orOff(s.DiskReserve),
		DiskBallast:         orOff(s.DiskBallast),
		QueueBytes:          int64(s.QueueBytes),
		MaxInFlight:         s.MaxInFlight,
		EndpointWindow:      s.EndpointWindow,
		EndpointConcurrency: s.EndpointConcurrency,
		ResponseBodyBytes:   int(s.ResponseBodyBytes),
		Partitions:          s.Partitions,
		RetentionPayload:    s.RetentionPayload,
		RetentionHistory:    s.RetentionHistory,
		RetentionAudit:      s.RetentionAudit,
		MaxJobs:             s.MaxJobs,
		MaxStreams:          s.MaxStreams,
		ScanRows:            s.ScanRows,
		SearchRows:          s.SearchRows,
		TransformWorkers:    s.TransformWorkers,
		TransformTimeout:    s.TransformTimeout,
		TransformMemory:     int64(s.TransformMemory),
	}
}

// orOff is a size of which 0 means none, as options have it.
func orOff(s byteSize) int64 {
	if s == 0 {
		return -1
	}
	return int64(s)
}

// origin says where a setting's value comes from.
func (s *settings) origin(ctx *kong.Context, flag *kong.Flag) string {
	for _, p := range ctx.Path {
		if p.Flag == flag && !p.Resolved {
			return "flag"
		}
	}
	if name, ok := environmentSet(flag); ok {
		return name
	}
	if s.file != nil {
		if e, ok := s.file.entries[flag.Name]; ok {
			return fmt.Sprintf("%s:%d", s.file.path, e.line)
		}
	}
	return "default"
}

// configPath is the file that --config or its variable names.
func configPath(ctx *kong.Context, flags []*kong.Flag) string {
	for _, f := range flags {
		if f.Name == "config" {
			return ctx.FlagValue(f).(string)
		}
	}
	panic("BUG: a command with settings has no --config")
}

// keysOf are the settings that a configuration file may hold: all but the file
// itself and --help.
func keysOf(flags []*kong.Flag) []string {
	var keys []string
	for _, f := range flags {
		if f.Name != "config" && f.Name != "help" {
			keys = append(keys, f.Name)
		}
	}
	return keys
}
