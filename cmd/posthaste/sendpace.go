package main

import (
	"context"
	"sync"
	"time"
)

// pacer spreads events over time. One goroutine uses it.
type pacer struct {
	each time.Duration // between two events; 0: no limit
	next time.Time     // when the next may go
}

func newPacer(rate float64) *pacer {
	if rate <= 0 {
		return &pacer{}
	}
	return &pacer{each: time.Duration(float64(time.Second) / rate)}
}

// wait waits until n events may go.
func (p *pacer) wait(ctx context.Context, n int) error {
	if p.each == 0 {
		return nil
	}
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	wait := p.next.Sub(now)
	p.next = p.next.Add(time.Duration(n) * p.each)
	if wait == 0 {
		return nil
	}
	return pause(ctx, wait)
}

// gate holds back all who send while the server asked to be left alone.
type gate struct {
	mu    sync.Mutex
	until time.Time
}

// hold closes the gate for d, if it is not closed for longer.
func (g *gate) hold(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.until) {
		g.until = until
	}
}

// wait returns when the gate is open, or ctx is done.
func (g *gate) wait(ctx context.Context) error {
	for {
		g.mu.Lock()
		d := time.Until(g.until)
		g.mu.Unlock()
		if d <= 0 {
			return ctx.Err()
		}
		if err := pause(ctx, d); err != nil {
			return err
		}
	}
}
