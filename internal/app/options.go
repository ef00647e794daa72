// Package app is the composition root: it opens, wires, starts and stops every
// part of the server. The command runs it, and so do end-to-end tests in process.
package app

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"posthaste/event"
	"posthaste/internal/seal"
)

// ErrStorage is wrapped by every error of New, Start, Stop and OnFatal that came
// of the store: a failed sync, corruption, a disk that does not answer. Starting
// again does not help before somebody has looked, so the process exits with a
// code of its own.
var ErrStorage = errors.New("storage failure")

// The durability modes.
const (
	DurabilityFsync   = "fsync"   // an acknowledged event is on disk
	DurabilityRelaxed = "relaxed" // a power cut may lose the last moments
)

// The defaults of Options that no other package has.
const (
	DefaultDataDir             = "./data"
	DefaultListen              = "127.0.0.1:5005"
	DefaultAdminListen         = "127.0.0.1:5006"
	DefaultShutdownTimeout     = 30 * time.Second
	DefaultMaxConnections      = 8192
	DefaultIdleTimeout         = 75 * time.Second
	DefaultCacheBytes          = 64 << 20
	DefaultMemtableBytes       = 32 << 20
	DefaultDiskReserve         = 512 << 20
	DefaultDiskBallast         = 64 << 20
	DefaultQueueBytes          = 128 << 20
	DefaultMaxInFlight         = 4096
	DefaultEndpointWindow      = 1024
	DefaultEndpointConcurrency = 32
	DefaultResponseBodyBytes   = 4 << 10
	DefaultMaxJobs             = 4
	DefaultMaxStreams          = 64
	DefaultScanRows            = 2000
	DefaultSearchRows          = 5000
	DefaultTransformWorkers    = 2
	DefaultTransformTimeout    = time.Second
	DefaultTransformMemory     = 64 << 20
)

// PepperBytes is the length of a pepper.
const PepperBytes = 32

// minInstanceKeyBytes is the shortest instance key that is taken.
const minInstanceKeyBytes = 16

