package mutants

// all are the mutants, by the promise that each would break.
var all = []mutant{
	// Acknowledged means durable.
	{
		name: "acknowledge before the sync", file: "wal/committer.go",
		old: "	if !l.o.Relaxed {\n		if err := g.batch.SyncWait(); err != nil {",
		new: "	l.decide(g.outcome, nil)\n	if !l.o.Relaxed {\n		if err := g.batch.SyncWait(); err != nil {",
		pkg: "wal", test: "TestNoAckAfterAFailure",
	},
	{
		name: "a failed sync is not final", file: "wal/committer.go",
		old: "		if err := g.batch.SyncWait(); err != nil {\n			l.fail(err)\n		}",
		new: "		_ = g.batch.SyncWait()",
		pkg: "wal", test: "TestFailedSyncIsFinal",
	},
	{
		name: "a closing log drops what waits", file: "wal/committer.go",
		old: "	for g := l.take(1); g != nil; g = l.take(1) {",
		new: "	for g := l.take(1); g != nil && g.empty(); g = l.take(1) {",
		pkg: "wal", test: "TestCloseDuringWrites",
	},
	{
		name: "a record's checksum is not looked at", file: "wal/codec.go",
		old: "	if crc != binary.LittleEndian.Uint32(value[1:]) {",
		new: "	if crc != binary.LittleEndian.Uint32(value[1:]) && len(value) < recordHeaderLen {",
		pkg: "wal", test: "TestEveryBitFlipIsFound",
	},
	{
		name: "an idempotency key is claimed twice", file: "wal/idempotency.go",
		old: "if held, busy := t.busy[keys[i].idemKey]; busy {",
		new: "if held, busy := t.busy[keys[i].idemKey]; busy && i < 0 {",
		pkg: "wal", test: "TestSameKeyAtOnce",
	},
	{
		name: "an idempotency key is not looked up in the log", file: "wal/idempotency.go",
		old: "	for i := range keys {\n		if err := l.lookUp(subs, &keys[i], now); err != nil {",
		new: "	for i := range keys[:0] {\n		if err := l.lookUp(subs, &keys[i], now); err != nil {",
		pkg: "wal", test: "TestSameKeySameContentIsADuplicate",
	},

	// At least once, and not more often than need be.
	{
		name: "an attempt that was cut short counts", file: "event/status.go",
		old: "return c != ClassLocal && c != ClassCancelled",
		new: "return c != ClassLocal",
		pkg: "engine", test: "TestStopCancelsWhenItsTimeIsOver",
	},
	{
		name: "an attempt that failed on this machine counts", file: "event/status.go",
		old: "return c != ClassLocal && c != ClassCancelled",
		new: "return c != ClassCancelled",
		pkg: "engine", test: "TestALocalFailureIsNoAttempt",
	},
	{
		name: "the watermark passes what is not settled", file: "engine/mark.go",
		old: "		if inMemory {\n			m.Watermark = min(m.Watermark, low.Time())\n		}\n",
		new: "",
		pkg: "engine", test: "TestCrashesChangeNothing",
	},
	{
		name: "outcomes are not flushed by a stop", file: "engine/engine.go",
		old: "return errors.Join(e.pool.Stop(10*time.Second), e.mark(), e.o.Store.Flush())",
		new: "return errors.Join(e.pool.Stop(10*time.Second), e.mark())",
		pkg: "engine", test: "TestStopWaitsForAttemptsInFlight",
	},
	{
		name: "an end is no end", file: "engine/decide.go",
		old: "		d.Status, d.Reason = event.Success, \"\"\n",
		new: "		d.Status, d.Reason = event.Retry, \"\"\n",
		pkg: "engine", test: "TestAnAttemptThatSucceedsIsTheLast",
	},
	{
		name: "one attempt too many", file: "engine/decide.go",
		old: "d.Reason != \"\" || d.Attempts >= d.Limit {",
		new: "d.Reason != \"\" || d.Attempts > d.Limit {",
		pkg: "engine", test: "TestTheNumberOfAttemptsIsTheOneConfigured",
	},
	{
		name: "at most once is not written down first", file: "engine/worker.go",
		old: "		if !s.forewarn(st) {",
		new: "		if s.draining && !s.forewarn(st) {",
		pkg: "engine", test: "TestAtMostOnceAcrossACrash",
	},
	{
		name: "a batch retry does not heed its search", file: "jobs/page.go",
		old: "do: fits && !late, late: fits && late}",
		new: "do: (fits || !late) && !late, late: fits && late}",
		pkg: "jobs", test: "TestRetryOfASearch",
	},
	{
		name: "a job that runs is forgotten", file: "wal/jobs.go",
		old: "		if job.EndedAt != nil && !job.EndedAt.After(end) {",
		new: "		if job.EndedAt == nil || !job.EndedAt.After(end) {",
		pkg: "wal", test: "TestForgetJobs",
	},

	// What an endpoint asks for.
	{
		name: "Retry-After is ignored", file: "engine/decide.go",
		old: "max(p.Wait(d.Attempts, random), min(a.RetryAfter, MaxRetryAfter))",
		new: "p.Wait(d.Attempts, random)",
		pkg: "engine", test: "TestDecide",
	},
	{
		name: "410 is one failure of many", file: "engine/decide.go",
		old: "	case a.StatusCode == http.StatusGone:",
		new: "	case a.StatusCode == http.StatusGone && d.Attempts < 0:",
		pkg: "engine", test: "TestDecide",
	},
	{
		name: "a token is taken and not noted", file: "engine/gate.go",
		old: "	ep.tat = tat\n	return true",
		new: "	_ = tat\n	return true",
		pkg: "engine", test: "TestTheRateIsTheOneConfigured",
	},
	{
		name: "one endpoint has all workers", file: "engine/gate.go",
		old: "	n := s.e.o.EndpointCap\n",
		new: "	n := s.e.o.EndpointCap << 8\n",
		pkg: "engine", test: "TestEndpointCap",
	},

	// What a receiver can do.
	{
		name: "a connection that spoke out of turn is used", file: "sender/target.go",
		old: "		if c.stale(now, t.options) {",
		new: "		if c.stale(now, t.options) && stale > 100 {",
		pkg: "sender", test: "TestGhost",
	},
	{
		name: "a connection that was closed is used", file: "sender/conn.go",
		old: "	c.quiet = err == syscall.EAGAIN",
		new: "	c.quiet = err == syscall.EAGAIN || err == nil",
		pkg: "sender", test: "TestManyStale",
	},
	{
		name: "idle connections live on", file: "sender/conn.go",
		old: "	if now.Sub(c.rested) > o.IdleConn || now.Sub(c.opened) > o.MaxConnAge {",
		new: "	if now.Sub(c.opened) > o.MaxConnAge {",
		pkg: "sender", test: "TestOldConnectionsAreNotUsed",
	},
	{
		name: "a connection with an answer left over is used", file: "sender/answer.go",
		old: "!x.head.ConnectionClose() &&\n		x.in.Buffered() == 0",
		new: "!x.head.ConnectionClose()",
		pkg: "sender", test: "TestHostileReceivers",
	},
	{
		name: "a handshake has no deadline", file: "sender/dial.go",
		old: "	if err := c.tcp.SetDeadline(deadline); err != nil {\n		return err\n	}\n	if err := over.Handshake()",
		new: "	_ = deadline\n	if err := over.Handshake()",
		pkg: "sender", test: "TestHostileReceivers",
	},
	{
		name: "interim answers without end", file: "sender/answer.go",
		old: "	for range maxInterimAnswers {\n		head, err := x.peekHead(c)",
		new: "	for {\n		head, err := x.peekHead(c)",
		pkg: "sender", test: "TestHostileReceivers",
	},
	{
		name: "an answer's body is drained to its end", file: "sender/body.go",
		old: "	n, err := io.CopyN(io.Discard, r, drainBytes)",
		new: "	n, err := io.Copy(io.Discard, r)",
		pkg: "sender", test: "TestHostileReceivers",
	},
	{
		name: "status 000 is an answer", file: "sender/answer.go",
		old: "	if len(rest) < 4 || rest[0] == '0' ||",
		new: "	if len(rest) < 4 ||",
		pkg: "sender", test: "TestHostileReceivers",
	},

	// What is signed is what is sent.
	{
		name: "something else is signed than is sent", file: "sender/header.go",
		old: "	b = signer.Append(b, now, x.body)",
		new: "	b = signer.Append(b, now, ev.Data)",
		pkg: "sender", test: "TestForm",
	},
	{
		name: "a secret that ended still signs", file: "catalog/signer.go",
		old: "	return s.DeletedAt == nil && (s.ExpiresAt == nil || now.Before(*s.ExpiresAt))",
		new: "	return s.DeletedAt == nil",
		pkg: "catalog", test: "TestExpireSecretEndsExactly",
	},

	// What may be called.
	{
		name: "nothing is checked before connect", file: "internal/netguard/dialer.go",
		old: "KeepAlive: 30 * time.Second, ControlContext: p.control}",
		new: "KeepAlive: 30 * time.Second}",
		pkg: "internal/netguard", test: "TestTheLastCheckStandsAlone",
	},
	{
		name: "resolved addresses are not checked", file: "internal/netguard/dialer.go",
		old: "if err := d.policy.CheckAddr(ap); err != nil {\n			refused = err",
		new: "if err := d.policy.CheckAddr(ap); err != nil && port != 443 {\n			refused = err",
		pkg: "internal/netguard", test: "TestTargets",
	},
	{
		name: "a proxy gets any address", file: "internal/netguard/dialer.go",
		old: "	if err := d.policy.CheckAddr(ap); err != nil {\n		return nil, err\n	}\n	return d.proxy.connect",
		new: "	return d.proxy.connect",
		pkg: "internal/netguard", test: "TestTheLastCheckStandsBeforeTheProxyToo",
	},
	{
		name: "IPv4 in IPv6 clothes passes", file: "internal/netguard/policy.go",
		old: "	a := ap.Addr().Unmap()\n	switch {",
		new: "	a := ap.Addr()\n	switch {",
		pkg: "internal/netguard", test: "TestOperatorLists",
	},
	{
		name: "a URL is checked when it is made only", file: "sender/client.go",
		old: "	canonical, err := guard.CanonicalURL(raw)",
		new: "	canonical, err := raw, error(nil)",
		pkg: "sender", test: "TestConnectFailures",
	},
	{
		name: "the server may call itself", file: "internal/app/egress.go",
		old: "		DenyListeners: ownListeners(a.o.Listen, a.admin.listener.Addr().String(), a.o.ConsoleListen),\n",
		new: "",
		pkg: "internal/app", test: "TestEgressSettingsReachTheGuard",
	},
	{
		name: "TLS 1.0 will do", file: "sender/dial.go",
		old: "	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)",
		new: "	c.MinVersion = tls.VersionTLS10",
		pkg: "sender", test: "TestTLSConfigKeepsItsBounds",
	},

	// What a producer can do.
	{
		name: "two lengths for one body", file: "ingest/guard.go",
		old: "	if coding > 0 && length > 0 {",
		new: "	if coding > 0 && length > 1 {",
		pkg: "ingest", test: "TestSmuggling",
	},
	{
		name: "a body may be a byte larger", file: "ingest/inflate.go",
		old: "	if len(w.out) > w.limit {",
		new: "	if len(w.out) > w.limit+1 {",
		pkg: "ingest", test: "TestInflateToTheLimitExactly",
	},
	{
		name: "an event's data must be a byte smaller", file: "ingest/check.go",
		old: "	if len(f.data) > r.maxData {",
		new: "	if len(f.data) >= r.maxData {",
		pkg: "ingest", test: "TestDataAtTheLimit",
	},
	{
		name: "strangers may claim much", file: "ingest/stranger.go",
		old: "	c.MaxRequestBodySize = d.largest(h)\n",
		new: "	c.MaxRequestBodySize = d.o.MaxRequestBytes\n",
		pkg: "ingest", test: "TestStrangersClaimLittle",
	},
	{
		name: "large bodies have any room", file: "ingest/bodyroom.go",
		old: "	refused := r.held > 0 && r.held+n > r.limit\n",
		new: "	refused := r.held > 0 && r.held+n > 1000*r.limit\n",
		pkg: "ingest", test: "TestRoomForLargeBodies",
	},
	{
		name: "room is not given back", file: "ingest/bodyroom.go",
		old: "		r.held -= v.n\n",
		new: "",
		pkg: "ingest", test: "TestRoomForLargeBodies",
	},
	{
		name: "requests may take for ever", file: "ingest/watch.go",
		old: "waits == waitsRequest && waited > w.read:",
		new: "waits == waitsRequest && waited > 1000*w.read:",
		pkg: "ingest", test: "TestSlowRequest",
	},
	{
		name: "brackets may nest deeper", file: "internal/jsonscan/scanner.go",
		old: "	if limit <= 0 || limit > DefaultMaxDepth {\n		return DefaultMaxDepth",
		new: "	if limit <= 0 || limit > DefaultMaxDepth {\n		return DefaultMaxDepth + 1",
		pkg: "internal/jsonscan", test: "TestDepth",
	},
	{
		name: "who is refused while sending is reset", file: "ingest/conns.go",
		old: "	if c.refused.CompareAndSwap(true, false) {",
		new: "	if c.refused.CompareAndSwap(true, false) && c.l.o.MaxRequestBytes == 0 {",
		pkg: "ingest", test: "TestRefusedWhileSending",
	},

	// What stays secret.
	{
		name: "an authentication header is recorded in clear", file: "sender/compose.go",
		old: "	m.shown = appendHeader(m.shown, name, masked)",
		new: "	m.shown = appendHeader(m.shown, name, value)",
		pkg: "sender", test: "TestAuthentication",
	},
	{
		name: "a key that ended still opens", file: "catalog/authenticate.go",
		old: "	if passed(k.expires, now) {",
		new: "	if passed(k.expires, now) && k.rev == 0 {",
		pkg: "catalog", test: "TestKeyExpiry",
	},
	{
		name: "a key's digest is not compared", file: "catalog/authenticate.go",
		old: "	if k == nil || subtle.ConstantTimeCompare(digest[:], k.digest[:]) != 1 {",
		new: "	if k == nil || subtle.ConstantTimeCompare(digest[:], k.digest[:]) > 1 {",
		pkg: "catalog", test: "TestAuthenticate",
	},
}
