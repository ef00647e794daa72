package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// fakePages is how many pages every listing of the fake server has.
const fakePages = 4

// stockRoutes are what idle and growth ask for beside events.
func (s *fakeServer) stockRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/v1/projects/P1/onboard", s.onboard)
	mux.HandleFunc("POST /api/v1/projects/P1/event-types", func(w http.ResponseWriter, _ *http.Request) { answer(w, 201, "null") })
	mux.HandleFunc("POST /api/v1/projects/P1/portal-links", func(w http.ResponseWriter, _ *http.Request) { answer(w, 201, `{"token":"T1"}`) })
	mux.HandleFunc("PUT /api/v1/projects/P1/endpoints/{id}/pause", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, "null")
	})
	mux.HandleFunc("POST /api/v1/projects/P1/sources", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 201, `{"uid":"O1","mask_id":"M1"}`)
	})
	mux.HandleFunc("POST /ingest/M1", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "null") })
	mux.HandleFunc("GET /api/v1/projects/P1/events", s.list)
	mux.HandleFunc("GET /api/v1/projects/P1/eventdeliveries", s.list)
}

func (s *fakeServer) onboard(w http.ResponseWriter, r *http.Request) {
	var in struct{ Items []fakeEndpoint }
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		answer(w, 400, "null")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range in.Items {
		e.UID = fmt.Sprintf("E%d", s.mu.made)
		s.mu.made++
		s.mu.endpoints[e.UID] = e
		s.note(journalLine{Endpoint: &e})
	}
	answer(w, 202, fmt.Sprintf(`{"total_items":%d}`, len(in.Items)))
}

// list has a few pages of one row each.
func (s *fakeServer) list(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.FormValue("next_page_cursor"))
	rows := `{"uid":"X"}`
	if s.fault == faultNoRows {
		rows = ""
	}
	answer(w, 200, fmt.Sprintf(`{"content":[%s],"pagination":{"has_next_page":%t,"next_page_cursor":"%d"}}`, rows, page < fakePages-1, page+1))
}

func writeFakeHeap(w io.Writer) {
	for _, name := range []string{"alloc", "inuse", "idle", "released"} {
		fmt.Fprintf(w, "# TYPE go_memstats_heap_%s_bytes gauge\ngo_memstats_heap_%[1]s_bytes 1e+06\n", name)
	}
}

// addKey has a key that an earlier process of the server made be known.
func (s *fakeServer) addKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.keys["Bearer "+key] = true
}

func (s *fakeServer) hasKey(authorization string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.keys[authorization]
}
