package catalog

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"unicode/utf8"

	"posthaste/event"
)

// normalizeClientCert checks what posthaste shows an endpoint in the handshake. A
// certificate that has ended is taken: Endpoint.ClientCertExpires tells. Two empty
// texts are none.
func normalizeClientCert(e *event.Endpoint) error {
	const field = "mtls_client_cert"
	c := e.ClientCert
	if c == nil || *c == (event.ClientCert{}) {
		e.ClientCert = nil
		return nil
	}
	if c.Cert == "" {
		return event.Invalid(field+".client_cert", "is empty; give the certificate as PEM, with those that lead to its root")
	}
	if c.Key == "" {
		return event.Invalid(field+".client_key", "is empty; give the certificate's private key as PEM")
	}
	if err := checkPEM(field+".client_cert", c.Cert); err != nil {
		return err
	}
	if err := checkPEM(field+".client_key", c.Key); err != nil {
		return err
	}
	if _, err := tls.X509KeyPair([]byte(c.Cert), []byte(c.Key)); err != nil {
		return event.Invalid(field, "is not a certificate and its key: %s", strings.TrimPrefix(err.Error(), "tls: "))
	}
	if !strings.HasPrefix(e.URL, "https://") {
		return event.Invalid(field, "needs a url that is https: a certificate is shown in the TLS handshake only")
	}
	return nil
}

// checkCACert checks the certificates that are trusted beside the server's.
func checkCACert(text string) error {
	const field = "ca_cert"
	if err := checkPEM(field, text); err != nil {
		return err
	}
	rest, n := []byte(text), 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return event.Invalid(field, "has a PEM block that is no certificate; give certificates only, and never a private key")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return event.Invalid(field, "certificate %d cannot be read: %s", n+1, strings.TrimPrefix(err.Error(), "x509: "))
		}
		n++
	}
	if n == 0 || len(bytes.TrimSpace(rest)) > 0 {
		return event.Invalid(field, "is not PEM from its beginning to its end; give one or more blocks of CERTIFICATE")
	}
	return nil
}

func checkPEM(field, text string) error {
	if n := len(text); n > event.MaxPEMBytes {
		return event.Invalid(field, "has %d bytes; at most %d are allowed", n, event.MaxPEMBytes)
	}
	if !utf8.ValidString(text) {
		return event.Invalid(field, "is not a text; give PEM")
	}
	return nil
}