// Options is everything an operator decides. The zero value of a field means
// its default, except where the field says otherwise. The flag of a field is
// named in Validate's errors.
type Options struct {
	DataDir     string // the store's directory, made if missing; DefaultDataDir
	Listen      string // host:port of the API; port 0 picks a free one; DefaultListen
	AdminListen string // host:port of metrics, health and pprof; DefaultAdminListen

	// ConsoleListen is host:port of the console and the portal's pages. There is no default:
	// "" serves none.
	ConsoleListen string
	// ConsolePlainHTTP lets people sign in to the console over http from other machines.
	ConsolePlainHTTP bool
	// PortalParents are the origins of pages that may show the portal in a frame, such as
	// https://app.example.com. None by default.
	PortalParents []string

	// EgressAllow are networks that deliveries may reach although they are not
	// public, such as an operator's own 10.0.0.0/8. None by default.
	EgressAllow []netip.Prefix
	// EgressDeny are networks that deliveries may not reach. They beat EgressAllow. None
	// by default.
	EgressDeny []netip.Prefix
	// EgressPorts are the only ports that deliveries may reach, short of those of other
	// services, such as 22 and 6379, which they never may. None by default: all but those.
	EgressPorts []PortRange
	// EgressProxy is the HTTP proxy that deliveries, and requests for access tokens, are
	// made through by CONNECT: http://host:port. "" by default: none, whatever the
	// environment says. EgressProxyAuth is user:password for it, "" for none.
	// EgressProxyResolves leaves host names to the proxy, which then has to refuse
	// private addresses; otherwise they are resolved and checked here.
	EgressProxy         string
	EgressProxyAuth     string
	EgressProxyResolves bool
	// AllowHTTP lets endpoints be http and not only https. A project may still
	// refuse them for itself. There is no default: the zero value is https only.
	AllowHTTP bool

	// InstanceKey is the API key that may do everything, of at least 16
	// bytes. Required.
	InstanceKey string
	// Pepper keys the digests of API keys: PepperBytes random bytes that must be
	// the same as long as the store lives. Required.
	Pepper []byte

	// SecretKeys is the text of the file with the keys that keep secrets unreadable in
	// the store, see NewSecretKeys. Required.
	SecretKeys []byte
	// ReadSecretKeys reads that file again, for Reseal. Any goroutine may call it. Without
	// it a new key is used from the next start on.
	ReadSecretKeys func() ([]byte, error)
	// ExtraCAs are certificates in PEM that https endpoints are trusted by beside the
	// system's. None by default.
	ExtraCAs []byte

	// RetentionPayload is how long events and their data are kept, RetentionHistory how
	// long deliveries and attempts, unless their project says otherwise; an hour to ten
	// years. There is no default: 0 is for ever.
	RetentionPayload, RetentionHistory time.Duration

	// RetentionAudit is how long the audit log is kept; an hour to ten years. There is no
	// default: 0 is for ever.
	RetentionAudit time.Duration

	Durability      string        // DurabilityFsync or DurabilityRelaxed; DurabilityFsync
	ShutdownTimeout time.Duration // how long a graceful stop waits for attempts; 1s to 1h; DefaultShutdownTimeout

	MaxConnections int           // to the API, open at a time; 16 to 1,000,000; DefaultMaxConnections
	IdleTimeout    time.Duration // of a connection to the API between two requests; 1s to 1h; DefaultIdleTimeout

	MaxRequestBytes int // of one request, decompressed; 1 KiB to 1 GiB; event.DefaultMaxRequestBytes
	MaxPayloadBytes int // of one event's data; 1 to MaxRequestBytes; event.DefaultMaxPayloadBytes

	// IngestRate and ProjectIngestRate are how many events a second are taken in, of all
	// projects together and of each; 0 to 10,000,000. There is no default: 0 is no limit.
	IngestRate, ProjectIngestRate int

	// ScanRows is how many rows a page of a listing looks at, and SearchRows how many events
	// one that searches their data, before it ends early; 100 to 1,000,000;
	// DefaultScanRows, DefaultSearchRows.
	ScanRows, SearchRows int

	// IgnoreClock serves although the machine's clock is more than a day behind the newest
	// event of the store. Otherwise a start waits until it is set. There is no default.
	IgnoreClock bool

	// PublicURL is where clients reach the API, and PortalURL where people reach the
	// portal, as links show them: http or https, without a query. "" makes links
	// relative.
	PublicURL, PortalURL string
	// Strict refuses management requests with fields that nobody knows, as the header
	// "Prefer: handling=strict" does for one. There is no default.
	Strict bool

	CacheBytes    int64 // memory for what is read back from the log; 1 MiB to 1 TiB; DefaultCacheBytes
	MemtableBytes int64 // memory of one table of the log, of which up to four exist; 1 MiB to 1 GiB; DefaultMemtableBytes

	// DiskReserve is how many bytes of the data folder's file system are to stay free: with
	// less, nothing new is taken. 1 MiB to 1 TiB, or -1 for none; DefaultDiskReserve.
	DiskReserve int64
	// DiskBallast is the size of a file in the data folder that is given up when the disk is
	// full all the same, so that what is on its way can be written. 1 MiB to 64 GiB, or -1
	// for none; DefaultDiskBallast.
	DiskBallast int64

	QueueBytes          int64 // memory for work that waits, of all endpoints; 1 MiB to 1 TiB; DefaultQueueBytes
	MaxInFlight         int   // attempts at once, of all endpoints; 1 to 1,000,000; DefaultMaxInFlight
	EndpointWindow      int   // deliveries of one endpoint kept in memory; 1 to 1,000,000; DefaultEndpointWindow
	EndpointConcurrency int   // attempts at once to one endpoint; 1 to 10,000; DefaultEndpointConcurrency
	ResponseBodyBytes   int   // of an answer's body kept with its attempt; 1 to 1 MiB; DefaultResponseBodyBytes

	MaxJobs int // batch jobs at work at once, of all projects; 1 to 64; DefaultMaxJobs

	// MaxStreams is how many clients may listen to streams of deliveries and events at a
	// time; 1 to 10,000; DefaultMaxStreams. One key may have half of them.
	MaxStreams int

	// TransformCommand is what runs as a process for subscriptions' functions: a program
	// and arguments that lead to RunTransforms. Without it subscriptions cannot have functions.
	TransformCommand []string
	TransformWorkers int           // such processes; 1 to 64; DefaultTransformWorkers
	TransformTimeout time.Duration // for one call of a function; 10ms to 10s; DefaultTransformTimeout
	TransformMemory  int64         // for the functions of one process; 16 MiB to 4 GiB; DefaultTransformMemory

	// Partitions is the number of partitions a new store gets, 1 to 65,536. A
	// store that exists keeps its own. event.DefaultPartitions by default.
	Partitions int

	Version string         // shown in metrics and as the User-Agent; "dev"
	Logger  zerolog.Logger // the zero value logs nothing
	// OnFatal is called at most once, from any goroutine, when storage has failed
	// and the process must end. It must not block and must not call Stop. A nil
	// one is ignored: the server stops taking events, and Stop returns the error.
	OnFatal func(error)
}

