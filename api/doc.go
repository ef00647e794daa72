// Package api is everything over REST except event intake: projects, endpoints,
// subscriptions and event types are managed here, events, deliveries and attempts are read
// here, and sent again. It speaks Convoy's API (paths, field names, envelope,
// paging, codes), holds no state of its own and starts no goroutine: it translates
// between HTTP, the catalog, a Reader of the log, a Worker and its Jobs.
package api
