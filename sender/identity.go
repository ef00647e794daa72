package sender

import (
	"bytes"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"posthaste/catalog"
)

const (
	// maxKeyBits bounds an RSA key, and maxKeyBytes any private key, as DER: work with
	// larger ones is a way to keep a processor busy.
	maxKeyBits  = 8192
	maxKeyBytes = 6 << 10
)

// identity is what one endpoint adds to the TLS handshake, as PEM texts: the client
// certificate and key that posthaste shows, and authorities that are trusted beside
// the server's. Connections are for one identity only.
type identity struct {
	cert, key, ca string
}

func identityOf(ep *catalog.Endpoint) identity {
	id := identity{ca: ep.CACert}
	if ep.ClientCert != nil {
		id.cert, id.key = ep.ClientCert.Cert, ep.ClientCert.Key
	}
	return id
}

// shows reports whether there is a client certificate.
func (id *identity) shows() bool { return id.cert != "" || id.key != "" }

// secured is a TLS configuration, and when its client certificate is good; zero times
// without one.
type secured struct {
	config     *tls.Config
	from, ends time.Time
}

// secure makes the configuration for one endpoint.
func (id *identity) secure(base *tls.Config, host string) (*secured, error) {
	s := &secured{config: endpointTLS(base, host)}
	if id.ca != "" {
		pool, err := rootsBeside(base.RootCAs, []byte(id.ca))
		if err != nil {
			return nil, &authError{"the endpoint's ca_cert", err}
		}
		s.config.RootCAs = pool
	}
	if !id.shows() {
		return s, nil
	}
	pair, err := id.pair()
	if err != nil {
		return nil, &authError{"the endpoint's mtls_client_cert", err}
	}
	s.from, s.ends = pair.Leaf.NotBefore, pair.Leaf.NotAfter
	s.config.Certificates = nil
	// Shown whatever authorities the peer names: it is for the peer to say which
	// certificate it does not take.
	s.config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }
	return s, nil
}

// pair reads the client certificate. The size of its keys is looked at first, which
// is cheap.
func (id *identity) pair() (*tls.Certificate, error) {
	der := firstBlock(id.cert, "CERTIFICATE")
	if der == nil {
		return nil, errors.New("client_cert has no certificate in PEM")
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New("client_cert is not a certificate")
	}
	public, _ := leaf.PublicKey.(*rsa.PublicKey)
	if public != nil && public.N.BitLen() > maxKeyBits || len(firstBlock(id.key, "PRIVATE KEY")) > maxKeyBytes {
		return nil, fmt.Errorf("the key is too large; RSA of %d bits is the most", maxKeyBits)
	}
	pair, err := tls.X509KeyPair([]byte(id.cert), []byte(id.key))
	if err != nil {
		return nil, fmt.Errorf("certificate and key do not go together: %w", err)
	}
	return &pair, nil
}

// firstBlock is the first block of a PEM text whose type ends so; nil if there is none.
func firstBlock(text, kind string) []byte {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil
		}
		if strings.HasSuffix(block.Type, kind) {
			return block.Bytes
		}
	}
}

// check reports whether the client certificate is good at now.
func (s *secured) check(now time.Time) error {
	const what = "the endpoint's mtls_client_cert"
	switch {
	case s.ends.IsZero():
		return nil
	case now.After(s.ends):
		return &authError{what, fmt.Errorf("it expired on %s; give a new certificate and key", s.ends.UTC().Format(time.RFC3339))}
	case now.Before(s.from):
		return &authError{what, fmt.Errorf("it is not valid before %s", s.from.UTC().Format(time.RFC3339))}
	}
	return nil
}

// rootsBeside is the authorities in pem and those that are trusted anyway: roots, or
// the system's if roots is nil.
func rootsBeside(roots *x509.CertPool, pem []byte) (*x509.CertPool, error) {
	if roots == nil {
		return RootsWith(pem)
	}
	pool := roots.Clone()
	if !pool.AppendCertsFromPEM(bytes.TrimSpace(pem)) {
		return nil, errNoCertificate
	}
	return pool, nil
}
