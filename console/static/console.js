// The console's own script: everything here improves pages that already work
// without it. No eval, no inline handlers, no style attributes.
"use strict";
(() => {
  // Trusted Types: htmx is the only code that turns strings into DOM.
  const policy = window.trustedTypes?.createPolicy("posthaste", { createHTML: s => s, createScript: () => "" });
  htmx.registerExtension("trusted", { init: api => { if (policy) api.initSecurity(policy); } });

  const $ = (s, el = document) => el.querySelector(s);
  const $$ = (s, el = document) => [...el.querySelectorAll(s)];
  const toast = text => {
    const t = $("#toast");
    t.textContent = text;
    t.classList.add("on");
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => t.classList.remove("on"), 1600);
  };
  const setCookie = (k, v) => { document.cookie = `${k}=${encodeURIComponent(v)}; path=/; max-age=31536000; samesite=lax`; };
  const cookie = k => decodeURIComponent((document.cookie.match(`(?:^|; )${k}=([^;]*)`) || [])[1] || "");

  async function copy(text) {
    try { await navigator.clipboard.writeText(text); toast("Copied"); }
    catch { toast("Copying is blocked here; select the text instead"); } // an iframe without clipboard-write
  }

  const short = s => s < 60 ? `${s | 0} s` : s < 3600 ? `${s / 60 | 0} min` : s < 36000 ? `${s / 3600 | 0} h ${(s % 3600) / 60 | 0} min` : `${s / 3600 | 0} h`;

  // Countdowns (next retry, secret expiry) and the reveal timer share one clock.
  setInterval(() => {
    const now = Date.now() / 1000;
    for (const el of $$("[data-until]")) {
      const left = el.dataset.until - now;
      el.textContent = left <= 0 ? "now" : (el.hasAttribute("data-bare") ? "" : "in ") + short(left);
    }
    for (const el of $$("[data-left]")) {
      const n = parseInt(el.dataset.left, 10) - 1;
      if (n <= 0) hide(el); else el.dataset.left = `${n} s`;
    }
  }, 1000);
  const hide = el => { const shown = el.closest(".shown"); el.parentElement.remove(); $("form", shown).hidden = false; };

  const actions = {
    theme() {
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      const cur = document.documentElement.dataset.theme || (dark ? "dark" : "light");
      const next = cur === "dark" ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      setCookie("ph_theme", next);
    },
    tz() {
      setCookie("ph_tz", cookie("ph_tz") ? "" : Intl.DateTimeFormat().resolvedOptions().timeZone);
      location.reload();
    },
    wrap(b) { $$(".code", b.closest(".pane")).forEach(c => c.classList.toggle("wrap")); },
    raw(b) {
      let el = b.closest(".ph").nextElementSibling;
      for (let i = 0; i < 2; i++, el = el.nextElementSibling) el.hidden = !el.hidden;
      [b.textContent, b.dataset.alt] = [b.dataset.alt, b.textContent];
    },
    form(b) {
      const d = $("#dlg");
      d.replaceChildren($("#" + b.dataset.form).content.cloneNode(true));
      d.showModal();
    },
    copybody(b) { copy(b.closest(".ph").nextElementSibling.nextElementSibling.textContent.replace(/\n$/, "")); },
    copycode(b) { copy($(".code", b.closest(".dlg-body")).textContent.replace(/\n$/, "")); },
    copysecret(b) { copy($("code", b.parentElement).textContent); },
    again() { location.reload(); },
    close(b) { const d = b.closest("dialog"); if (d) d.close(); else history.back(); },
    all(b) { $$("tbody input[name=id]").forEach(c => { c.checked = b.checked; }); count(); },
    none() { $$("#results input[type=checkbox]").forEach(c => { c.checked = false; }); count(); },
    copyids() { copy($$("#rows input:checked").map(c => c.value).join("\n")); },
    live(b) { if (b.getAttribute("aria-pressed") === "true") tail.stop(); else tail.start(); },
  };
  function count() {
    const n = $$("#rows input:checked").length, bar = $(".selbar");
    if (!bar) return;
    bar.hidden = !n;
    $("b", bar).textContent = n;
    const send = $("[data-resend]", bar), can = $$("#rows input:checked[data-can]").length;
    if (send) { send.hidden = !can; $(".num", send).textContent = can < n ? can : ""; }
    tail.release();
  }
  document.addEventListener("change", e => { if (e.target.name === "id") count(); });
  let ticked = null; // the last one: with Shift, all from there to here
  document.addEventListener("click", e => {
    const box = e.target.closest("#rows input[name=id]");
    if (!box) return;
    if (e.shiftKey && ticked?.isConnected) {
      const all = $$("#rows input[name=id]"), ends = [all.indexOf(ticked), all.indexOf(box)];
      for (const c of all.slice(Math.min(...ends), Math.max(...ends) + 1)) c.checked = box.checked;
      count();
    }
    ticked = box;
  });
  document.addEventListener("click", e => {
    const c = e.target.closest("[data-copy]");
    if (c) return copy(c.dataset.copy);
    const facet = e.shiftKey && e.target.closest("[data-add]"); // several at once
    if (facet) { e.preventDefault(); return location.assign(facet.dataset.add); }
    const but = e.altKey && e.target.closest("[data-not]"); // all but that
    if (but) { e.preventDefault(); return location.assign(but.dataset.not); }
    const a = e.target.closest("[data-act]");
    if (a && actions[a.dataset.act]) return actions[a.dataset.act](a);
    const ask = e.target.closest("[data-ask]"); // without a script the button does it at once
    if (ask) { e.preventDefault(); return actions.form({ dataset: { form: ask.dataset.ask } }); }
    const row = e.target.closest("table.t tbody tr");
    if (row && !e.target.closest("a,button,input,label") && !getSelection().toString()) $(".rowlink", row)?.click();
  });
  // A failed partial update leaves the old content and says so until one works.
  const problem = text => { const p = $("#problem"); p.hidden = !text; p.firstElementChild.textContent = text; };
  document.addEventListener("htmx:response:error", e => {
    const { status, headers } = e.detail.ctx.response, why = headers.get("X-Problem");
    problem(why ? `${decodeURIComponent(why)} What you see is from before.` : `The server answered ${status}. What you see may be out of date.`);
  });
  document.addEventListener("htmx:error", e => { if (e.detail.ctx && !e.detail.ctx.response) problem("The server cannot be reached. What you see may be out of date."); });
  document.addEventListener("htmx:after:swap", e => { if (e.detail.ctx?.response?.status < 400) problem(""); });
  // Empty filters do not belong in the address bar.
  document.addEventListener("htmx:config:request", e => {
    const { method, body } = e.detail.ctx.request;
    if (method === "GET" && body) for (const [k, v] of [...body]) if (v === "") body.delete(k, v);
  });
  document.addEventListener("htmx:after:swap", e => {
    const d = $("#dlg");
    if (e.detail.ctx?.target === d && !d.open) { // what a dialog asked for that is closed by now comes too late
      if (e.detail.ctx.sourceElement?.isConnected) d.showModal(); else d.replaceChildren();
    }
    tail.follow();
  });

  // The page of a delivery that is not at its end asks what is new. It does not ask while
  // nobody sees it, and leaves alone what its reader is busy with.
  const within = where => { const s = getSelection(); return !s.isCollapsed && $$(where).some(el => s.containsNode(el, true)); };
  const occupied = () => $("dialog[open]") || $("main :active") || $(".htmx-request:not(#watch)") || within("#head, #axis, #atts, #tries .solo");
  const reading = () => scrollY > 120 || within("#tries .panes") || $("#tries .panes")?.contains(document.activeElement);
  const watches = e => e.detail.ctx?.sourceElement?.id === "watch";
  document.addEventListener("htmx:config:request", e => {
    if (!watches(e)) return;
    if (document.hidden || occupied()) e.preventDefault();
    else if (reading()) e.detail.ctx.request.body.set("keep", "1");
  });
  document.addEventListener("htmx:before:swap", e => { // in the meantime the reader may have begun
    if (watches(e) && (occupied() || reading() && e.detail.tasks.some(t => t.target?.id === "tries"))) e.preventDefault();
  });
  document.addEventListener("htmx:after:request", e => { if (watches(e) && e.detail.ctx.response.status === 204) problem(""); });
  document.addEventListener("htmx:response:error", e => { // it is gone, or may not be seen any more
    if (watches(e) && e.detail.ctx.response.status < 500) $("#watch").remove();
  });
  document.addEventListener("visibilitychange", () => { const w = $("#watch[hx-get]"); if (w && !document.hidden) htmx.trigger(w, "look"); });

  // The page around an embedded portal is told that it is over, if it is one that may be.
  const over = $("[data-expired]");
  if (over && parent !== window) for (const origin of over.dataset.expired.split(" ")) parent.postMessage({ posthaste: "expired" }, origin);

  // On a narrow page the way to the current one may be out of sight; the rest scrolls.
  const here = $(".tabs [aria-current]");
  if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 40;

  // A command that an empty page teaches can be copied.
  for (const pre of $$(".empty pre.code")) {
    const box = document.createElement("div"), b = $("#cp").content.firstElementChild.cloneNode(true);
    box.className = "say1";
    b.dataset.copy = pre.textContent.trim();
    pre.replaceWith(box);
    box.append(pre, b);
  }

  // A closed dialog is emptied: that also stops any polling inside it.
  $("#dlg").addEventListener("close", e => e.target.open || e.target.replaceChildren());

  // Live tail: rows on top as they come. It holds back while the reader is busy, scrolled
  // down or with rows ticked, and reads the list again wherever it may have missed something.
  const busy = () => scrollY > 120 || $("#rows input:checked");
  const tail = {
    url: "", held: [], stale: false,
    button: () => $(".live"),
    on() { return this.button()?.getAttribute("aria-pressed") === "true"; },
    start() {
      const at = $("#tail-at")?.dataset.connect, b = this.button();
      if (!at || !b) return;
      this.url = at;
      b.setAttribute("aria-pressed", "true");
      const t = this.fresh();
      t.setAttribute("hx-sse:connect", at); t.setAttribute("hx-swap", "none"); t.setAttribute("hx-target", "this");
      htmx.process(t);
    },
    fresh() { // htmx ends at once the stream of an element that it takes away itself
      const t = document.createElement("div"), old = $("#tail");
      t.id = "tail"; t.hidden = true;
      old?.before(t);
      old?.removeAttribute("id");
      if (old) htmx.swap({ text: "", target: old, swap: "delete", sourceElement: t });
      return t;
    },
    stop(why) {
      const b = this.button();
      this.fresh();
      b?.setAttribute("aria-pressed", "false");
      this.url = ""; this.held = []; this.stale = false;
      this.say("", "");
      if (why) problem(why);
    },
    say(held, part) {
      const b = this.button(), said = $("#live-said");
      if (!b) return;
      if (held) b.dataset.held = held; else delete b.dataset.held;
      if (part) b.dataset.part = part; else delete b.dataset.part;
      if (said) said.textContent = held && `${held} ${said.dataset.of}`;
    },
    // The filters have changed, or the list was read: listen to what it shows now.
    follow() {
      const at = $("#tail-at")?.dataset.connect, b = this.button();
      if (!b) return;
      b.hidden = !at;
      if (!this.on()) return;
      if (!at) this.stop();
      else if (at !== this.url) { this.held = []; this.say("", ""); this.start(); }
    },
    refresh() {
      if (busy()) { this.stale = true; this.say("more", ""); return; }
      this.stale = false; this.held = []; this.say("", "");
      htmx.ajax("GET", location.href, { source: $("#results"), target: "#results", swap: "innerMorph" });
    },
    rows(html) {
      if (!$("#rows")) return this.refresh();
      if (busy()) {
        this.held.push(html);
        if (this.held.length > 200) { this.held = []; this.stale = true; }
        const ids = new Set(this.held.join("").match(/<tr id="[^"]+"/g));
        return this.say(this.stale ? "more" : `${ids.size} new`, "");
      }
      this.put(html);
    },
    async put(html) {
      await htmx.swap({ text: html, target: $("#rows"), swap: "afterbegin", sourceElement: $("#tail") });
      const seen = new Set();
      for (const r of $$("#rows > tr")) { // of a delivery that changed, the newest row; and not too many
        if (seen.has(r.id) || seen.size >= 300) r.remove();
        seen.add(r.id);
      }
    },
    release() {
      if (!this.on() || busy() || !(this.held.length || this.stale)) return;
      const html = this.held.reverse().join(""), stale = this.stale;
      this.held = [];
      this.say("", "");
      if (stale) this.refresh(); else this.put(html);
    },
    message({ event, data }) {
      if (!event) return this.rows(data);
      const d = JSON.parse(data || "{}");
      if (event === "batch") { if (!this.button().dataset.held) this.say("", d.shown < d.of ? `${d.shown} of ${d.of}` : ""); }
      else if (event === "reset" || event === "dropped" || event === "open" && !d.resumed) this.refresh();
      else if (event === "end" && d.code === 401) location.reload();
      else if (event === "end" && d.code !== 503) this.stop(`The live view ended: ${d.message}`);
    },
  };
  document.addEventListener("htmx:sse:before:message", e => { e.preventDefault(); tail.message(e.detail.message); });
  document.addEventListener("htmx:sse:error", e => {
    const code = e.detail.status;
    if (code === 401) location.reload();
    else if (code >= 400 && code < 500) tail.stop(`The live view ended: the server answered ${code}.`);
    else problem("The live view is cut off. It goes on by itself when the server answers again.");
  });
  document.addEventListener("htmx:sse:after:connection", () => problem(""));
  document.addEventListener("htmx:response:error", e => {
    if (e.detail.ctx.sourceElement?.id !== "tail") return;
    const code = e.detail.ctx.response.status;
    tail.stop(code === 429 ? "Two pages are live already. Switch one of them off first." : `The live view did not begin: the server answered ${code}.`);
  });
  addEventListener("scroll", () => tail.release(), { passive: true });
  tail.follow();

  // Charts: one crosshair for every chart of a group; drag to choose a span.
  const parsed = new WeakMap();
  const data = el => parsed.get(el) || (parsed.set(el, JSON.parse(el.dataset.chart)), parsed.get(el));
  const fmt = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
  const clock = t => new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: $(".tzb")?.textContent || "UTC" }).format(t * 1000);
  function cross(group, i) {
    for (const el of $$("[data-chart]", group)) {
      const d = data(el), n = d.t.length, line = $(".cross", el), cv = $(".cv", el), cs = $(".cs", el);
      if (cv && cv.dataset.was === undefined) { cv.dataset.was = cv.textContent; cs.dataset.was = cs.textContent; }
      if (i < 0) {
        line.setAttribute("visibility", "hidden");
        if (cv) { cv.textContent = cv.dataset.was; cs.textContent = cs.dataset.was; }
        continue;
      }
      const x = `${(i + .5) / n * 100}%`;
      line.setAttribute("x1", x); line.setAttribute("x2", x); line.setAttribute("visibility", "visible");
      const main = d.s.length === 3 && d.u === "ms" ? d.s[1] : d.s[0];
      if (cv) {
        cv.textContent = main.v[i] < 0 ? "–" : fmt.format(d.u === "/min" ? d.s.reduce((a, s) => a + s.v[i], 0) : main.v[i]) + (d.u === "%" || d.u === "ms" ? " " + d.u : "");
        cs.textContent = clock(d.t[i]) + (d.u === "/min" && d.s[2].v[i] + d.s[1].v[i] > 0 ? ` · ${fmt.format(d.s[1].v[i])} waiting, ${fmt.format(d.s[2].v[i])} failed` : "");
      } else el.title = `${clock(d.t[i])}: ` + d.s.filter(s => s.v[i]).map(s => `${fmt.format(s.v[i])} ${s.n}`).join(", ");
    }
  }
  const at = (e, plot, n) => { const r = plot.getBoundingClientRect(); return Math.max(0, Math.min(n - 1, Math.floor((e.clientX - r.left) / r.width * n))); };
  let drag = null;
  document.addEventListener("pointermove", e => {
    const plot = e.target.closest?.(".plot"), el = plot?.closest("[data-chart]");
    if (!el) { if (cross.on) { cross(cross.on, -1); cross.on = null; } return; }
    cross.on = el.closest("[data-group]");
    const i = at(e, plot, data(el).t.length);
    cross(cross.on, i);
    if (drag?.el === el) {
      const n = data(el).t.length, a = Math.min(drag.i, i), b = Math.max(drag.i, i) + 1, s = $(".sel", el);
      s.setAttribute("x", `${a / n * 100}%`); s.setAttribute("width", `${(b - a) / n * 100}%`);
    }
  });
  document.addEventListener("pointerdown", e => {
    const plot = e.target.closest?.(".plot"), el = plot?.closest("[data-chart]");
    if (el && e.button === 0) { drag = { el, i: at(e, plot, data(el).t.length) }; e.preventDefault(); }
  });
  document.addEventListener("pointerup", e => {
    if (!drag) return;
    const { el, i } = drag, plot = $(".plot", el);
    drag = null;
    zoom(el, i, at(e, plot, data(el).t.length));
  });
  function zoom(el, i, j) {
    const d = data(el), step = d.d, u = new URL(el.dataset.href || location.pathname, location.href);
    const iso = t => new Date(t * 1000).toISOString().replace(".000", "");
    u.searchParams.delete("range");
    u.searchParams.set("from", iso(d.t[Math.min(i, j)]));
    u.searchParams.set("to", iso(d.t[Math.max(i, j)] + step));
    location.assign(u);
  }

  // An id that is pasted anywhere leads to what it is of.
  document.addEventListener("paste", e => {
    if (e.target.closest?.("input,select,textarea,dialog[open]")) return;
    const id = (e.clipboardData?.getData("text") || "").trim(), find = $(".find") || $("#filters");
    if (find && /^[0-9A-HJKMNP-TV-Z]{26}$/i.test(id)) location.assign(`${find.action}?q=${id.toUpperCase()}`);
  });

  // Keyboard.
  let pending = "", row = -1;
  const rows = () => $$("[data-keys] tbody tr");
  const move = d => {
    const r = rows(); if (!r.length) return;
    r[row]?.classList.remove("cur");
    row = Math.max(0, Math.min(r.length - 1, row + d));
    r[row].classList.add("cur"); r[row].scrollIntoView({ block: "nearest" });
    $(".rowlink", r[row]).focus({ preventScroll: true });
  };
  const go = p => { const a = $(`.tabs a[href$="${p}"]`); if (a) location.assign(a.href); };
  document.addEventListener("keydown", e => {
    const chart = e.target.closest?.("[data-chart]");
    if (chart && /^Arrow(Left|Right)$|^Enter$/.test(e.key)) {
      const n = data(chart).t.length;
      if (e.key === "Enter") return chart._i >= 0 && zoom(chart, chart._i, chart._i);
      chart._i = Math.max(0, Math.min(n - 1, (chart._i ?? n) + (e.key === "ArrowLeft" ? -1 : 1)));
      cross(chart.closest("[data-group]"), chart._i);
      return e.preventDefault();
    }
    if (e.metaKey || e.ctrlKey || e.altKey || e.target.closest("input,select,textarea,dialog[open]")) return;
    if (pending === "g") { pending = ""; return ({ o: () => go("/"), d: () => go("/deliveries"), e: () => go("/endpoints") }[e.key] || (() => {}))(); }
    const keys = {
      "g": () => { pending = "g"; setTimeout(() => { pending = ""; }, 900); },
      "/": () => { ($("#filters input[type=search]") || $("#find"))?.focus(); },
      "?": () => $("#help").showModal(),
      "j": () => move(1), "k": () => move(-1),
      "x": () => { const c = rows()[row]?.querySelector("input"); if (c) { c.checked = !c.checked; count(); } },
      "l": () => $(".live")?.click(),
      "c": () => $("[data-key=c]")?.click(),
      "r": () => ($("[data-key=r]") || $(".facets .btn"))?.click(),
      "[": () => step(-1), "]": () => step(1),
    };
    if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
  });
  const step = d => { const n = +($("[data-att][aria-current]")?.dataset.att || 0) + d; $(`[data-att="${n}"]`)?.click(); };
})();
