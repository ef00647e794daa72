package wal

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// goldenClock is 2100-01-01, a time that the machine's clock will not reach
// before the ids do.
const goldenClock = 4_102_444_800_000

var goldenRecords = []struct{ name, key, value string }{
	{"health", "41000b01000000000000000000000000000002", "0188e383ffac0280b08fe6b2770281b08fe6b277"},
	{"behind", "42000b01000000000000000000000000000002", "01a271ea8d03bb2cc3d800d559d10b010203040507"},
	{"catalog", "437001000000000000000000000000000001", "018482967801000000000000007b226e616d65223a2278227d"},
	{"delivery", "4400116370000bd559d10b03bb2cc3d8000102030405070000", "015f887b720003bb2cc3d800a1b2c3d4010203040506010000000000000000000000000000010100000000000000000000000000000201000000000000000000000000001b5800"},
	{"delivery", "4400116370000bd559d10b03bb2cc3d8000102030405070002", "0107e6364503170105c09fbaffbc31c084b6c1c1c482030001a0c297c1c1c48203dc0bf703010b756e617661696c61626c650f3230332e302e3131332e393a3434331868747470733a2f2f6578616d706c652e636f6d2f686f6f6b0101410462000101430464000462757379"},
	{"delivery", "4400116370000bd559d10b03bb2cc3d80001020304050b0000", "014796c9f88003bb2cc3d800a1b2c3d401020304050a010000000000000000000000000000010100000000000000000000000000000201000000000000000000000000001b5800"},
	{"delivery", "4400116370000bd559d10b03bb2cc3d80001020304050b0002", "01b646a41203310105c09fbaffbc31c084b6c1c1c482030001a0c297c1c1c48203dc0bf7030100001868747470733a2f2f6578616d706c652e636f6d2f686f6f6b00000012ac02d00f"},
	{"delivery", "4400116370000bd559d10b03bb2cc3d80001020304050e0000", "01e35427c80003bb2cc3d800a1b2c3d401020304050d010000000000000000000000000000010100000000000000000000000000000201000000000000000000000000001b5800"},
	{"delivery", "4400116370000bd559d10b03bb2cc3d80001020304050e0002", "01afcf46bf0211010500c084b6c1c1c482030001a0c297c1c1c48203dc0bc8010000001868747470733a2f2f6578616d706c652e636f6d2f686f6f6b000000"},
	{"delivery", "4400116370002016ff622003bb2cc3d8000102030405080000", "0185c5c7fa0503bb2cc3d800a1b2c3d4010203040506010000000000000000000000000000010100000000000000000000000000000301000000000000000000000000001b591674686520656e64706f696e7420697320706175736564"},
	{"delivery", "4400116370002016ff622003bb2cc3d8000102030405080001", "01b39543e4050000000080808fe8ede4a4071874686520656e64706f696e74207761732064656c65746564"},
	{"event", "45001163700100000000000000000000000000000103bb2cc3d800a1b2c3d4010203040506", "01b479bc1f010203040507018bcfe568000a6f726465722e70616964036b2d31056f776e65720203582d41013103582d42000201000000000000000000000000000002010000000000000000000000000000037b2261223a2022c3bc227d"},
	{"event", "45001163700100000000000000000000000000000103bb2cc3d800a1b2c3d4010203040509", "02d288fa52010203040509010003bb2cc3d800a1b2c3d401020304050600000000000000000000000000000000018bcfe568000a6f726465722e70616964036b2d31056f776e657200000000"},
	{"event", "45001163700100000000000000000000000000000103bb2cc3d800a1b2c3d401020304050a", "02688af68d01020304050b00000000000000000000000000000000000001000000000000000000000000000005018bcfe568000a6f726465722e706169640000032f696e03613d310001010000000000000000000000000000027b7d"},
	{"event", "45001163700100000000000000000000000000000103bb2cc3d800a1b2c3d401020304050c", "020247d34301020304050d020003bb2cc3d800a1b2c3d401020304050600000000000000000000000000000000018bcfe568000a6f726465722e706169640000000000007b7d"},
	{"event", "45001163700100000000000000000000000000000103bb2cc3d800a1b2c3d401020304050d", "0251d08e7d01020304050e00010000000000000000000000000000000000000000000000000000000000000000018bcfe568000a6f726465722e7061696400000000000101000000000000000000000000000002"},
	{"find", "4600116370010000000000000000000000000000010103bb2cc3d800a1b2c3d401020304050e", "01ddadd66b03bb2cc3d800a1b2c3d4010203040506ea02bf2e8e00"},
	{"find", "4600116370010000000000000000000000000000016203bb2cc3d800a1b2c3d401020304050e", "012b97e66903bb2cc3d800a1b2c3d40102030405068455b60c4c00"},
	{"find", "4600116370010000000000000000000000000000016703bb2cc3d800a1b2c3d401020304050e", "01d5488d7f03bb2cc3d800a1b2c3d401020304050616b5bc3e3c00"},
	{"find", "4600116370010000000000000000000000000000017d03bb2cc3d800a1b2c3d401020304050e", "01f9bbbfb803bb2cc3d800a1b2c3d4010203040506657c5e09a600"},
	{"find", "460011637001000000000000000000000000000001c203bb2cc3d800a1b2c3d401020304050e", "01892f698403bb2cc3d800a1b2c3d40102030405064cb1941e5500"},
	{"find", "460011637001000000000000000000000000000001ef03bb2cc3d800a1b2c3d401020304050e", "017b28062503bb2cc3d800a1b2c3d40102030405068ade56007700"},
	{"find", "460011637001000000000000000000000000000001f303bb2cc3d800a1b2c3d401020304050e", "0160801c8d03bb2cc3d800a1b2c3d4010203040506607e82f5d000"},
	{"find", "460011637001000000000000000000000000000001f403bb2cc3d800a1b2c3d401020304050e", "013dc74b3403bb2cc3d800a1b2c3d4010203040506ee4ee4bb2500"},
	{"gone", "4701000000000000000000000000000001", "0108f8622800000001000000020000000300000004"},
	{"stretch", "49001163700100000000000000000000000000000103bb2cc3d800a1b2c3d401020304050e", "01e653107003bb2cc3d8000000000000000000000005"},
	{"idempotency", "4b001163700100000000000000000000000000000193230c4601a8338c42a4e66e41264319", "01ad1e256a03bb2cc3d800a1b2c3d401020304050684ddc39887ee2444"},
	{"left", "4c00000007", "0151cdcb83"},
	{"counts", "4e00001163700100000000000000000000000000000100", "01827b6cb5000203020202"},
	{"counts", "4e0000116370010000000000000000000000000000010101000000000000000000000000000002", "018263ed0300010302"},
	{"counts", "4e0000116370010000000000000000000000000000010101000000000000000000000000000003", "01b227c66b00010502"},
	{"counts", "4e000011637001000000000000000000000000000001026f726465722e70616964", "0185307942000203020202"},
	{"counts", "4e010000b97a0100000000000000000000000000000100", "01bc8c409a000203020202"},
	{"counts", "4e010000b97a010000000000000000000000000000010101000000000000000000000000000002", "0151af86f900010302"},
	{"counts", "4e010000b97a010000000000000000000000000000010101000000000000000000000000000003", "0161ebad9100010502"},
	{"counts", "4e010000b97a01000000000000000000000000000001026f726465722e70616964", "013648df08000203020202"},
	{"counts", "4e02000005cb0100000000000000000000000000000100", "01a4ba2da71a0203020202"},
	{"counts", "4e02000005cb010000000000000000000000000000010101000000000000000000000000000002", "01c2b521501a010302"},
	{"counts", "4e02000005cb010000000000000000000000000000010101000000000000000000000000000003", "01f2f10a381a010502"},
	{"counts", "4e02000005cb01000000000000000000000000000001026f726465722e70616964", "017de126701a0203020202"},
	{"replay", "52001163700100000000000000000000000000000103bb2cc3d800a1b2c3d401020304050603bb2cc3d800a1b2c3d401020304050c", ""},
	{"size", "530000000701000000000000000000000000000001", "019eec793bac02"},
	{"timer", "54000b01000000000000000000000000000002018bcfee8fc003bb2cc3d800d559d10b010203040507", "0144db6a120203bb2cc3d800a1b2c3d40102030405060100000000000000000000000000000101000000000000000000000000001b580105"},
	{"timer", "54000b01000000000000000000000000000002018bcfee8fc003bb2cc3d800d559d10b01020304050b", "01234d9f760803bb2cc3d800a1b2c3d401020304050a0100000000000000000000000000000101000000000000000000000000001b580105"},
	{"watermark", "57fffe", "01f339105a03bb2cc3d800"},
	{"watermark", "57ffff", "01f0ba7ba803bb2cc3d800"},
	{"status", "5800116370010000000000000000000000000000010303bb2cc3d800d559d10b010203040507", ""},
	{"status", "5800116370010000000000000000000000000000010303bb2cc3d800d559d10b01020304050b", ""},
	{"status", "5800116370010000000000000000000000000000010503bb2cc3d80016ff6220010203040508", ""},
}

