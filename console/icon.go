package console

import "html/template"

// icons are the insides of the pictures, each in a box of 16 by 16, the mark's of 20 by 20.
var icons = map[string]string{
	"Success":    `<path d="M3.2 8.4 6.4 11.6 12.8 4.6" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"/>`,
	"Failure":    `<path d="M4.2 4.2l7.6 7.6M11.8 4.2l-7.6 7.6" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round"/>`,
	"Retry":      `<path d="M12.9 8.6a5 5 0 1 1-1.2-4" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round"/><path d="M12.6 1.6v3.4H9.2" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round"/>`,
	"Processing": `<circle cx="8" cy="8" r="5.2" fill="none" stroke="currentColor" stroke-width="1.7"/><path d="M8 2.8a5.2 5.2 0 0 1 0 10.4z" fill="currentColor"/>`,
	"Scheduled":  `<circle cx="8" cy="8" r="5.2" fill="none" stroke="currentColor" stroke-width="1.7"/><path d="M8 5.2V8l2 1.4" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"/>`,
	"Discarded":  `<circle cx="8" cy="8" r="5.2" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M4.4 11.6l7.2-7.2" stroke="currentColor" stroke-width="1.6"/>`,
	"active":     `<circle cx="8" cy="8" r="3.6" fill="currentColor"/>`,
	"paused":     `<path d="M5.6 4v8M10.4 4v8" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>`,
	"inactive":   `<circle cx="8" cy="8" r="3.4" fill="none" stroke="currentColor" stroke-width="1.6"/>`,
	"pending":    `<circle cx="8" cy="8" r="5.2" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.6 2"/>`,
	"search":     `<circle cx="7" cy="7" r="4.2" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M10.2 10.2l3.4 3.4" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"/>`,
	"copy":       `<rect x="5.5" y="5.5" width="7.5" height="8" rx="1.2" fill="none" stroke="currentColor" stroke-width="1.4"/><path d="M10.5 3.2V3A.9.9 0 0 0 9.6 2H3.9A.9.9 0 0 0 3 3v6.6c0 .5.4.9.9.9" fill="none" stroke="currentColor" stroke-width="1.4"/>`,
	"x":          `<path d="M4.5 4.5l7 7M11.5 4.5l-7 7" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"/>`,
	"plus":       `<path d="M8 3.2v9.6M3.2 8h9.6" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"/>`,
	"chev":       `<path d="M4.5 6.2 8 9.8l3.5-3.6" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"/>`,
	"eye":        `<path d="M1.6 8S4 3.8 8 3.8 14.4 8 14.4 8 12 12.2 8 12.2 1.6 8 1.6 8z" fill="none" stroke="currentColor" stroke-width="1.4"/><circle cx="8" cy="8" r="1.9" fill="currentColor"/>`,
	"sun":        `<circle cx="8" cy="8" r="3" fill="none" stroke="currentColor" stroke-width="1.4"/><path d="M8 1.6v1.6M8 12.8v1.6M1.6 8h1.6M12.8 8h1.6M3.5 3.5l1.1 1.1M11.4 11.4l1.1 1.1M12.5 3.5l-1.1 1.1M4.6 11.4l-1.1 1.1" stroke="currentColor" stroke-width="1.4" stroke-linecap="round"/>`,
	"arrow":      `<path d="M3 8h9.5M8.8 4.2 12.6 8l-3.8 3.8" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"/>`,
	"send":       `<path d="M2 8 14 2.4 9.6 14 7.6 9z" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round"/>`,
	"mark":       `<path d="M1.8 4h16.4v12H1.8z" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round"/><path d="M1.8 4l8.4 6-8.4 6z" fill="currentColor" fill-opacity=".22" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round"/>`,
}

// icon is a picture that says nothing to a screen reader: there is a word beside it. It
// takes names that templates write, and nothing of anybody else's.
func icon(name string) template.HTML {
	box := "0 0 16 16"
	if name == "mark" {
		box = "0 0 20 20"
	}
	return template.HTML(`<svg class="i" viewBox="` + box + `" aria-hidden="true">` + icons[name] + `</svg>`)
}
