// Package console serves two sets of pages: the console, in which operators see what
// happens, understand it and mend it, and the portal, which a portal link opens for an
// owner's own people. Pages are made here, by html/template; a little JavaScript
// improves pages that work without it.
//
//	browser ──session cookie──► page handler ──the session's key──► the API's own handlers, in process
//
// Every page asks the API for what it shows, by the key or portal token that its reader
// signed in with. So whatever the API refuses no page can do, and the two need no rules
// about who may see what in two places.
//
//	session.go, signin.go   who is asking
//	backend.go              asking the API in process
//	page.go, render.go      what all pages have in common
//	assets.go               files with names that change with their content
//	overview.go, ...        a page each
//	chart.go, code.go, ...  what pages are made of
package console