// EnsureDefaults sets the fields that are zero to their defaults.
func (o *Options) EnsureDefaults() {
	o.DataDir = cmp.Or(o.DataDir, DefaultDataDir)
	o.Listen = cmp.Or(o.Listen, DefaultListen)
	o.AdminListen = cmp.Or(o.AdminListen, DefaultAdminListen)
	o.Durability = cmp.Or(o.Durability, DurabilityFsync)
	o.ShutdownTimeout = cmp.Or(o.ShutdownTimeout, DefaultShutdownTimeout)
	o.MaxConnections = cmp.Or(o.MaxConnections, DefaultMaxConnections)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, DefaultIdleTimeout)
	o.MaxRequestBytes = cmp.Or(o.MaxRequestBytes, event.DefaultMaxRequestBytes)
	o.MaxPayloadBytes = cmp.Or(o.MaxPayloadBytes, min(event.DefaultMaxPayloadBytes, o.MaxRequestBytes))
	o.CacheBytes = cmp.Or(o.CacheBytes, DefaultCacheBytes)
	o.MemtableBytes = cmp.Or(o.MemtableBytes, DefaultMemtableBytes)
	o.DiskReserve = cmp.Or(o.DiskReserve, DefaultDiskReserve)
	o.DiskBallast = cmp.Or(o.DiskBallast, DefaultDiskBallast)
	o.QueueBytes = cmp.Or(o.QueueBytes, DefaultQueueBytes)
	o.MaxInFlight = cmp.Or(o.MaxInFlight, DefaultMaxInFlight)
	o.EndpointWindow = cmp.Or(o.EndpointWindow, DefaultEndpointWindow)
	o.EndpointConcurrency = cmp.Or(o.EndpointConcurrency, DefaultEndpointConcurrency)
	o.ResponseBodyBytes = cmp.Or(o.ResponseBodyBytes, DefaultResponseBodyBytes)
	o.MaxJobs = cmp.Or(o.MaxJobs, DefaultMaxJobs)
	o.MaxStreams = cmp.Or(o.MaxStreams, DefaultMaxStreams)
	o.ScanRows = cmp.Or(o.ScanRows, DefaultScanRows)
	o.SearchRows = cmp.Or(o.SearchRows, DefaultSearchRows)
	o.TransformWorkers = cmp.Or(o.TransformWorkers, DefaultTransformWorkers)
	o.TransformTimeout = cmp.Or(o.TransformTimeout, DefaultTransformTimeout)
	o.TransformMemory = cmp.Or(o.TransformMemory, DefaultTransformMemory)
	o.Partitions = cmp.Or(o.Partitions, event.DefaultPartitions)
	o.Version = cmp.Or(o.Version, "dev")
	if o.OnFatal == nil {
		o.OnFatal = func(error) {}
	}
}