// TestGoldenBytes writes one record of each kind through the log's methods and
// compares the bytes in the store. A change here is a new format version. A job and a record
// of the audit log are JSON of the event package, so their bytes are not compared; nor are
// those of groups' counts, whose pages come in any order: see TestGoldenBook of stats.
func TestGoldenBytes(t *testing.T) {
	l := goldenLog(t)
	got := records(t, l)
	got = slices.DeleteFunc(got, func(r record) bool { return r.key[0] == kindCounted })
	if len(got) != len(goldenRecords)+4 {
		for _, r := range got {
			t.Logf("{%q, %q, %q},", dumpers[r.key[0]].name, hex.EncodeToString(r.key), hex.EncodeToString(r.value))
		}
		t.Fatalf("%d records, want %d, the header, a job, and a record of the audit log twice", len(got), len(goldenRecords))
	}
	i := 0
	for _, r := range got {
		if r.key[0] == kindHeader || r.key[0] == kindJob || r.key[0] == kindAudit {
			continue
		}
		want := goldenRecords[i]
		if k, v := hex.EncodeToString(r.key), hex.EncodeToString(r.value); k != want.key || v != want.value {
			t.Errorf("%s:\n got key %s\n    want %s\n got value %s\n      want %s", want.name, k, want.key, v, want.value)
		}
		i++
	}
}

