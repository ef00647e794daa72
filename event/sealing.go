package event

// Sealing says under which key secrets are stored, and how far it is with those that are
// stored under another.
type Sealing struct {
	KeyID string // of the key that seals
	// Older are the other keys of the file, by their ids. Once Left is 0 and Running is
	// false, no secret of this store needs them; backups do.
	Older   []string
	Running bool // records are being written anew
	Left    int  // records to be looked at
	Done    int  // records that were written since the last new key
	Error   string
}
