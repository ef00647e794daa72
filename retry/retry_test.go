package retry

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"posthaste/event"
)

const (
	lowest  = 0
	middle  = 1 << 31
	highest = 1<<32 - 1
)

func percent(n int) *int { return &n }

func compiled(t *testing.T, s event.Strategy) *Policy {
	t.Helper()
	p, err := Compile(s)
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	return p
}

func TestWait(t *testing.T) {
	linear := event.Strategy{Type: event.StrategyLinear, Duration: 100, RetryCount: 10}
	exponential := event.Strategy{Type: event.StrategyExponential, Duration: 100, RetryCount: 10}
	own := event.Strategy{Type: event.StrategySchedule, Schedule: []int{7, 70, 700}}
	convoy := event.Strategy{Type: event.StrategySchedule, ScheduleName: event.ScheduleConvoy}
	standard := event.Strategy{Type: event.StrategySchedule, ScheduleName: event.ScheduleStandard}
	with := func(s event.Strategy, jitter int) event.Strategy { s.Jitter = percent(jitter); return s }
	capped := func(s event.Strategy, cap int) event.Strategy { s.MaxDuration = cap; return s }

	for name, c := range map[string]struct {
		s      event.Strategy
		n      int
		random uint32
		want   time.Duration
	}{
		"linear, least":                 {linear, 1, lowest, 100 * time.Second},
		"linear, middle, late":          {linear, 9, middle, 105 * time.Second},
		"linear, most":                  {linear, 1, highest, 110 * time.Second},
		"linear, jitter, least":         {with(linear, 30), 1, lowest, 70 * time.Second},
		"linear, jitter, most":          {with(linear, 30), 1, highest, 130 * time.Second},
		"linear, no jitter":             {with(linear, 0), 1, highest, 100 * time.Second},
		"exponential, least":            {exponential, 1, lowest, 80 * time.Second},
		"exponential, most":             {exponential, 1, highest, 120 * time.Second},
		"exponential, second":           {exponential, 2, middle, 200 * time.Second},
		"exponential, third":            {exponential, 3, middle, 400 * time.Second},
		"exponential, before the cap":   {exponential, 7, middle, 6400 * time.Second},
		"exponential, at the cap":       {exponential, 8, middle, event.DefaultMaxBackoff * time.Second},
		"exponential, far beyond":       {exponential, 1000, middle, event.DefaultMaxBackoff * time.Second},
		"exponential, cap of its own":   {capped(exponential, 250), 3, middle, 250 * time.Second},
		"exponential, cap below":        {capped(exponential, 50), 1, middle, 50 * time.Second},
		"exponential, cap is a step":    {capped(exponential, 200), 2, middle, 200 * time.Second},
		"exponential, no jitter":        {with(exponential, 0), 3, lowest, 400 * time.Second},
		"schedule, first, least":        {own, 1, lowest, 5600 * time.Millisecond},
		"schedule, second, most":        {own, 2, highest, 84 * time.Second},
		"schedule, last":                {own, 3, middle, 700 * time.Second},
		"schedule, beyond the end":      {own, 4, middle, 700 * time.Second},
		"schedule, full jitter given":   {with(own, 100), 1, lowest, time.Millisecond},
		"schedule, no such attempt":     {own, 0, middle, 7 * time.Second},
		"convoy, first":                 {convoy, 1, lowest, 8 * time.Second},
		"convoy, fourth":                {convoy, 4, middle, 180 * time.Second},
		"convoy, last":                  {convoy, 7, middle, 900 * time.Second},
		"standard, first, least":        {standard, 1, lowest, time.Millisecond},
		"standard, first, most":         {standard, 1, highest, 5 * time.Second},
		"standard, second, middle":      {standard, 2, middle, 150 * time.Second},
		"standard, third, least":        {standard, 3, lowest, 1440 * time.Second},
		"standard, last, most":          {standard, 9, highest, 86400 * 12 / 10 * time.Second},
		"standard, jitter given":        {with(standard, 10), 1, lowest, 4500 * time.Millisecond},
		"longest, with jitter given":    {event.Strategy{Type: "linear", Duration: event.MaxRetrySeconds, RetryCount: 2, Jitter: percent(100)}, 1, highest, maxWait},
		"longest, with default jitter":  {event.Strategy{Type: "linear", Duration: event.MaxRetrySeconds, RetryCount: 2}, 1, middle, event.MaxRetrySeconds * time.Second * 105 / 100},
		"one second with full jitter":   {event.Strategy{Type: "linear", Duration: 1, RetryCount: 2, Jitter: percent(100)}, 1, lowest, time.Millisecond},
		"the type's name before Convoy": {event.Strategy{Type: "default", Duration: 3, RetryCount: 2}, 1, lowest, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			got := compiled(t, c.s).Wait(c.n, c.random)
			if (got - c.want).Abs() > time.Duration(c.want>>31)+1 { // the greatest random number is just below 1
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// The wanted value is 276480 s + 138240 s * 0x12345678 / 2^32, by other arithmetic.
func TestWaitIsExact(t *testing.T) {
	p := compiled(t, event.Strategy{Type: "exponential", Duration: 86400, RetryCount: 9, MaxDuration: event.MaxRetrySeconds})
	if got, want := p.Wait(3, 0x12345678), 286310399980545*time.Nanosecond; got != want {
		t.Errorf("%d, want %d", got, want)
	}
}

// anyStrategy is a strategy that may be compiled.
func anyStrategy(t *rapid.T) event.Strategy {
	seconds := rapid.OneOf(rapid.IntRange(1, 100), rapid.IntRange(1, event.MaxRetrySeconds))
	s := event.Strategy{
		Type:       rapid.SampledFrom([]string{event.StrategyLinear, event.StrategyExponential, event.StrategySchedule, "default", "exponential-backoff"}).Draw(t, "type"),
		Duration:   seconds.Draw(t, "duration"),
		RetryCount: rapid.IntRange(1, event.MaxAttempts).Draw(t, "count"),
		MaxAge:     rapid.IntRange(0, event.MaxRetrySeconds).Draw(t, "age"),
		Jitter:     rapid.Ptr(rapid.IntRange(0, 100), true).Draw(t, "jitter"),
	}
	if rapid.Bool().Draw(t, "capped") {
		s.MaxDuration = seconds.Draw(t, "cap")
	}
	if s.Type == event.StrategySchedule {
		s.ScheduleName = rapid.SampledFrom([]string{"", event.ScheduleConvoy, event.ScheduleStandard}).Draw(t, "name")
		s.RetryCount = rapid.IntRange(0, event.MaxAttempts).Draw(t, "count")
		if s.ScheduleName == "" {
			s.Schedule = rapid.SliceOfN(seconds, 1, event.MaxScheduleSteps).Draw(t, "schedule")
		}
	}
	return s
}

func TestWaitsStayInTheirBoundsAndGrowWithRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyStrategy(t)
		p, err := Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(1, event.MaxAttempts).Draw(t, "n")
		a, b := rapid.Uint32().Draw(t, "a"), rapid.Uint32().Draw(t, "b")
		low, high := p.Wait(n, min(a, b)), p.Wait(n, max(a, b))
		if low < minWait || high > maxWait || low > high {
			t.Fatalf("%s at %d, %s at %d", low, min(a, b), high, max(a, b))
		}
		if s.Jitter != nil && *s.Jitter == 0 && low != high {
			t.Fatalf("%s and %s without jitter", low, high)
		}
		if p.Limit() < 1 || p.Limit() > event.MaxAttempts || p.MaxAge() <= 0 {
			t.Fatalf("limit %d, age %s", p.Limit(), p.MaxAge())
		}
	})
}

func TestLimitAndMaxAge(t *testing.T) {
	for name, c := range map[string]struct {
		s     event.Strategy
		limit int
		age   time.Duration
	}{
		"linear":            {event.Strategy{Type: "linear", Duration: 1, RetryCount: 3, MaxAge: 60}, 3, time.Minute},
		"a schedule's own":  {event.Strategy{Type: "schedule", Schedule: []int{1, 2}}, 3, event.MaxRetrySeconds * time.Second},
		"a schedule, cut":   {event.Strategy{Type: "schedule", Schedule: []int{1, 2}, RetryCount: 1}, 1, event.MaxRetrySeconds * time.Second},
		"convoy":            {event.Strategy{ScheduleName: event.ScheduleConvoy}, 8, event.MaxRetrySeconds * time.Second},
		"standard-webhooks": {event.Strategy{ScheduleName: event.ScheduleStandard}, 10, event.MaxRetrySeconds * time.Second},
	} {
		if p := compiled(t, c.s); p.Limit() != c.limit || p.MaxAge() != c.age {
			t.Errorf("%s: %d attempts in %s, want %d in %s", name, p.Limit(), p.MaxAge(), c.limit, c.age)
		}
	}
}

func TestFinal(t *testing.T) {
	given := []int{422, 400, 501, 400}
	p := compiled(t, event.Strategy{Type: "linear", Duration: 1, RetryCount: 3, NoRetryStatuses: given})
	given[0] = 500 // the policy is not the caller's list
	for status, want := range map[int]bool{400: true, 422: true, 501: true, 0: false, 401: false, 500: false, 200: false} {
		if p.Final(status) != want {
			t.Errorf("%d: %v", status, !want)
		}
	}
	if compiled(t, event.Strategy{Type: "linear", Duration: 1, RetryCount: 3}).Final(400) {
		t.Error("final without a list")
	}
}

func TestCompileRefuses(t *testing.T) {
	valid := event.Strategy{Type: "linear", Duration: 1, RetryCount: 1}
	schedule := event.Strategy{Type: "schedule", Schedule: []int{1}}
	for name, c := range map[string]struct {
		s      event.Strategy
		change func(*event.Strategy)
		field  string
		says   string
	}{
		"unknown type":        {valid, func(s *event.Strategy) { s.Type = "hope" }, "type", `"linear", "exponential" or "schedule"`},
		"no wait":             {valid, func(s *event.Strategy) { s.Duration = 0 }, "duration", "1 to 2592000 seconds"},
		"too long a wait":     {valid, func(s *event.Strategy) { s.Duration = event.MaxRetrySeconds + 1 }, "duration", "2592000"},
		"schedule and wait":   {schedule, func(s *event.Strategy) { s.Duration = -1 }, "duration", "0 to"},
		"no attempt":          {valid, func(s *event.Strategy) { s.RetryCount = 0 }, "retry_count", "1 to 1000"},
		"too many attempts":   {schedule, func(s *event.Strategy) { s.RetryCount = event.MaxAttempts + 1 }, "retry_count", "1000"},
		"negative attempts":   {schedule, func(s *event.Strategy) { s.RetryCount = -1 }, "retry_count", "1 to"},
		"negative cap":        {valid, func(s *event.Strategy) { s.MaxDuration = -1 }, "max_duration", "0 is the default"},
		"too high a cap":      {valid, func(s *event.Strategy) { s.MaxDuration = event.MaxRetrySeconds + 1 }, "max_duration", "2592000"},
		"negative age":        {valid, func(s *event.Strategy) { s.MaxAge = -1 }, "max_age", "0 to"},
		"too old":             {valid, func(s *event.Strategy) { s.MaxAge = event.MaxRetrySeconds + 1 }, "max_age", "2592000"},
		"negative jitter":     {valid, func(s *event.Strategy) { s.Jitter = percent(-1) }, "jitter", "0 to 100"},
		"too much jitter":     {valid, func(s *event.Strategy) { s.Jitter = percent(101) }, "jitter", "0 to 100"},
		"no schedule":         {schedule, func(s *event.Strategy) { s.Schedule = nil }, "schedule", "1 to 100"},
		"too long a schedule": {schedule, func(s *event.Strategy) { s.Schedule = make([]int, event.MaxScheduleSteps+1) }, "schedule", "101"},
		"an empty step":       {schedule, func(s *event.Strategy) { s.Schedule = []int{1, 0} }, "schedule[1]", "1 to"},
		"too long a step":     {schedule, func(s *event.Strategy) { s.Schedule = []int{1, 2, event.MaxRetrySeconds + 1} }, "schedule[2]", "2592000"},
		"unknown name":        {schedule, func(s *event.Strategy) { s.ScheduleName = "svix" }, "schedule_name", `"convoy" or "standard-webhooks"`},
		"name and list":       {schedule, func(s *event.Strategy) { s.ScheduleName = event.ScheduleConvoy }, "schedule", `"convoy"`},
		"linear with list":    {valid, func(s *event.Strategy) { s.Schedule = []int{1} }, "schedule", `"schedule"`},
		"linear with name":    {valid, func(s *event.Strategy) { s.ScheduleName = "convoy" }, "schedule_name", `"schedule"`},
		"a success":           {valid, func(s *event.Strategy) { s.NoRetryStatuses = []int{400, 204} }, "no_retry_statuses[1]", "300 to 599"},
		"not a status":        {valid, func(s *event.Strategy) { s.NoRetryStatuses = []int{600} }, "no_retry_statuses[0]", "599"},
		"a status too low":    {valid, func(s *event.Strategy) { s.NoRetryStatuses = []int{99} }, "no_retry_statuses[0]", "100"},
		"too many statuses":   {valid, func(s *event.Strategy) { s.NoRetryStatuses = make([]int, 401) }, "no_retry_statuses", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			c.change(&c.s)
			p, err := Compile(c.s)
			var invalid *event.InvalidError
			if p != nil || !errors.As(err, &invalid) || invalid.Field != c.field || !strings.Contains(invalid.Reason, c.says) {
				t.Errorf("%v, want one of %q that says %q", err, c.field, c.says)
			}
		})
	}
}
