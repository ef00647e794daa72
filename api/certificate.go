package api

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"
)

// warnCertificate is how long before a certificate ends its owner is warned.
const warnCertificate = 30 * 24 * time.Hour

// certificateEnd is when the first certificate of a PEM text ends, in UTC; nil if
// there is none.
func certificateEnd(text string) *time.Time {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil
		}
		end := certificate.NotAfter.UTC()
		return &end
	}
}

// certificateWarnings says that a client certificate ends soon, or has.
func certificateWarnings(end *time.Time, now time.Time) []string {
	const field = "mtls_client_cert: "
	switch {
	case end == nil || end.Sub(now) > warnCertificate:
		return nil
	case !end.After(now):
		return []string{fmt.Sprintf(field+"ended at %s; give a new certificate and key", end.Format(time.RFC3339))}
	}
	return []string{fmt.Sprintf(field+"ends at %s, in %d days; give a new certificate and key before",
		end.Format(time.RFC3339), int(end.Sub(now)/(24*time.Hour)))}
}
