package ingest

import "unsafe"

// stringOf is b as a string without a copy. The bytes must not change as long
// as the string is in use. An event's strings lie in the same memory as its
// data, which is written once and never again; copying each would be up to four
// more allocations an event (BenchmarkOwn: 3 to 1 for an ordinary event).
func stringOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