// An attempt of a store of format 3, whose headers are not packed.
func TestAttemptOfFormat3(t *testing.T) {
	key, _ := hex.DecodeString("4400116370000bd559d10b03bb2cc3d8000102030405070002")
	value, _ := hex.DecodeString("015d0492f803070105c09fbaffbc31c084b6c1c1c482030001a0c297c1c1c48203dc0bf703010b756e617661696c61626c65" +
		"0f3230332e302e3131332e393a3434331868747470733a2f2f6578616d706c652e636f6d2f686f6f6b06413a20620d0a06433a20640d0a0462757379")
	var d event.Delivery
	var a event.Attempt
	holds, err := decodeOutcome(key, value, &d, &a)
	if err != nil || !holds || string(a.RequestHeaders) != "A: b\r\n" || string(a.ResponseHeaders) != "C: d\r\n" || string(a.ResponseBody) != "busy" {
		t.Errorf("got %v, %v, %+v", holds, err, a)
	}
}

// TestGoldenHeader compares the store's header field by field: its time varies.
func TestGoldenHeader(t *testing.T) {
	for _, r := range records(t, goldenLog(t)) {
		if r.key[0] != kindHeader {
			continue
		}
		body, err := open(r.key, r.value)
		must(t, err)
		var fields map[string]any
		must(t, json.Unmarshal(body.b, &fields))
		if _, err := time.Parse(time.RFC3339, fields["created_at"].(string)); err != nil {
			t.Error(err)
		}
		delete(fields, "created_at")
		again, err := json.Marshal(fields)
		must(t, err)
		const want = `{"bucket_ms":3600000,"created_by":"test","format":6,"magic":"posthaste","min_reader":6,"partitions":256}`
		if string(again) != want || string(r.key) != "H" {
			t.Errorf("got %s under %q, want %s", again, r.key, want)
		}
		return
	}
	t.Fatal("no header")
}

type record struct{ key, value []byte }

// records reads every record of a log.
func records(t testing.TB, l *Log) []record {
	t.Helper()
	it, err := l.db.NewIter(nil)
	must(t, err)
	var all []record
	for valid := it.First(); valid; valid = it.Next() {
		all = append(all, record{bytesClone(it.Key()), bytesClone(it.Value())})
	}
	must(t, it.Error())
	must(t, it.Close())
	return all
}

