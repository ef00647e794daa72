package console

import (
	"net/http"
	"time"

	"posthaste/client"
)

// system is how the server is, as the API tells of it.
type system struct {
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	Uptime    int64     `json:"uptime"`
	Checks    []struct {
		Name string `json:"name"`
		OK   bool   `json:"ok"`
		Text string `json:"text"`
	} `json:"checks"`
	Disk struct {
		State         string `json:"state"`
		Reason        string `json:"reason"`
		Free          int64  `json:"free_bytes"`
		Total         int64  `json:"total_bytes"`
		Reserve       int64  `json:"reserve_bytes"`
		Ballast       int64  `json:"ballast_bytes"`
		BallastOwed   int64  `json:"ballast_owed_bytes"`
		ReadOnly      bool   `json:"read_only"`
		RefusedWrites int64  `json:"refused_writes"`
	} `json:"disk"`
	Store struct {
		Bytes           int64     `json:"bytes"`
		Memtable        int64     `json:"memtable_bytes"`
		Debt            int64     `json:"compaction_debt_bytes"`
		ReadAmp         int       `json:"read_amplification"`
		Flushes         int64     `json:"flushes"`
		Compactions     int64     `json:"compactions"`
		Partitions      int       `json:"partitions"`
		PartitionsTotal int       `json:"partitions_total"`
		Packing         string    `json:"packing"`
		Postponed       int64     `json:"postponed_hours"`
		NewestAt        time.Time `json:"newest_at"`
	} `json:"store"`
	Deliveries struct {
		Queued      int   `json:"queued"`
		QueuedBytes int64 `json:"queued_bytes"`
		InFlight    int   `json:"in_flight"`
		Workers     int   `json:"workers"`
		Busy        int   `json:"endpoints_busy"`
		Behind      int   `json:"endpoints_behind"`
	} `json:"deliveries"`
	Connections struct {
		Open  int   `json:"open"`
		Stale int64 `json:"stale"`
	} `json:"connections"`
	Clock struct {
		Now   time.Time `json:"now"`
		Ahead float64   `json:"ahead_seconds"`
		Jumps int64     `json:"jumps"`
	} `json:"clock"`
	Objects struct {
		Projects      int `json:"projects"`
		Endpoints     int `json:"endpoints"`
		Subscriptions int `json:"subscriptions"`
	} `json:"objects"`
	Secrets *struct {
		KeyID     string   `json:"key_id"`
		Older     []string `json:"older_keys"`
		Running   bool     `json:"running"`
		Left      int      `json:"left"`
		Done      int      `json:"done"`
		Removable bool     `json:"removable"`
		Error     string   `json:"error"`
	} `json:"secrets"`
	Settings []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"settings"`
}

// Up is how long the server has been running.
func (s system) Up() string { return short(time.Duration(s.Uptime) * time.Second) }

// Used is how much of the disk is used.
func (s system) Used() int64 { return max(0, s.Disk.Total-s.Disk.Free) }

// UsedWidth is Used as a share of the disk.
func (s system) UsedWidth() string { return share(s.Used(), s.Disk.Total) }

// StoreWidth is what of it the store uses.
func (s system) StoreWidth() string { return share(min(s.Store.Bytes, s.Used()), s.Disk.Total) }

// ReserveX is where on the disk the reserve begins.
func (s system) ReserveX() string { return share(max(0, s.Disk.Total-s.Disk.Reserve), s.Disk.Total) }

func share(n, of int64) string {
	if of <= 0 {
		return "0%"
	}
	return percent(min(100, float64(n)/float64(of)*100))
}

// Well reports whether events are taken and delivered.
func (s system) Well() bool {
	for _, c := range s.Checks {
		if !c.OK {
			return false
		}
	}
	return true
}

// systemPage shows how the running server is.
func (c *Console) systemPage(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "system", "System")
	d, err := get[system](r.Context(), v, "/system")
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.D = d
	if partial(r) {
		c.render(w, r, "system-live", p)
		return
	}
	c.render(w, r, "system.html", p)
}

// reseal has the server read the keys for secrets again.
func (c *Console) reseal(w http.ResponseWriter, r *http.Request, v *visit) {
	_, err := v.backend.Do(r.Context(), client.Request{Method: http.MethodPost, Path: v.api + "/secrets/reseal"})
	if err != nil {
		c.failed(w, r, c.page(r, v, "system", "System"), err)
		return
	}
	back(w, r, "/system?done=begun")
}
