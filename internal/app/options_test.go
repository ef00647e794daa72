package app

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func validOptions() Options {
	o := Options{InstanceKey: "0123456789abcdef", Pepper: make([]byte, PepperBytes), SecretKeys: NewSecretKeys()}
	o.EnsureDefaults()
	return o
}

func TestDefaultsAreValid(t *testing.T) {
	o := validOptions()
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	o.OnFatal(nil) // set, so that nobody has to ask
}

func TestEnsureDefaultsKeepsWhatIsSet(t *testing.T) {
	o := Options{MaxInFlight: 7, Durability: DurabilityRelaxed, MaxRequestBytes: 2048}
	o.EnsureDefaults()
	if o.MaxInFlight != 7 || o.Durability != DurabilityRelaxed {
		t.Errorf("changed to %d, %s", o.MaxInFlight, o.Durability)
	}
	if o.MaxPayloadBytes != 2048 {
		t.Errorf("the default payload of %d exceeds a request", o.MaxPayloadBytes)
	}
}

func TestValidateNamesFlagAndRange(t *testing.T) {
	for _, c := range []struct {
		change func(*Options)
		want   []string
	}{
		{func(o *Options) { o.SecretKeys = []byte("k 123") }, []string{"the keys for secrets", "line 1"}},
		{func(o *Options) { o.RetentionPayload = time.Minute }, []string{"--retention-payload", "1h0m0s"}},
		{func(o *Options) { o.RetentionHistory = 2 * time.Hour }, []string{"--retention-history", "--retention-payload"}},
		{func(o *Options) { o.TransformTimeout = time.Minute }, []string{"--transform-timeout", "10s"}},
		{func(o *Options) { o.DataDir = "" }, []string{"--data"}},
		{func(o *Options) { o.Listen = "5005" }, []string{"--listen", "host:port", "5005"}},
		{func(o *Options) { o.AdminListen = ":99999" }, []string{"--admin-listen", "65535", "99999"}},
		{func(o *Options) { o.AdminListen = o.Listen }, []string{"--admin-listen", "--listen"}},
		{func(o *Options) { o.EgressAllow = make([]netip.Prefix, 1) }, []string{"--egress-allow"}},
		{func(o *Options) { o.EgressAllow = []netip.Prefix{netip.MustParsePrefix("10.1.2.3/8")} }, []string{"--egress-allow", "10.0.0.0/8"}},
		{func(o *Options) { o.Durability = "none" }, []string{"--durability", "fsync", "relaxed", "none"}},
		{func(o *Options) { o.ShutdownTimeout = time.Millisecond }, []string{"--shutdown-timeout", "1s", "1h0m0s", "1ms"}},
		{func(o *Options) { o.MaxConnections = 1 }, []string{"--max-connections", "16", "1000000"}},
		{func(o *Options) { o.IdleTimeout = 2 * time.Hour }, []string{"--idle-timeout", "1s", "1h0m0s", "2h0m0s"}},
		{func(o *Options) { o.MaxRequestBytes = 1 }, []string{"--max-request-bytes", "1024", "1073741824"}},
		{func(o *Options) { o.MaxPayloadBytes = o.MaxRequestBytes + 1 }, []string{"--max-payload-bytes", "16777216"}},
		{func(o *Options) { o.QueueBytes = -1 }, []string{"--queue-bytes", "1048576", "-1"}},
		{func(o *Options) { o.MaxInFlight = -1 }, []string{"--max-in-flight", "1000000"}},
		{func(o *Options) { o.EndpointWindow = 2_000_000 }, []string{"--endpoint-window", "1000000"}},
		{func(o *Options) { o.EndpointConcurrency = 20_000 }, []string{"--endpoint-concurrency", "10000"}},
		{func(o *Options) { o.ResponseBodyBytes = 1<<20 + 1 }, []string{"--response-body-bytes", "1048576"}},
		{func(o *Options) { o.Partitions = 65537 }, []string{"--partitions", "65536"}},
		{func(o *Options) { o.InstanceKey = "short" }, []string{"instance key", "16"}},
		{func(o *Options) { o.InstanceKey = "with a space in it" }, []string{"instance key", "printable"}},
		{func(o *Options) { o.Pepper = nil }, []string{"pepper", "32"}},
	} {
		o := validOptions()
		c.change(&o)
		err := o.Validate()
		if err == nil {
			t.Errorf("%v: no error", c.want)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
	}
}

func TestValidateReportsEverything(t *testing.T) {
	o := validOptions()
	o.Partitions, o.MaxInFlight, o.Pepper = -1, -1, nil
	err := o.Validate()
	for _, want := range []string{"--partitions", "--max-in-flight", "pepper"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if err := o.ValidateSettings(); err == nil || strings.Contains(err.Error(), "pepper") {
		t.Errorf("settings alone: %v", err)
	}
}
