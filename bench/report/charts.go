package report

import "fmt"

// latencyChart is the percentiles of latencies, on a logarithmic axis.
type latencyChart struct {
	Rows  []latencyRow
	Ticks []tick
}

// latencyRow is one distribution. Places are percent.
type latencyRow struct {
	Name, Of                  string
	Again                     bool // the row above is of the same scenario
	P50, P90, P99, P999, Max  string
	Body, Tail                string // lengths from p50 to p99 and on to the maximum
	Median, High, Most, Count string // in words
	Ticks                     []tick
}

// Desc is the row for who does not see it.
func (r latencyRow) Desc() string {
	return fmt.Sprintf("%s, %s: p50 %s, p99 %s, max %s of %s", r.Name, r.Of, r.Median, r.High, r.Most, r.Count)
}

// latencyChart shows medians over the runs of each percentile.
func (r *Report) latencyChart() *latencyChart {
	type row struct {
		name, of string
		l        Latency
	}
	var rows []row
	var values []float64
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		for _, part := range []row{
			{s.Name, "send to receipt", s.latency(func(r Run) Latency { return r.Delivery })},
			{s.Name, "request to answer", s.latency(func(r Run) Latency { return r.Request })},
		} {
			if part.l.Count > 0 {
				rows = append(rows, part)
				values = append(values, part.l.P50, part.l.Max)
			}
		}
	}
	a, ticks, ok := decades(values)
	if !ok {
		return nil
	}
	c := &latencyChart{Ticks: a.horizontal(ticks, func(v float64) string { return axisLabel(v, "ms") })}
	for i, p := range rows {
		c.Rows = append(c.Rows, latencyRow{
			Name: p.name, Of: p.of, Again: i > 0 && rows[i-1].name == p.name,
			P50: a.percent(p.l.P50), P90: a.percent(p.l.P90), P99: a.percent(p.l.P99), P999: a.percent(p.l.P999), Max: a.percent(p.l.Max),
			Body: a.width(p.l.P50, p.l.P99), Tail: a.width(p.l.P99, p.l.Max),
			Median: FormatMS(p.l.P50), High: FormatMS(p.l.P99), Most: FormatMS(p.l.Max), Count: count(p.l.Count),
			Ticks: c.Ticks,
		})
	}
	return c
}

// latency is the median over the runs of each percentile; of the runs that
// measured any.
func (s *Scenario) latency(of func(Run) Latency) (l Latency) {
	var all []Latency
	for _, run := range s.Runs {
		if one := of(run); one.Count > 0 {
			all = append(all, one)
			l.Count += one.Count
		}
	}
	if len(all) == 0 {
		return l
	}
	middle := func(part func(Latency) float64) float64 {
		var values []float64
		for _, one := range all {
			values = append(values, part(one))
		}
		return Median(values)
	}
	l.P50 = middle(func(l Latency) float64 { return l.P50 })
	l.P90 = middle(func(l Latency) float64 { return l.P90 })
	l.P99 = middle(func(l Latency) float64 { return l.P99 })
	l.P999 = middle(func(l Latency) float64 { return l.P999 })
	l.Max = middle(func(l Latency) float64 { return l.Max })
	return l
}

// usageChart is the processor time of a delivery, by process.
type usageChart struct {
	Rows  []usageBar
	Ticks []tick
}

// usageBar is a stack of three. Places and lengths are percent.
type usageBar struct {
	Name                        string
	Baseline                    bool
	Server, Generator, Receiver string // in words
	Sum, Busy                   string
	ServerWidth, GeneratorAt    string
	GeneratorWidth, ReceiverAt  string
	ReceiverWidth               string
	Ticks                       []tick
}

// Desc is the row for who does not see it.
func (b usageBar) Desc() string {
	return fmt.Sprintf("%s: server %s, generator %s, receiver %s, sum %s µs a delivery", b.Name, b.Server, b.Generator, b.Receiver, b.Sum)
}

// usageChart shows medians over the runs, each above its baseline.
func (r *Report) usageChart() *usageChart {
	type row struct {
		name     string
		baseline bool
		u        Usage
	}
	var rows []row
	high := 0.0
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		for _, part := range []row{{s.Name, false, s.usage(false)}, {s.Baseline, true, s.usage(true)}} {
			if sum := part.u.sum(); finite(sum) && sum > 0 {
				rows = append(rows, part)
				high = max(high, sum)
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	a, ticks := linear(0, high, decimalStep)
	c := &usageChart{Ticks: a.horizontal(ticks, func(v float64) string { return axisLabel(v, "us") })}
	for _, p := range rows {
		server, generator := p.u.Server, p.u.Server+p.u.Generator
		c.Rows = append(c.Rows, usageBar{
			Name: p.name, Baseline: p.baseline, Ticks: c.Ticks,
			Server: digits(p.u.Server), Generator: digits(p.u.Generator), Receiver: digits(p.u.Receiver),
			Sum: digits(p.u.sum()), Busy: percent(p.u.Busy),
			ServerWidth: a.width(0, server), GeneratorAt: a.percent(server), GeneratorWidth: a.width(server, generator),
			ReceiverAt: a.percent(generator), ReceiverWidth: a.width(generator, p.u.sum()),
		})
	}
	return c
}