// goldenLog holds at least one record of each kind, with all fields set and
// nothing left to chance but the header's time.
func goldenLog(t testing.TB) *Log {
	t.Helper()
	l := openLog(t, testOptions(vfs.NewMem()))
	l.mu.Lock()
	l.node, l.seq, l.clock = 0xA1B2C3D4, 0x010203040506, goldenClock
	l.mu.Unlock()

	project, ep1, ep2 := idOf(1), idOf(2), idOf(3)
	must(t, l.CASCatalog([]event.CatalogRecord{{Kind: 'p', ID: project, Rev: 1, Value: []byte(`{"name":"x"}`)}}))
	s := post(project, `{"a": "ü"}`, ep1, ep2)
	s.Event.IdempotencyKey, s.Event.OwnerID = "k-1", "owner"
	s.Event.Headers = []event.Header{{Name: "X-A", Value: "1"}, {Name: "X-B", Value: ""}}
	s.Event.Owed[1].Status, s.Event.Owed[1].Reason = event.Discarded, "the endpoint is paused"
	ev := appendOne(t, l, s)

	st := attempted(ev.Owed[0], event.Retry)
	st.Delivery.Manual, st.Attempt.Manual, st.Attempt.BodyCut = true, true, true
	st.Attempt.Error, st.Attempt.Address = "unavailable", "203.0.113.9:443"
	st.Attempt.RequestHeaders, st.Attempt.ResponseHeaders, st.Attempt.ResponseBody = []byte("A: b\r\n"), []byte("C: d\r\n"), []byte("busy")
	must(t, l.Settle(&st))
	discard := event.Settlement{Delivery: ev.Owed[1], Was: event.Discarded}
	discard.Delivery.Reason = "the endpoint was deleted"
	must(t, l.Settle(&discard))
	must(t, l.SetMark(event.Mark{Watermark: goldenClock, Behind: []event.Behind{{Endpoint: ep1, After: ev.Owed[0].ID}}}))
	must(t, l.Flush())
	must(t, l.fold())
	addNewer(t, l, ev)
	return l
}

// addNewer adds the records of format 2.
func addNewer(t testing.TB, l *Log, first *event.Event) {
	t.Helper()
	project, ep1 := idOf(1), idOf(2)
	again := post(project, `{"a": "ü"}`)
	again.Event.IdempotencyKey, again.Event.OwnerID = "k-1", "owner"
	if again = submit(t, l, again); !again.Duplicate {
		t.Fatalf("not a duplicate: %+v", again)
	}
	sourced := post(project, "{}", ep1)
	sourced.Event.SourceID, sourced.Event.Path, sourced.Event.Query = idOf(5), "/in", "a=1"
	sourced.Event.Owed[0].AtMostOnce = true
	st := attempted(appendOne(t, l, sourced).Owed[0], event.Retry)
	st.Attempt.Timing = event.Timing{Lookup: 300 * time.Microsecond, Wait: 2 * time.Millisecond}
	must(t, l.Settle(&st))
	replay := post(project, "{}")
	replay.Event.Origin, replay.Event.Of = event.Replayed, first.ID
	appendOne(t, l, replay)
	erased := appendOne(t, l, post(project, "secret", ep1))
	done := attempted(erased.Owed[0], event.Success)
	done.Attempt.ResponseBody = []byte("secret")
	must(t, l.Settle(&done))
	must(t, l.DeleteContent(project, erased.ID))
	must(t, l.SetMark(event.Mark{Health: []event.Health{{Endpoint: ep1, Failures: 300, Since: goldenClock, Trips: 2, Until: goldenClock + 1}}}))
	must(t, l.PutJob(event.Job{ID: idOf(6), ProjectID: project, Kind: event.JobRetry, State: event.JobRunning, CreatedAt: hourTime(1), UpdatedAt: hourTime(2)}))
	b := l.db.NewBatch()
	for _, r := range []record{
		{appendGoneKey(nil, project), sealedGone(appendGoneKey(nil, project), &progress{1, 2, 3, 4})},
		{appendBucket(nil, kindLeft, 7), sealedLeft(appendBucket(nil, kindLeft, 7))},
		{appendSizeKey(nil, 7, project), sealedSize(appendSizeKey(nil, 7, project), 300)},
	} {
		must(t, b.Set(r.key, r.value, nil))
	}
	must(t, b.Commit(nil))
	indexAll(t, l)
	must(t, l.Audit(event.Audit{ProjectID: project, Action: "key.create", Outcome: event.AuditDone}))
	must(t, l.Flush())
}
