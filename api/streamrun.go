package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"posthaste/event"
	"posthaste/live"
)

// The times of a stream.
const (
	streamPace  = 500 * time.Millisecond // between two batches, unless more waits than may
	streamBeat  = 15 * time.Second       // between two comments, by which both ends see that the other is there
	streamLook  = 2 * time.Second        // between two looks whether the caller may still see it
	streamRetry = 2 * time.Second        // until a client that was cut off comes back
	streamWrite = 5 * time.Second        // for the client to take a batch
)

// A batch is encoded and written in pieces, and so many streams encode at once.
const (
	rowsPerPiece = 64
	maxEncoders  = 2
)

// stream is one client that listens. One goroutine has it.
type stream struct {
	outer    *API  // as it was built
	api      *API  // as the caller sees it
	call     *call // as it was admitted last
	filterOf func(*API, *call) (live.Filter, error)
	filter   live.Filter
	limited  bool // batches are cut, see maxRows
	resumes  bool // the client said what it saw last
	sub      *live.Subscription
	out      sseWriter
}

// serve writes the stream until the client goes, may not see it any more, or the server
// stops.
func (s *stream) serve(w http.ResponseWriter) {
	defer s.sub.Close()
	s.out = newSSEWriter(w)
	defer s.out.close()
	s.greet()
	if s.out.flush() == nil {
		s.run(s.call.r.Context())
	}
}

// head answers a request for the headers.
func (s *stream) head(w http.ResponseWriter) { newSSEWriter(w) }

// run writes batches, and beats in between.
func (s *stream) run(ctx context.Context) {
	beat, look := time.NewTicker(streamBeat), time.NewTicker(streamLook)
	defer beat.Stop()
	defer look.Stop()
	pace := time.NewTimer(streamPace)
	defer pace.Stop()
	rests := true
	for {
		ready := s.sub.Ready()
		if rests {
			ready = nil
		}
		var err error
		select {
		case <-ctx.Done():
			return
		case <-s.sub.Done():
			s.end(event.ErrClosed)
			return
		case <-look.C:
			if err := s.readmit(); err != nil {
				s.end(err)
				return
			}
		case <-pace.C:
			rests = false
		case <-beat.C:
			s.out.comment("beat")
			err = s.batch()
		case <-ready:
			err = s.batch()
			rests = true
			pace.Reset(streamPace)
		case <-s.sub.Pressing():
			err = s.batch()
		}
		if err != nil {
			s.end(err)
			return
		}
	}
}

// greet says where the stream begins.
func (s *stream) greet() {
	s.out.retry(streamRetry)
	if reset := s.sub.Reset(); reset != live.NoReset {
		s.out.event("reset", s.sub.Start(), resetView{string(reset), resetText[reset]})
		return
	}
	s.out.event("open", s.sub.Start(), openView{Resumed: s.resumes})
}

// batch writes what waits for the client, and how far that is.
func (s *stream) batch() error {
	s.refresh()
	b := s.sub.Take()
	if b.Dropped > 0 {
		s.out.event("dropped", "", droppedView{b.Dropped, "the reader was too slow, so that these were not sent; read the list again"})
	}
	shown := 0
	for rest := b.Messages; len(rest) > 0; {
		n := min(len(rest), rowsPerPiece)
		wrote, err := s.piece(rest[:n])
		if err != nil {
			return err
		}
		shown += wrote
		rest = rest[n:]
	}
	if s.limited && shown+b.Left > 0 {
		s.out.event("batch", "", batchView{Shown: shown, Of: shown + b.Left})
	}
	if shown == 0 && s.out.empty() {
		return nil // nothing to say
	}
	s.out.id(b.ID)
	return s.out.flush()
}

// refresh has what is shown say of endpoints and projects what is so now.
func (s *stream) refresh() {
	snap := s.outer.o.Catalog.Snapshot()
	if p := snap.Project(s.call.project.ID); p != nil {
		s.call.snap, s.call.project = snap, p
	}
}

// piece encodes and writes some messages. It returns how many were for the client.
func (s *stream) piece(messages []*live.Message) (int, error) {
	select {
	case s.api.encoders <- struct{}{}:
	case <-s.call.r.Context().Done():
		return 0, s.call.r.Context().Err()
	}
	wrote, err := s.encode(messages)
	<-s.api.encoders
	if err != nil {
		return wrote, err
	}
	return wrote, s.out.flush()
}

// end says why the stream ends, if the client can still be told.
func (s *stream) end(err error) {
	if errors.Is(err, errStreamGone) || s.call.r.Context().Err() != nil {
		return
	}
	code, message := codeOf(err)
	if code == http.StatusInternalServerError {
		s.outer.o.Fault(s.call.r.Header.Get(requestIDHeader), err)
	}
	s.out.event("end", "", endView{code, message})
	_ = s.out.flush()
}
