package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"posthaste/bench/report"
)

// How often a page is asked for, and which page is the deep one. A page takes no
// longer than growthLookLimit in all.
const (
	growthLooks      = 300
	growthLooksQuick = 5
	growthDeep       = 100
	growthDeepQuick  = 10
	growthLookLimit  = 30 * time.Second
)

// growthListTarget is the most that the p99 of any page may be.
const growthListTarget = 20 // milliseconds

// growthPages is how long the pages of all listings took.
type growthPages struct {
	worst   growthPage
	filters []growthPage // of each filter its slower page
	pages   int
	all     *recorder
}

// growthPage is how long one page took, many times.
type growthPage struct {
	list    growthList
	number  int // 1 is the first
	rows    int
	latency report.Latency
}

func (p *growthPage) String() string {
	name := p.list.path
	if p.list.shown != "" {
		name += "?" + p.list.shown
	}
	return fmt.Sprintf("%s, page %d", name, p.number)
}

// lookAtLists asks for the first page of every listing and for a deep one, one
// request at a time.
func (r *runner) lookAtLists(ctx context.Context, s *growthStock, lists []growthList) (*growthPages, error) {
	looks, deep := growthLooks, growthDeep
	if r.Quick {
		looks, deep = growthLooksQuick, growthDeepQuick
	}
	pages := &growthPages{all: newRecorder()}
	task := r.progress.Start("growth: list pages", len(lists))
	defer task.Finish("")
	for i, list := range lists {
		if err := s.lookAt(ctx, list, looks, deep, pages); err != nil {
			return nil, err
		}
		task.Set(i + 1)
	}
	task.Finish(fmt.Sprintf("p99 at most %s: %s", report.FormatMS(pages.worst.latency.P99), &pages.worst))
	return pages, nil
}

// lookAt measures the first page of a listing, and the deep one or else the last.
func (s *growthStock) lookAt(ctx context.Context, list growthList, looks, deep int, pages *growthPages) error {
	path := "/projects/" + s.project + list.path + "?" + list.query
	first, err := s.look(ctx, path, looks, pages.all)
	if err != nil {
		return err
	}
	first.list, first.number = list, 1
	if list.some && first.rows == 0 {
		return fmt.Errorf("%s: no rows", &first)
	}
	at, number, err := s.turnTo(ctx, path, deep)
	if err != nil {
		return err
	}
	slower := first
	pages.pages++
	if number > 1 {
		last, err := s.look(ctx, at, looks, pages.all)
		if err != nil {
			return err
		}
		last.list, last.number = list, number
		pages.pages++
		if last.latency.P99 > slower.latency.P99 {
			slower = last
		}
	}
	pages.filters = append(pages.filters, slower)
	if slower.latency.P99 >= pages.worst.latency.P99 {
		pages.worst = slower
	}
	return nil
}

// look asks for a page many times.
func (s *growthStock) look(ctx context.Context, path string, looks int, all *recorder) (p growthPage, err error) {
	times := newRecorder()
	deadline := time.Now().Add(growthLookLimit)
	for i := 0; i < looks && time.Now().Before(deadline); i++ {
		start := time.Now()
		page, err := s.client.listPage(ctx, path, func() {
			took := time.Since(start)
			times.record(0, took)
			all.record(0, took)
		})
		if err != nil {
			return p, err
		}
		p.rows = len(page.Content)
	}
	p.latency = times.summary()
	return p, nil
}

// turnTo follows the cursors of a listing to a page, or its last, and returns
// the path and the number of that.
func (s *growthStock) turnTo(ctx context.Context, path string, deep int) (at string, number int, err error) {
	at = path
	for number = 1; ; number++ {
		page, err := s.client.listPage(ctx, at, func() {})
		if err != nil {
			return "", 0, err
		}
		if number == deep || !page.Pagination.HasNextPage {
			return at, number, nil
		}
		at = path + "&next_page_cursor=" + page.Pagination.NextPageCursor
	}
}

// listedPage is a page of a listing.
type listedPage struct {
	Content    []json.RawMessage
	Pagination struct {
		HasNextPage    bool   `json:"has_next_page"`
		NextPageCursor string `json:"next_page_cursor"`
	}
}

// listPage asks for a page. It calls read when all of the answer is there.
func (c *Client) listPage(ctx context.Context, path string, read func()) (page listedPage, err error) {
	resp, err := c.send(ctx, http.MethodGet, path, "application/json", nil)
	if err != nil {
		return page, err
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	_ = resp.Body.Close()
	if err != nil {
		return page, fmt.Errorf("GET %s: read the answer: %w", path, err)
	}
	read()
	return page, readEnvelope("GET "+path, resp.StatusCode, text, &page)
}
