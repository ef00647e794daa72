package api

import (
	"net/http"
	"time"
)

var errNoSystem = &httpError{http.StatusNotImplemented, "this server does not tell of itself"}

// System is how the running server is, for its operator. It holds no secret.
type System struct {
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	Uptime    int64     `json:"uptime"` // seconds

	// Checks are what must be well for events to be taken.
	Checks      []SystemCheck     `json:"checks"`
	Disk        SystemDisk        `json:"disk"`
	Store       SystemStore       `json:"store"`
	Deliveries  SystemDeliveries  `json:"deliveries"`
	Connections SystemConnections `json:"connections"`
	Clock       SystemClock       `json:"clock"`
	Objects     SystemObjects     `json:"objects"`
	Settings    []SystemSetting   `json:"settings"` // in force, by the names of their flags
}

// SystemCheck is one thing that must be well.
type SystemCheck struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"` // what is wrong; "" for nothing
}

// SystemDisk is the file system of the data folder.
type SystemDisk struct {
	State         string `json:"state"`       // ok; soft: nothing new is taken; hard: attempts do not begin either
	Reason        string `json:"reason"`      // why, and what to do; "" while it is ok
	FreeBytes     int64  `json:"free_bytes"`  // 0 of 0 where it is not known
	TotalBytes    int64  `json:"total_bytes"` // of the whole file system
	ReserveBytes  int64  `json:"reserve_bytes"`
	BallastBytes  int64  `json:"ballast_bytes"`
	BallastOwed   int64  `json:"ballast_owed_bytes"` // of the ballast that were given up
	ReadOnly      bool   `json:"read_only"`          // it is mounted so
	RefusedWrites int64  `json:"refused_writes"`     // since the start
}

// SystemStore is the log.
type SystemStore struct {
	Bytes           int64 `json:"bytes"` // on disk
	MemtableBytes   int64 `json:"memtable_bytes"`
	CompactionDebt  int64 `json:"compaction_debt_bytes"`
	ReadAmp         int   `json:"read_amplification"`
	Flushes         int64 `json:"flushes"`
	Compactions     int64 `json:"compactions"`
	Partitions      int   `json:"partitions"`       // that this process holds
	PartitionsTotal int   `json:"partitions_total"` // that the store has
	// Packing is idle, running, or off: there is no space for it.
	Packing string `json:"packing"`
	// PostponedHours are too old and stay, because something in them is still owed.
	PostponedHours int64     `json:"postponed_hours"`
	NewestAt       time.Time `json:"newest_at"` // of the newest event
}

// SystemDeliveries are those that are in memory, and who has some.
type SystemDeliveries struct {
	Queued          int   `json:"queued"` // that wait in memory
	QueuedBytes     int64 `json:"queued_bytes"`
	InFlight        int   `json:"in_flight"` // attempts on their way
	Workers         int   `json:"workers"`
	EndpointsBusy   int   `json:"endpoints_busy"`   // with something to do
	EndpointsBehind int   `json:"endpoints_behind"` // that read from the log
}

// SystemConnections are those to receivers.
type SystemConnections struct {
	Open  int    `json:"open"`
	Stale uint64 `json:"stale"` // that were found closed, since the start
}

// SystemClock is the server's clock against the machine's.
type SystemClock struct {
	Now          time.Time `json:"now"`           // of due times and ids
	AheadSeconds float64   `json:"ahead_seconds"` // of the machine's clock, which was set back
	Jumps        int64     `json:"jumps"`         // times that it was set, since the start
}

// SystemObjects counts what is configured.
type SystemObjects struct {
	Projects      int `json:"projects"`
	Endpoints     int `json:"endpoints"`
	Subscriptions int `json:"subscriptions"`
}

// SystemSetting is one setting that is in force.
type SystemSetting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// systemView is System with the keys that secrets are stored under.
type systemView struct {
	System
	Secrets *sealingView `json:"secrets"` // null: none
}

// getSystem answers with how the server is.
func (a *API) getSystem(*call) (reply, error) {
	if a.o.System == nil {
		return reply{}, errNoSystem
	}
	v := systemView{System: a.o.System()}
	if a.o.Sealing != nil {
		keys := newSealingView(a.o.Sealing())
		v.Secrets = &keys
	}
	return respond(http.StatusOK, "System fetched successfully", v)
}
