package console

// timing is where the time of an attempt went, in milliseconds.
type timing struct {
	Token   float64 `json:"token_ms"`
	DNS     float64 `json:"dns_ms"`
	Connect float64 `json:"connect_ms"`
	TLS     float64 `json:"tls_ms"`
	Wait    float64 `json:"wait_ms"`
	Read    float64 `json:"read_ms"`
}

// span is a part of an attempt's time, and where it is drawn: in thousandths of the whole.
type span struct {
	Name, Class string
	MS, X, W    float64
}

// leastSpan is what is told of, in milliseconds: less is written as 0.0.
const leastSpan = 0.05

// Spans are the parts that took any time to speak of, in the order in which they did.
// None: it is not known where it went, or it was nothing.
func (a attempt) Spans() []span {
	t := a.Timing
	if t == nil {
		return nil
	}
	total := t.Token + t.DNS + t.Connect + t.TLS + t.Wait + t.Read
	if total < leastSpan {
		return nil
	}
	x := 0.0
	var out []span
	for _, s := range []span{
		{Name: "access token", Class: "token", MS: t.Token}, {Name: "DNS", Class: "dns", MS: t.DNS},
		{Name: "connecting", Class: "connect", MS: t.Connect}, {Name: "TLS", Class: "tls", MS: t.TLS},
		{Name: "waiting for an answer", Class: "wait", MS: t.Wait}, {Name: "reading it", Class: "read", MS: t.Read},
	} {
		s.X, s.W = x, 1000*s.MS/total
		x += s.W
		if s.MS < leastSpan {
			continue
		}
		out = append(out, s)
	}
	return out
}

// Reused reports whether the request went over a connection that was open before.
func (a attempt) Reused() bool {
	return a.Timing != nil && a.Timing.Connect == 0 && a.IPAddress != ""
}
