package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// clientCert is a certificate that ends at a time, and its key, as PEM texts.
func clientCert(t *testing.T, end time.Time) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: epoch.Add(-365 * 24 * time.Hour), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return block("CERTIFICATE", der), block("PRIVATE KEY", secret)
}

func TestClientCertificate(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		left    time.Duration
		ends    string
		warning string
	}{
		{100 * day, "2026-04-12T03:04:05Z", ""},
		{30*day + time.Second, "2026-02-01T03:04:06Z", ""},
		{30*day - time.Second, "2026-02-01T03:04:04Z", "mtls_client_cert: ends at 2026-02-01T03:04:04Z, in 29 days; give a new certificate and key before"},
		{time.Hour, "2026-01-02T04:04:05Z", "mtls_client_cert: ends at 2026-01-02T04:04:05Z, in 0 days; give a new certificate and key before"},
		{-day, "2026-01-01T03:04:05Z", "mtls_client_cert: ended at 2026-01-01T03:04:05Z; give a new certificate and key"},
	} {
		w := newWorld(t)
		certificate, key := clientCert(t, epoch.Add(c.left))
		path, a := w.create(`"mtls_client_cert":{"client_cert":` + quoted(t, certificate) + `,"client_key":` + quoted(t, key) + `}`)
		if a.field("client_cert_expires_at") != c.ends {
			t.Errorf("ends at %v, want %s", a.field("client_cert_expires_at"), c.ends)
		}
		if warnings := a.field("warnings").([]any); c.warning == "" && len(warnings) != 0 || c.warning != "" && (len(warnings) != 1 || warnings[0] != c.warning) {
			t.Errorf("%s: warnings are %q", c.left, warnings)
		}
		if a.field("mtls_client_cert", "client_key") != masked || a.field("mtls_client_cert", "client_cert") != certificate {
			t.Errorf("the certificate is shown as %v", a.field("mtls_client_cert"))
		}
		w.roundTrip(path)
		gone := w.do("PUT", path, `{"mtls_client_cert":{"client_cert":"","client_key":""}}`)
		if gone.field("mtls_client_cert") != nil || gone.field("client_cert_expires_at") != nil {
			t.Errorf("it was not taken away: %s", gone.body)
		}
	}
}

func TestCertificateEnd(t *testing.T) {
	certificate, key := clientCert(t, epoch.Add(time.Hour))
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"empty": {"", false}, "not PEM": {"certificate", false}, "only a key": {key, false},
		"behind a key": {key + certificate, true}, "broken": {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", false},
	} {
		if got := certificateEnd(c.text); (got != nil) != c.ok {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