// Validate reports every field that is out of its range, by the name of its
// flag. It is called after EnsureDefaults.
func (o *Options) Validate() error {
	return errors.Join(o.ValidateSettings(), o.validateSecrets())
}

// ValidateSettings is Validate without the instance key and the pepper, which
// are not settings: it is what a configuration can be checked for without
// touching the data directory.
func (o *Options) ValidateSettings() error {
	return errors.Join(
		checkText("data", o.DataDir),
		checkAddress("listen", o.Listen),
		checkAddress("admin-listen", o.AdminListen),
		o.checkConsole(),
		o.checkListeners(),
		o.checkEgress(),
		o.checkDurability(),
		checkDuration("shutdown-timeout", o.ShutdownTimeout, time.Second, time.Hour),
		checkRange("max-connections", int64(o.MaxConnections), 16, 1_000_000),
		checkDuration("idle-timeout", o.IdleTimeout, time.Second, time.Hour),
		checkRange("max-request-bytes", int64(o.MaxRequestBytes), 1<<10, 1<<30),
		checkRange("max-payload-bytes", int64(o.MaxPayloadBytes), 1, int64(max(o.MaxRequestBytes, 1))),
		checkRange("ingest-rate", int64(o.IngestRate), 0, 10_000_000),
		checkRange("project-ingest-rate", int64(o.ProjectIngestRate), 0, 10_000_000),
		checkRange("scan-rows", int64(o.ScanRows), 100, 1_000_000),
		checkRange("search-rows", int64(o.SearchRows), 100, 1_000_000),
		checkURL("public-url", o.PublicURL),
		checkURL("portal-url", o.PortalURL),
		checkRange("cache-bytes", o.CacheBytes, 1<<20, 1<<40),
		checkRange("memtable-bytes", o.MemtableBytes, 1<<20, 1<<30),
		checkOffOrRange("disk-reserve", o.DiskReserve, 1<<20, 1<<40),
		checkOffOrRange("disk-ballast", o.DiskBallast, 1<<20, 64<<30),
		checkRange("queue-bytes", o.QueueBytes, 1<<20, 1<<40),
		checkRange("max-in-flight", int64(o.MaxInFlight), 1, 1_000_000),
		checkRange("endpoint-window", int64(o.EndpointWindow), 1, 1_000_000),
		checkRange("endpoint-concurrency", int64(o.EndpointConcurrency), 1, 10_000),
		checkRange("response-body-bytes", int64(o.ResponseBodyBytes), 1, 1<<20),
		checkRetention("retention-payload", o.RetentionPayload),
		checkRetention("retention-history", o.RetentionHistory),
		checkRetention("retention-audit", o.RetentionAudit),
		o.checkRetentions(),
		checkRange("max-jobs", int64(o.MaxJobs), 1, 64),
		checkRange("max-streams", int64(o.MaxStreams), 1, 10_000),
		checkRange("transform-workers", int64(o.TransformWorkers), 1, 64),
		checkDuration("transform-timeout", o.TransformTimeout, 10*time.Millisecond, 10*time.Second),
		checkRange("transform-memory", o.TransformMemory, 16<<20, 4<<30),
		checkRange("partitions", int64(o.Partitions), 1, 1<<16),
	)
}

