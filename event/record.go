package event

// CatalogRecord is one record of the catalog as the log keeps it: a project, an
// endpoint, a subscription, a key. Value is the catalog's own encoding.
type CatalogRecord struct {
	Kind  byte
	ID    ID
	Rev   uint64 // revision: 1 at creation, one more with each change
	Value []byte // nil in a write: delete the record
}
