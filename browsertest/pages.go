package browsertest

import "strings"

// Page is a page of the console or the portal.
type Page struct {
	Name string
	Path string // with {p}, {empty}, {endpoint}, ... for what Places says
}

// Console are the operators' pages. {p} is a project with data in it, {empty} one without.
var Console = []Page{
	{"login", "/login"},
	{"overview", "{p}/"},
	{"overview-empty", "{empty}/"},
	{"deliveries", "{p}/deliveries"},
	{"deliveries-failed", "{p}/deliveries?status=Failure&status=Retry&range=6h"},
	{"deliveries-nothing", "{p}/deliveries?type=nothing.like.it"},
	{"delivery", "{p}/deliveries/{delivery}"},
	{"delivery-diff", "{p}/deliveries/{delivery}?view=diff"},
	{"delivery-success", "{p}/deliveries/{delivered}"},
	{"resend", "{p}/resend?status=Failure&range=24h"},
	{"events", "{p}/events"},
	{"events-empty", "{empty}/events"},
	{"event", "{p}/events/{event}"},
	{"endpoints", "{p}/endpoints"},
	{"endpoints-empty", "{empty}/endpoints"},
	{"endpoint", "{p}/endpoints/{endpoint}"},
	{"endpoint-new", "{p}/new-endpoint"},
	{"endpoint-edit", "{p}/endpoints/{endpoint}/edit"},
	{"endpoint-setup", "{p}/endpoints/{endpoint}/setup"},
	{"subscriptions", "{p}/subscriptions"},
	{"subscription-new", "{p}/new-subscription"},
	{"subscriptions-empty", "{empty}/subscriptions"},
	{"event-types", "{p}/event-types"},
	{"event-types-empty", "{empty}/event-types"},
	{"sources", "{p}/sources"},
	{"sources-empty", "{empty}/sources"},
	{"source-new", "{p}/new-source"},
	{"portal-links", "{p}/portal-links"},
	{"portal-link-new", "{p}/new-portal-link"},
	{"portal-links-empty", "{empty}/portal-links"},
	{"jobs", "{p}/jobs"},
	{"jobs-empty", "{empty}/jobs"},
	{"keys", "{p}/keys"},
	{"audit", "{p}/audit?range=7d"},
	{"replay", "{p}/replay?range=24h"},
	{"projects", "/projects"},
	{"system", "/system"},
	{"settings", "{p}/settings"},
	{"not-found", "{p}/deliveries/01JXXXXXXXXXXXXXXXXXXXXXXX"},
}

// Portal are the pages that a portal link opens.
var Portal = []Page{
	{"portal", "/portal/endpoints"},
	{"portal-endpoint", "/portal/endpoints/{owned}"},
	{"portal-endpoint-new", "/portal/new-endpoint"},
	{"portal-endpoint-edit", "/portal/endpoints/{owned}/edit"},
	{"portal-endpoint-setup", "/portal/endpoints/{owned}/setup"},
	{"portal-event-types", "/portal/event-types"},
	{"portal-deliveries", "/portal/deliveries?range=24h"},
	{"portal-delivery", "/portal/deliveries/{owned-delivery}"},
}

// Places say what stands for {p} and the like.
type Places map[string]string

// URL is a page's address at a server.
func (p Places) URL(base, path string) string {
	for name, value := range p {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	return base + path
}
