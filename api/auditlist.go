package api

import (
	"net/http"
	"slices"
	"strings"

	"posthaste/event"
)

// newAudits is the listing of the audit log of a project, or of all for the zero id.
func (a *API) newAudits(project event.ID, f event.AuditFilter) listing[event.Audit] {
	return listing[event.Audit]{
		scan:   func(r event.Range) ([]event.Audit, event.Scan, error) { return a.o.Audit.Audits(project, r, f) },
		id:     func(r event.Audit) event.ID { return r.ID },
		bytes:  func(event.Audit) int { return 1 << 10 },
		budget: a.o.MaxScanRows,
	}
}

func (a *API) listProjectAudit(c *call) (reply, error) { return a.listAudit(c, c.project.ID) }

func (a *API) listInstanceAudit(c *call) (reply, error) { return a.listAudit(c, event.ID{}) }

func (a *API) listAudit(c *call, project event.ID) (reply, error) {
	params := c.r.URL.Query()
	q, err := parseDatedQuery(params)
	if err != nil {
		return reply{}, err
	}
	f := event.AuditFilter{Actor: params.Get("actor"), Action: params.Get("action"), Outcome: params.Get("outcome")}
	if f.Object, err = idParam(params, "object"); err != nil {
		return reply{}, err
	}
	outcomes := []string{"", event.AuditDone, event.AuditRefused, event.AuditBegun, event.AuditFailed}
	if !slices.Contains(outcomes, f.Outcome) {
		return reply{}, event.Invalid("outcome", "want one of %s", strings.Join(outcomes[1:], ", "))
	}
	p, err := readPage(q, a.newAudits(project, f), a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	data, err := p.encode(func(dst []byte, r event.Audit) ([]byte, error) {
		view, err := marshal(newAuditView(&r))
		return append(dst, view...), err
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Audit log fetched successfully", data)
}