func (o *Options) validateSecrets() error {
	var bad []error
	if len(o.InstanceKey) < minInstanceKeyBytes {
		bad = append(bad, fmt.Errorf("the instance key (POSTHASTE_ROOT_KEY) must have at least %d bytes, not %d", minInstanceKeyBytes, len(o.InstanceKey)))
	}
	for _, c := range []byte(o.InstanceKey) {
		if c <= ' ' || c > '~' {
			bad = append(bad, errors.New("the instance key (POSTHASTE_ROOT_KEY) must be printable ASCII without spaces: it is sent in a header"))
			break
		}
	}
	if len(o.Pepper) != PepperBytes {
		bad = append(bad, fmt.Errorf("the pepper must have %d bytes, not %d", PepperBytes, len(o.Pepper)))
	}
	if _, err := seal.ParseKeyFile(o.SecretKeys); err != nil {
		bad = append(bad, fmt.Errorf("the keys for secrets: %w", err))
	}
	return errors.Join(bad...)
}

// NewSecretKeys is the text of a file with a new key for secrets.
func NewSecretKeys() []byte { return seal.NewKeyFile() }

// RotateSecretKeys is the text of a key file with a new key in front.
func RotateSecretKeys(text []byte) ([]byte, error) { return seal.Rotate(text) }

func (o *Options) checkListeners() error {
	_, port, err := net.SplitHostPort(o.Listen)
	if err != nil || port == "0" || o.Listen != o.AdminListen {
		return nil
	}
	return fmt.Errorf("--admin-listen must differ from --listen, both are %s", o.Listen)
}

func (o *Options) checkConsole() error {
	if o.ConsoleListen != "" {
		if err := checkAddress("console-listen", o.ConsoleListen); err != nil {
			return err
		}
		if _, port, _ := net.SplitHostPort(o.ConsoleListen); port != "0" && (o.ConsoleListen == o.Listen || o.ConsoleListen == o.AdminListen) {
			return fmt.Errorf("--console-listen must differ from the other listeners, one of which is %s too", o.ConsoleListen)
		}
	}
	for _, origin := range o.PortalParents {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || strings.ContainsAny(origin, "; ,'*") {
			return fmt.Errorf("--portal-parents must be origins such as https://app.example.com, not %q", origin)
		}
	}
	return nil
}

func (o *Options) checkDurability() error {
	if o.Durability == DurabilityFsync || o.Durability == DurabilityRelaxed {
		return nil
	}
	return fmt.Errorf("--durability must be %s or %s, not %q", DurabilityFsync, DurabilityRelaxed, o.Durability)
}

func (o *Options) checkRetentions() error {
	if o.RetentionHistory != 0 && (o.RetentionPayload == 0 || o.RetentionPayload > o.RetentionHistory) {
		return errors.New("--retention-history must not be shorter than --retention-payload: a delivery outlives its event, not the other way round")
	}
	return nil
}

func checkRetention(flag string, value time.Duration) error {
	if value == 0 {
		return nil
	}
	return checkDuration(flag, value, event.MinRetentionSeconds*time.Second, 10*365*24*time.Hour)
}

func checkText(flag, value string) error {
	if value == "" {
		return fmt.Errorf("--%s must not be empty", flag)
	}
	return nil
}

func checkAddress(flag, value string) error {
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("--%s must be host:port with a port from 0 to 65535, not %q", flag, value)
	}
	return nil
}

// checkURL takes an absolute URL that a path can be added to, and none.
func checkURL(flag, value string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("--%s must be an absolute URL such as https://hooks.example.com, without a query, not %q", flag, value)
	}
	return nil
}

func checkDuration(flag string, value, low, high time.Duration) error {
	if value < low || value > high {
		return fmt.Errorf("--%s must be from %s to %s, not %s", flag, low, high, value)
	}
	return nil
}

// checkOffOrRange takes -1 too, which is 0 in the flag.
func checkOffOrRange(flag string, value, low, high int64) error {
	if value != -1 && (value < low || value > high) {
		return fmt.Errorf("--%s must be 0 for none, or from %d to %d, not %d", flag, low, high, value)
	}
	return nil
}

func checkRange(flag string, value, low, high int64) error {
	if value < low || value > high {
		return fmt.Errorf("--%s must be from %d to %d, not %d", flag, low, high, value)
	}
	return nil
}
