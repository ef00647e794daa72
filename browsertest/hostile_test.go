package browsertest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// corpus is what strangers may send to have a script run by those who look at it. Each
// would call ran().
var corpus = []string{
	`<script>ran()</script>`,
	`"><script>ran()</script>`,
	`'"--></style></script><script>ran()</script>`,
	`<img src=x onerror=ran()>`,
	`<svg/onload=ran()>`,
	`<svg><script>ran()</script></svg>`,
	`" autofocus onfocus=ran() x="`,
	`' onmouseover='ran()`,
	`<iframe srcdoc="<script>parent.ran()</script>">`,
	`<a href="javascript:ran()">x</a>`,
	`javascript:ran()`,
	`</title><script>ran()</script>`,
	`</textarea><script>ran()</script>`,
	`</template><script>ran()</script>`,
	`<template><script>ran()</script></template>`,
	`{{constructor.constructor('ran()')()}}`,
	`${ran()}`,
	`<div hx-get="/login" hx-trigger="load" hx-on:htmx:load="ran()">`,
	`<form><button formaction=javascript:ran()>`,
	`<math><mtext></table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=ran()&gt;">`,
	"<img src=x\u0000 onerror=ran()>",
	"\u2028ran()//\u202e<b>",
	`<base href="//elsewhere.example/">`,
	`<meta http-equiv="refresh" content="0;url=javascript:ran()">`,
	`<link rel=stylesheet href="data:text/css,body{display:none}">`,
	`]]><script>ran()</script>`,
	`&lt;script&gt;ran()&lt;/script&gt;`,
}

// watchForScripts notes whether anything of the corpus ran, or became part of the page.
const watchForScripts = `window.ran = () => { throw new Error("a stranger's script ran") }`

// TestHostileTexts: as names, types, data, headers, answers and searches the corpus is
// shown as text on every page. What runs would end as an exception, what is refused as a
// violation: both fail the test.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	p := newProject(t, object{"strategy": object{"type": "linear", "duration": 3600, "retry_count": 3}})
	all := strings.ReplaceAll(strings.Join(corpus, " | "), "\u0000", "")
	header := strings.Map(func(r rune) rune {
		if r < 32 || r > 126 {
			return '?'
		}
		return r
	}, all)
	p.recv.says("hostile-"+p.id, answer{code: http.StatusInternalServerError, body: all, header: http.Header{
		"X-Said": {header}, "Content-Type": {"text/html"}, "Server": {corpus[1]}}})
	var endpoint string
	for i, text := range corpus {
		name := strings.ReplaceAll(text, "\u0000", "")
		id := p.endpoint(name, p.recv.URL+"/hostile-"+p.id+"?x="+strings.NewReplacer(" ", "+", "\"", "%22", "\u0000", "", "\u2028", "", "\u202e", "", "<", "%3c", ">", "%3e", "{", "%7b", "}", "%7d", "|", "%7c").Replace(text), fmt.Sprintf("owner-%d", i%2))
		if i == 0 {
			endpoint = id
		}
		body := object{"endpoint_id": id, "event_type": name, "data": object{text: text, "list": []string{all}}, "custom_headers": object{"X-Sent": header}, "idempotency_key": name}
		if code, refusal := p.ask(t, p.key, "POST", p.path+"/events", body); code/100 != 2 {
			delete(body, "idempotency_key")
			body["event_type"] = fmt.Sprintf("hostile.%d", i)
			if code, again := p.ask(t, p.key, "POST", p.path+"/events", body); code/100 != 2 {
				t.Fatalf("%q: %s, then %s", text, refusal.Message, again.Message)
			}
		}
		p.ask(t, p.key, "POST", p.path+"/event-types", object{"name": name, "category": text, "description": text})
	}
	p.call(t, p.key, "PUT", p.path+"/endpoints/"+endpoint, object{"description": all, "support_email": "a@example.com"}, nil)
	p.ask(t, p.key, "POST", p.path+"/portal-links", object{"name": all, "owner_id": "owner-0", "can_manage_endpoint": true})
	eventually(t, "all were tried", func() bool { return len(p.deliveries("status=Retry")) == len(corpus) })
	one := p.deliveries("status=Retry")[len(corpus)-1]

	v := signIn(t, p.key)
	v.must(v.Always(watchForScripts))
	places := Places{"p": p.base, "empty": p.base, "endpoint": endpoint, "owned": endpoint, "event": one.Event, "delivery": one.UID, "delivered": one.UID, "owned-delivery": one.UID}
	for _, page := range Console {
		if page.Name == "login" || page.Name == notFound || page.Name == instanceOnly {
			continue
		}
		v.harmless(places.URL("", page.Path))
	}
	v.harmless(p.base + "/deliveries?q=" + "%22%3E%3Cscript%3Eran()%3C/script%3E&type=%3Cimg+src=x+onerror=ran()%3E")
	v.harmless(p.base + "/events?q=" + "%22%3E%3Cscript%3Eran()%3C/script%3E&type=%27%3E%3Csvg/onload=ran()%3E")
	v.goTo(p.base + "/deliveries/" + one.UID)
	v.is("the answer is text", `document.querySelector(".panes").innerText.includes("<script>ran()</script>")`)
	v.is("a header is text", `[...document.querySelectorAll(".hd td")].some(td => td.innerText.includes("<svg/onload=ran()>"))`)
	v.goTo(p.base + "/endpoints/" + endpoint)
	v.is("a name is text", `document.querySelector("h1").innerText === "<script>ran()</script>"`)
}

// harmless looks at a page, moves over it and opens what opens.
func (v *visit) harmless(path string) {
	v.t.Helper()
	v.goTo(path)
	v.do(`document.querySelectorAll("details").forEach(d => { d.open = true }); document.querySelectorAll("main *").forEach(e => { e.dispatchEvent(new MouseEvent("mouseover", {bubbles: true})); })`)
	v.is(path+" has only its own scripts", `[...document.querySelectorAll("script")].every(s => s.src && new URL(s.src).pathname.startsWith("/a/"))`)
	v.is(path+" has no element of a stranger", `!document.querySelector("main iframe, main img, main base, main style, main meta, main link, main math, main [onload], main [onerror], main [onfocus], main [onmouseover], main [href^='javascript:'], main [formaction]")`)
	for _, p := range v.Problems() {
		v.t.Errorf("%s: %s", path, p.Text)
	}
}
