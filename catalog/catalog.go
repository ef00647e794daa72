package catalog

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"posthaste/event"
	"posthaste/internal/seal"
)

// The kinds of catalog record. They are stored: their values never change.
const (
	KindProject      byte = 'p'
	KindEndpoint     byte = 'e'
	KindSubscription byte = 's'
	KindKey          byte = 'k'
	KindEventType    byte = 't'
	KindSource       byte = 'o'
	KindPortalLink   byte = 'l'
	KindApplication  byte = 'a'
)

// Bounds of Options.
const (
	MinPepperBytes      = 16
	MinInstanceKeyBytes = 16
	maxTokenBytes       = 512 // of any key that Authenticate looks at
)

// Store is where the catalog is durable.
type Store interface {
	// LoadCatalog calls fn for every record of the store, in any order, and
	// returns fn's first error. The value is fn's only until fn returns.
	LoadCatalog(fn func(event.CatalogRecord) error) error

	// CASCatalog writes all of recs or none, durable when it returns nil. Each
	// record's Rev is its new revision: the stored one must be Rev-1, and absent
	// when Rev is 1, otherwise nothing is written and the error is
	// event.ErrConflict. A nil Value deletes the record. trail is what the audit log
	// says of it, written with the records or not at all.
	CASCatalog(recs []event.CatalogRecord, trail ...event.Audit) error
}

// Options configure a Catalog. All but Now, CheckOAuth2 and Seal
// are required.
type Options struct {
	// Pepper keys the digests of API keys, at least MinPepperBytes long. Another
	// pepper makes every stored key invalid.
	Pepper []byte
	// InstanceKey is the key that may do everything, MinInstanceKeyBytes to 512
	// bytes. It is not stored.
	InstanceKey string
	// Now is the clock that dates objects and ends keys; nil is time.Now. It
	// must be safe to call from any goroutine.
	Now func() time.Time
	// URLPolicy checks an endpoint's URL and returns the form in which it is
	// called; enforceTLS asks for https. It is called from any goroutine, with the
	// writers' lock held or not.
	URLPolicy func(raw string, enforceTLS bool) (canonical string, err error)
	// CheckOAuth2 says what is wrong with an endpoint's OAuth2 settings: an
	// event.InvalidError whose field is relative to them. It is called with the
	// writers' lock held. nil checks only that what is needed is there.
	CheckOAuth2 func(*event.OAuth2Auth) error
	// Seal keeps secrets unreadable in the store: those that sign, those of an
	// endpoint's authentication and custom headers, the key of its client certificate,
	// those of a source's verifier and broker, the tokens of portal links. nil leaves
	// them in clear. Records in clear are read in any case.
	Seal *seal.Box
}

func (o *Options) validate() error {
	switch {
	case len(o.Pepper) < MinPepperBytes:
		return fmt.Errorf("catalog: the pepper has %d bytes, it needs at least %d", len(o.Pepper), MinPepperBytes)
	case len(o.InstanceKey) < MinInstanceKeyBytes:
		return fmt.Errorf("catalog: the instance key has %d characters, it needs at least %d", len(o.InstanceKey), MinInstanceKeyBytes)
	case len(o.InstanceKey) > maxTokenBytes:
		return fmt.Errorf("catalog: the instance key has %d characters, it may have at most %d", len(o.InstanceKey), maxTokenBytes)
	case o.URLPolicy == nil:
		return errors.New("catalog: Options.URLPolicy is missing")
	}
	return nil
}

// Catalog is the catalog of one server. Its methods may be called from any
// goroutine. Writers take turns; a write has happened, and survives a crash,
// when its method returns without an error, and has not happened when it returns
// event.InvalidError, event.ErrNotFound or event.ErrConflict. After any other
// error the store has failed and only a restart tells. Readers never wait.
type Catalog struct {
	*core
	by event.Audit // who acts, see By
}

// core is what all have in common that act on one catalog.
type core struct {
	store       Store
	now         func() time.Time
	urlPolicy   func(string, bool) (string, error)
	checkOAuth2 func(*event.OAuth2Auth) error // nil: none
	digest      digester
	instance    [digestBytes]byte // digest of the instance key
	portal      digester          // of short-lived portal tokens
	snapshot    atomic.Pointer[Snapshot]
	watchers    watchers

	// mu makes writers take turns. It is held over the store's write on purpose:
	// revisions, snapshots and the change feed have one order. Readers never take it.
	mu struct {
		sync.Mutex
		state    *state     // what the next snapshot is made from
		box      *seal.Box  // nil: secrets are stored in clear
		unsealed []resealed // what Reseal has to write
	}
}

// Open loads the catalog from its store. It fails on a record that it cannot
// read or that names an object which is not stored; it changes nothing.
func Open(store Store, o Options) (*Catalog, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Catalog{core: &core{
		store: store, now: o.Now, urlPolicy: o.URLPolicy, checkOAuth2: o.CheckOAuth2, digest: newDigester(o.Pepper),
	}}
	c.mu.box = o.Seal
	c.instance = c.digest.sum([]byte(o.InstanceKey))
	portalKey := c.digest.sum([]byte(shortKeyLabel))
	c.portal = newDigester(portalKey[:])
	var err error
	if c.mu.state, c.mu.unsealed, err = load(store, o.Seal, &c.digest); err != nil {
		return nil, fmt.Errorf("catalog: load: %w", err)
	}
	c.snapshot.Store(c.mu.state.publish(nil))
	return c, nil
}

// Snapshot is the catalog as of the last finished write. It costs one atomic load.
func (c *Catalog) Snapshot() *Snapshot { return c.snapshot.Load() }

// commitLocked makes edits durable with what the audit log says of them, publishes them
// and tells the watchers.
func (c *Catalog) commitLocked(op string, edits ...edit) error {
	return c.commitTrailLocked(op, c.trail(op, edits), edits)
}

func (c *Catalog) commitTrailLocked(op string, trail []event.Audit, edits []edit) error {
	if err := c.writeLocked(op, edits, trail...); err != nil {
		return err
	}
	c.watchers.tell(edits)
	return nil
}

// writeLocked makes edits durable and publishes them.
func (c *Catalog) writeLocked(op string, edits []edit, trail ...event.Audit) error {
	recs := make([]event.CatalogRecord, len(edits))
	for i := range edits {
		rec, err := edits[i].record(c.mu.box)
		if err != nil {
			return fmt.Errorf("catalog: %s: %w", op, err)
		}
		recs[i] = rec
	}
	if err := c.store.CASCatalog(recs, trail...); err != nil {
		return fmt.Errorf("catalog: %s: %w", op, err)
	}
	for i := range edits {
		edits[i].apply(c.mu.state)
	}
	c.snapshot.Store(c.mu.state.publish(c.snapshot.Load()))
	return nil
}

// timestamp is the time that a write is dated with: UTC, without the monotonic
// reading, which would not survive a reload.
func (c *Catalog) timestamp() time.Time { return c.now().UTC().Round(0) }

// newID keeps an id that the caller chose, for imports, and makes one otherwise.
func newID(given event.ID) event.ID {
	if given.IsZero() {
		return event.NewID()
	}
	return given
}
