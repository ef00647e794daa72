package transform

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// memory watches what a child takes, and bounds it.
type memory struct {
	samples []metrics.Sample
	soft    uint64 // live bytes beyond which the call is interrupted
	hard    uint64 // bytes beyond which the process has to end
}

// maxStackBytes bounds the stack of what the interpreter does in its own code:
// JSON or an expression nested as deep as the bounds allow takes less.
const maxStackBytes = 64 << 20

// newMemory sets the process's limits: the collector works harder near the
// first, no call lives long beyond it, and none gets far beyond the second.
func newMemory(limit int64) (*memory, error) {
	m := &memory{samples: []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}}
	live, base := m.read()
	m.soft, m.hard = live+uint64(limit), base+uint64(limit+limit/2)
	debug.SetMemoryLimit(int64(base) + limit)
	debug.SetMaxStack(maxStackBytes)
	if err := limitProcess(limit + limit/2); err != nil {
		return nil, fmt.Errorf("transform: limit the process's memory: %w", err)
	}
	return m, nil
}

// settle makes sure that a call is not charged with what the one before left.
func (m *memory) settle() {
	if live, _ := m.read(); live > m.soft/2 {
		runtime.GC()
	}
}

// read tells what was alive at the last collection, and what the process has.
func (m *memory) read() (live, total uint64) {
	metrics.Read(m.samples)
	return m.samples[0].Value.Uint64(), m.samples[1].Value.Uint64() - m.samples[2].Value.Uint64()
}
