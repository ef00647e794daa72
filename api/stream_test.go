package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"posthaste/event"
	"posthaste/live"
)

// TestDeliveryStream: what is told, how, and how often.
func TestDeliveryStream(t *testing.T) {
	inStreamWorld(t, live.Options{}, func(t *testing.T, w *streamWorld) {
		l := w.listen(w.in("/eventdeliveries/stream?status=Retry"), w.key)
		first := l.got()
		if names(first) != "open" || first[0].data != `{"resumed":false}` || first[0].id == "" {
			t.Fatalf("it begins with %+v", first)
		}
		for name, want := range map[string]string{"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Length": ""} {
			if got := l.header.Get(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
		began := time.Now()
		w.tell(w.outcome(w.own, event.Retry), w.outcome(w.own, event.Success))
		if early := l.got(); len(early) != 0 {
			t.Errorf("before its time: %+v", early)
		}
		time.Sleep(streamPace)
		all := l.got()
		if names(all) != "delivery" {
			t.Fatalf("got %+v", all)
		}
		var row struct {
			UID      event.ID `json:"uid"`
			Status   string   `json:"status"`
			Metadata struct{ Data, Raw any }
			Attempt  triedView
		}
		all[0].into(t, &row)
		if row.UID != w.own["eventDeliveryID"] || row.Status != "Retry" || row.Metadata.Data != nil || row.Metadata.Raw != "" {
			t.Errorf("row: %s", all[0].data)
		}
		if a := row.Attempt; a.Number != 2 || a.StatusCode != 503 || a.ErrorClass != "status" || a.DurationMS != 1.5 {
			t.Errorf("attempt: %+v", a)
		}
		w.sameFields(all[0].data)

		w.tell(w.outcome(w.own, event.Retry))
		time.Sleep(streamPace - time.Millisecond)
		if early := l.got(); len(early) != 0 {
			t.Errorf("two batches in less than %v", streamPace)
		}
		time.Sleep(time.Millisecond)
		last := l.got()
		if names(last) != "delivery" || last[0].id == all[0].id {
			t.Errorf("then %+v", last)
		}
		w.tell(w.outcome(w.own, event.Success)) // not for it, but it has seen it
		time.Sleep(time.Until(began.Add(streamBeat)))
		beat := l.raw()
		if !strings.Contains(beat, ": beat\nid: ") || strings.Contains(beat, "id: "+last[0].id+"\n") {
			t.Errorf("after 15 s: %q", beat)
		}
		l.leave()
		if n := w.hub.Stats().Open; n != 0 {
			t.Errorf("%d streams are open", n)
		}
	})
}

// sameFields compares a message's fields with those of the list's rows.
func (w *streamWorld) sameFields(message string) {
	w.t.Helper()
	var row map[string]any
	var page struct{ Content []map[string]any }
	if json.Unmarshal([]byte(message), &row) != nil || json.Unmarshal(w.do("GET", w.in("/eventdeliveries"), "").Data, &page) != nil {
		w.t.Fatal("not JSON")
	}
	delete(row, "attempt")
	if got, want := slices.Sorted(maps.Keys(row)), slices.Sorted(maps.Keys(page.Content[0])); !slices.Equal(got, want) {
		w.t.Errorf("a message has %v, a row %v", got, want)
	}
}

func TestEventStream(t *testing.T) {
	inStreamWorld(t, live.Options{}, func(t *testing.T, w *streamWorld) {
		l := w.listen(w.in("/events/stream?eventType=own.created"), w.key)
		w.hub.Durable([][]event.Submission{{
			{Event: event.Event{ID: w.own["eventID"], ProjectID: w.project, Type: "own.created", Data: []byte(`{"hidden":1}`), Owed: []event.Delivery{{EndpointID: w.own["endpointID"]}}}},
			{Event: event.Event{ID: event.NewID(), ProjectID: w.project, Type: "other"}},
			{Event: event.Event{ID: event.NewID(), ProjectID: w.other, Type: "own.created"}},
		}}, nil)
		time.Sleep(streamPace)
		all := l.got()
		if names(all) != "open event" || strings.Contains(all[1].data, "hidden") {
			t.Fatalf("got %+v", all)
		}
		var row struct {
			ID        event.ID `json:"uid"`
			Endpoints []event.ID
		}
		all[1].into(t, &row)
		if row.ID != w.own["eventID"] || len(row.Endpoints) != 1 || !strings.Contains(all[1].data, `"data":null`) {
			t.Errorf("%s", all[1].data)
		}
		l.leave()
	})
}

// TestStreamResumes: by the header, by the parameter, and not from where nobody knows.
func TestStreamResumes(t *testing.T) {
	inStreamWorld(t, live.Options{Entries: 4}, func(t *testing.T, w *streamWorld) {
		path := w.in("/eventdeliveries/stream")
		l := w.listen(path, w.key)
		w.tell(w.outcome(w.own, event.Retry))
		time.Sleep(streamPace)
		all := l.got()
		l.leave()
		seen := all[1].id
		w.tell(w.outcome(w.own, event.Success), w.outcome(w.own, event.Failure))
		for _, resume := range []func() *listener{
			func() *listener { return w.listen(path, w.key, "Last-Event-ID", seen) },
			func() *listener { return w.listen(path+"?lastEventId="+seen, w.key) },
			func() *listener { return w.listen(path+"?lastEventId="+all[0].id, w.key, "Last-Event-ID", seen) },
		} {
			l := resume()
			time.Sleep(streamPace)
			if got := l.got(); names(got) != "open delivery delivery" || got[0].data != `{"resumed":true}` || got[0].id != seen || !strings.Contains(got[1].data, "Success") {
				t.Errorf("resumed with %+v", got)
			}
			l.leave()
		}
		for range 4 {
			w.tell(w.outcome(w.own, event.Retry))
		}
		for id, reason := range map[string]string{seen: "expired", "hello": "unknown", "abc-1": "restarted"} {
			l := w.listen(path, w.key, "Last-Event-ID", id)
			got := l.got()
			if names(got) != "reset" || !strings.Contains(got[0].data, `"reason":"`+reason+`"`) || got[0].id == id {
				t.Errorf("after %s: %+v", id, got)
			}
			l.leave()
			back := w.listen(path, w.key, "Last-Event-ID", got[0].id)
			if again := back.got(); names(again) != "open" {
				t.Errorf("after a reset: %+v", again)
			}
			back.leave()
		}
	})
}

// TestStreamEnds: within two seconds of its right to be there, and with the reason.
func TestStreamEnds(t *testing.T) {
	inStreamWorld(t, live.Options{}, func(t *testing.T, w *streamWorld) {
		key, id := w.newKey(w.in("/keys"), `{"name":"reader","scopes":["read"]}`)
		revoked := w.listen(w.in("/eventdeliveries/stream"), key)
		w.do("PUT", w.in("/keys/%s/revoke", id), "")
		w.wantEnd(revoked, 401)
		gone, stopped := w.listen(w.in("/eventdeliveries/stream"), root), w.listen("/api/v1/projects/"+w.other.String()+"/events/stream", root)
		w.must(w.catalog.DeleteProject(w.project))
		w.wantEnd(gone, 404)
		w.hub.Close()
		w.wantEnd(stopped, 503)
	})
}

// wantEnd checks that a stream ends, as a request would be refused.
func (w *streamWorld) wantEnd(l *listener, code int) {
	w.t.Helper()
	time.Sleep(streamLook)
	synctest.Wait()
	select {
	case <-l.done:
	default:
		w.t.Fatalf("it goes on, with %s", l.raw())
	}
	all := l.got()
	if last := all[len(all)-1]; last.name != "end" || !strings.Contains(last.data, fmt.Sprintf(`{"code":%d,`, code)) {
		w.t.Errorf("it ended with %+v, want %d", last, code)
	}
}

// TestStreamCutsBatches: a page is shown the newest rows of each batch, and how many there
// were.
func TestStreamCutsBatches(t *testing.T) {
	inStreamWorld(t, live.Options{}, func(t *testing.T, w *streamWorld) {
		l := w.listen(w.in("/eventdeliveries/stream?maxRows=2"), w.key)
		l.got()
		for range 7 {
			w.tell(w.outcome(w.own, event.Success))
		}
		time.Sleep(streamPace)
		if got := l.got(); names(got) != "delivery delivery batch" || got[2].data != `{"shown":2,"of":7}` {
			t.Errorf("got %+v", got)
		}
		l.leave()
	})
}

// TestSlowStream: who is not fast enough is told how much it lost, and goes on.
func TestSlowStream(t *testing.T) {
	inStreamWorld(t, live.Options{Queue: 4}, func(t *testing.T, w *streamWorld) {
		l := w.listen(w.in("/eventdeliveries/stream"), w.key)
		l.got()
		for range maxEncoders {
			w.api.encoders <- struct{}{}
		}
		for range 10 {
			w.tell(w.outcome(w.own, event.Success))
			time.Sleep(streamPace)
		}
		if held := l.got(); len(held) != 0 {
			t.Fatalf("got %+v", held)
		}
		for range maxEncoders {
			<-w.api.encoders
		}
		time.Sleep(streamPace)
		var lost droppedView
		shown, told := 0, 0
		for _, m := range l.got() {
			if m.name == "delivery" {
				shown++
				continue
			}
			m.into(t, &lost)
			told++
		}
		if told != 1 || lost.Dropped == 0 || shown+int(lost.Dropped) != 10 {
			t.Errorf("%d were shown, and %d times %d said to be lost, of 10", shown, told, lost.Dropped)
		}
		l.leave()
	})
}

// TestStreamRefusals: what cannot be shown is refused as the list refuses it.
func TestStreamRefusals(t *testing.T) {
	inStreamWorld(t, live.Options{MaxStreams: 2, MaxPerHolder: 1}, func(t *testing.T, w *streamWorld) {
		writer, _ := w.newKey(w.in("/keys"), `{"name":"writer","scopes":["ingest"]}`)
		for _, c := range []struct {
			path, key string
			code      int
			message   string
		}{
			{w.in("/eventdeliveries/stream"), "nothing at all, I am afraid", 401, "authorization failed"},
			{w.in("/eventdeliveries/stream"), writer, 403, "read"},
			{w.in("/eventdeliveries/stream?status=Lost"), w.key, 400, "status: want one of"},
			{w.in("/eventdeliveries/stream?endpointId=1"), w.key, 400, "endpointId"},
			{w.in("/eventdeliveries/stream?maxRows=0"), w.key, 400, "maxRows: want a number from 1 to 1000"},
			{w.in("/eventdeliveries/stream?query=x"), w.key, 400, "query: cannot be looked for in a stream"},
			{w.in("/events/stream?query=x"), w.key, 400, "query: cannot be looked for in a stream"},
			{w.in("/events/stream?body={}"), w.key, 400, "body"},
			{"/api/v1/projects/" + w.other.String() + "/events/stream", w.key, 404, "not found"},
			{"/portal-api/events/stream", w.key, 403, "portal"},
		} {
			if a := w.do("GET", c.path, "", as(c.key)...); a.Code != c.code || !strings.Contains(a.Message, c.message) {
				t.Errorf("%s: %d %q", c.path, a.Code, a.Message)
			}
		}
		one := w.listen(w.in("/eventdeliveries/stream"), w.key)
		if a := w.do("GET", w.in("/events/stream"), "", as(w.key)...); a.Code != 429 || a.header.Get("Retry-After") == "" {
			t.Errorf("a second one of a key: %d %q", a.Code, a.Message)
		}
		two := w.listen(w.in("/eventdeliveries/stream"), root)
		third, _ := w.newKey(w.in("/keys"), `{"name":"third","scopes":["read"]}`)
		if a := w.do("GET", w.in("/events/stream"), "", as(third)...); a.Code != 503 || !strings.Contains(a.Message, "--max-streams") {
			t.Errorf("a third one of all: %d %q", a.Code, a.Message)
		}
		one.leave()
		two.leave()
	})
}

// TestStreamWithoutEvent: an outcome whose event was not at hand is shown with the one in
// the log, and only to who asks for its key.
func TestStreamWithoutEvent(t *testing.T) {
	inStreamWorld(t, live.Options{}, func(t *testing.T, w *streamWorld) {
		d, err := w.log.Delivery(w.project, w.own["eventDeliveryID"])
		w.must(err)
		e, err := w.log.Event(w.project, d.EventID)
		w.must(err)
		yes := w.listen(w.in("/eventdeliveries/stream?idempotencyKey=%s", e.IdempotencyKey), w.key)
		no := w.listen(w.in("/eventdeliveries/stream?idempotencyKey=another"), w.key)
		w.tell(event.Outcome{Delivery: d, Type: e.Type})
		time.Sleep(streamPace)
		if got := yes.got(); names(got) != "open delivery" || !strings.Contains(got[1].data, `"raw":""`) || !strings.Contains(got[1].data, `"attempt":null`) {
			t.Errorf("got %+v", got)
		}
		if got := no.got(); names(got) != "open" {
			t.Errorf("another key: %+v", got)
		}
		yes.leave()
		no.leave()
	})
}

// TestPortalStream: every kind of portal grant sees its owner's, also of an endpoint that
// was made a moment ago, and nothing of another's.
func TestPortalStream(t *testing.T) {
	inStreamWorld(t, live.Options{}, func(t *testing.T, w *streamWorld) {
		var all []*listener
		for _, name := range slices.Sorted(maps.Keys(w.grants)) {
			for _, path := range []string{w.in("/eventdeliveries/stream"), "/portal-api/eventdeliveries/stream?maxRows=20", "/portal-api/events/stream", "/portal-api/eventdeliveries/stream?ownerId=B"} {
				l := w.listen(path, w.grants[name])
				if l.code == 200 {
					all = append(all, l)
				}
			}
		}
		if len(all) < 8 {
			t.Fatalf("only %d streams of %d grants opened", len(all), len(w.grants))
		}
		late := w.addParty(w.project, 77, "A", "late")
		var submissions []event.Submission
		for i, p := range append([]party{w.own, late}, w.others...) {
			o := w.outcome(p, event.Success)
			o.Type, o.Event.Type = foreign, foreign
			if i < 2 {
				o.Type, o.Event.Type = "own.created", "own.created"
			}
			w.tell(o)
			e := *o.Event
			e.Owed = []event.Delivery{o.Delivery, {EndpointID: w.others[0]["endpointID"], ProjectID: w.project}}[:1+i%2]
			submissions = append(submissions, event.Submission{Event: e})
		}
		w.hub.Durable([][]event.Submission{submissions}, nil)
		time.Sleep(streamPace)
		shown := 0
		for _, l := range all {
			for _, m := range l.got() {
				for _, marker := range w.markers {
					if strings.Contains(m.data, marker) {
						t.Errorf("%s shows %s: %s", m.name, marker, m.data)
					}
				}
				switch m.name {
				case "delivery", "event":
					shown++
				case "batch":
					if !strings.Contains(m.data, `"of":4}`) {
						t.Errorf("others' were counted: %s", m.data)
					}
				}
			}
		}
		if shown == 0 {
			t.Error("nothing was shown")
		}
		for _, l := range all {
			l.leave()
		}
	})
}

// TestStreamFollowsTheLink: a link that lists other endpoints from now on shows those, to
// streams that are open, too.
func TestStreamFollowsTheLink(t *testing.T) {
	inStreamWorld(t, live.Options{}, func(t *testing.T, w *streamWorld) {
		second := w.addParty(w.project, 77, "A", "second")
		link, err := w.catalog.CreatePortalLink(event.PortalLink{ProjectID: w.project, Name: "two", OwnerID: "A", AuthType: event.PortalStatic, Endpoints: []event.ID{w.own["endpointID"]}})
		w.must(err)
		l := w.listen("/portal-api/eventdeliveries/stream", link.Token)
		_, err = w.catalog.UpdatePortalLink(w.project, link.ID, func(l *event.PortalLink) error {
			l.Endpoints = []event.ID{second["endpointID"]}
			return nil
		})
		w.must(err)
		time.Sleep(streamLook)
		synctest.Wait()
		w.tell(w.outcome(w.own, event.Success), w.outcome(second, event.Success))
		time.Sleep(streamPace)
		if got := l.got(); names(got) != "open delivery" || !strings.Contains(got[1].data, second["endpointID"].String()) {
			t.Errorf("got %+v", got)
		}
		l.leave()
	})
}

var errCut = errors.New("cut")

// TestStreamCutOff: a client that takes nothing loses its place.
func TestStreamCutOff(t *testing.T) {
	inStreamWorld(t, live.Options{}, func(t *testing.T, w *streamWorld) {
		l := w.listen(w.in("/eventdeliveries/stream"), w.key)
		l.mu.Lock()
		l.broken = errCut
		l.mu.Unlock()
		w.tell(w.outcome(w.own, event.Success))
		time.Sleep(streamPace)
		<-l.done
		if n := w.hub.Stats().Open; n != 0 {
			t.Errorf("%d streams are open", n)
		}
	})
}
