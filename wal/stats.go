package wal

// Stats is what the store under the log reports of itself.
type Stats struct {
	DiskBytes      uint64 // tables and write-ahead logs on disk
	MemTableBytes  uint64
	CompactionDebt uint64 // bytes still to be compacted
	ReadAmp        int    // tables that a read may have to look into
	Flushes        int64
	Compactions    int64
}

// Stats reads the store's counters. It takes the store's lock for a moment, so
// it is for scrapes.
func (l *Log) Stats() Stats {
	m := l.db.Metrics()
	return Stats{
		DiskBytes:      m.DiskSpaceUsage(),
		MemTableBytes:  m.MemTable.Size,
		CompactionDebt: m.Compact.EstimatedDebt,
		ReadAmp:        m.ReadAmp(),
		Flushes:        m.Flush.Count,
		Compactions:    m.Compact.Count,
	}
}
