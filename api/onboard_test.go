package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"posthaste/event"
)

const onboardCSV = "\xef\xbb\xbfname,url,event_type,auth_username,auth_password\r\n" +
	"First,https://a.example/in,order.paid,u,\" p,w \"\r\n" +
	"\"Second, \"\"quoted\"\"\", https://b.example/in,,,\r\n"

func TestOnboarding(t *testing.T) {
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	_ = parts.WriteField("comment", "ignored")
	file, err := parts.CreateFormFile("file", "customers.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = file.Write([]byte(onboardCSV))
	_ = parts.Close()
	items := `{"items":[{"name":"First","url":"https://a.example/in","event_type":"order.paid","auth_username":"u","auth_password":" p,w "},
		{"name":"Second, \"quoted\"","url":"https://b.example/in"}]}`
	for name, c := range map[string]struct{ body, kind string }{
		"json": {items, "application/json"}, "csv": {onboardCSV, "text/csv; charset=utf-8"}, "form": {form.String(), parts.FormDataContentType()},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			dry := w.do("POST", w.in("/onboard?dry_run=true"), c.body, "Content-Type", c.kind)
			w.want(dry, 200, "Dry run validation complete")
			if string(dry.Data) != `{"total_rows":2,"valid_count":2,"errors":[]}` {
				t.Errorf("the dry run says %s", dry.Data)
			}
			if _, endpoints, _ := w.catalog.Snapshot().Counts(); endpoints != 0 {
				t.Fatalf("the dry run made %d endpoints", endpoints)
			}
			a := w.do("POST", w.in("/onboard?dry_run="), c.body, "Content-Type", c.kind)
			w.want(a, 202, "Bulk onboard request accepted")
			if string(a.Data) != `{"batch_count":1,"total_items":2,"message":"2 endpoints were created, each with a subscription"}` {
				t.Errorf("answered %s", a.Data)
			}
			all := w.catalog.Snapshot().Endpoints(w.project, event.Range{Limit: 9}, nil)
			if len(all) != 2 || all[0].Name != "First" || all[1].Name != `Second, "quoted"` || all[1].URL != "https://b.example/in" || all[1].Authentication != nil {
				t.Fatalf("made %+v", all)
			}
			if b := all[0].Authentication.BasicAuth; b.UserName != "u" || b.Password != " p,w " || all[0].RateLimit != defaultRateLimit || len(all[0].Secrets) != 1 {
				t.Errorf("made %+v", all[0])
			}
			for i, want := range []string{"[order.paid]", "[*]"} {
				if subs := all[i].Subscriptions(); len(subs) != 1 || fmt.Sprint(subs[0].FilterConfig.EventTypes) != want {
					t.Errorf("the subscriptions of %s are %+v", all[i].Name, subs)
				}
			}
		})
	}
}

func TestOnboardingErrors(t *testing.T) {
	w := newWorld(t)
	items := `{"items":[{"name":"ok","url":"https://x.example"},{"url":"nonsense"},{"name":" ","url":""},
		{"name":"x","url":"ftp://x.example","event_type":"regex:(","auth_username":"a:b","auth_password":"p"},
		{"name":"x","url":"https://x.example","auth_password":"p"},{"name":"a\nb","url":"https://x.example","auth_username":"u"}]}`
	a := w.do("POST", w.in("/onboard?dry_run=true"), items)
	w.want(a, 200, "Dry run validation complete")
	var got onboardDryRun
	if err := json.Unmarshal(a.Data, &got); err != nil || got.TotalRows != 6 || got.ValidCount != 1 {
		t.Fatalf("the dry run says %s", a.Data)
	}
	var fields []string
	for _, e := range got.Errors {
		if e.Message == "" {
			t.Errorf("row %d: nothing is said of %s", e.Row, e.Field)
		}
		fields = append(fields, fmt.Sprintf("%d %s", e.Row, e.Field))
	}
	if want := "2 name, 2 url, 3 name, 3 url, 4 url, 4 event_type, 4 auth_username, 5 auth_username, 6 name, 6 auth_password"; strings.Join(fields, ", ") != want {
		t.Errorf("wrong are\n%s, want\n%s", strings.Join(fields, ", "), want)
	}
	r := w.do("POST", w.in("/onboard"), items)
	if r.Code != 400 || !strings.HasPrefix(r.Message, "5 rows are invalid and nothing was created; dry_run=true lists all errors. row 2: name: is empty") || !strings.HasSuffix(r.Message, "and 5 more") {
		t.Errorf("refused with %d %q", r.Code, r.Message)
	}
	for _, c := range []struct{ kind, body, message string }{
		{"application/json", `{"items":[]}`, "items: want 1 to 10000 rows, got 0; send more in several requests"},
		{"application/json", `{"items":[` + strings.Repeat(`{},`, maxOnboardRows) + `{}]}`, "items: want 1 to 10000 rows, got 10001; send more in several requests"},
		{"text/csv", "name,url\n" + strings.Repeat("a,b\n", maxOnboardRows+5), "items: want 1 to 10000 rows, got 10001; send more in several requests"},
		{"text/csv", "", "file: has no header; the first line must be name,url,event_type,auth_username,auth_password"},
		{"text/csv", "name,url,colour\n", `file: the header has the column "colour", which is not known or comes twice; the columns are name,url,event_type,auth_username,auth_password`},
		{"text/csv", "name\nx\n", "file: the header has no column url"},
		{"text/csv", "name,url\nx\n", "file: record on line 2: wrong number of fields"},
		{"text/csv", "name,url\n\xff,x\n", "file: is not UTF-8"},
		{"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b--\r\n", "file: is missing; give a CSV"},
		{"multipart/form-data; boundary=b", "--b\r\nx", "the form could not be read: "},
		{"multipart/form-data", "--b\r\n", "the form could not be read: "},
	} {
		if a := w.do("POST", w.in("/onboard"), c.body, "Content-Type", c.kind); a.Code != 400 || !strings.HasPrefix(a.Message, c.message) {
			t.Errorf("%s %.40q: %d %q, want %q", c.kind, c.body, a.Code, a.Message, c.message)
		}
	}
	w.want(w.do("POST", w.in("/onboard"), "x", "Content-Type", "text/plain"), 415, errOnboardType.message)
	w.want(w.do("POST", w.in("/onboard"), strings.Repeat("x", 1<<20+1), "Content-Type", "text/csv"), 413, "request body too large: at most 1048576 bytes are taken here")
	if _, endpoints, _ := w.catalog.Snapshot().Counts(); endpoints != 0 {
		t.Errorf("%d endpoints were made", endpoints)
	}
}

// A row that is refused only when it is made takes those before it with it.
func TestOnboardingIsAllOrNothing(t *testing.T) {
	w := newWorld(t)
	w.do("PUT", w.in(""), `{"config":{"ssl":{"enforce_secure_endpoints":true}}}`)
	loose := func(o *Options) { o.CheckURL = func(raw string, _ bool) (string, error) { return raw, nil } }
	loose(&w.api.o)
	items := `{"items":[{"name":"a","url":"https://x.example"},{"name":"b","url":"https://x.example"},{"name":"c","url":"http://x.example"}]}`
	w.want(w.do("POST", w.in("/onboard"), items), 400, "row 3: url: must be https; nothing was created")
	if _, endpoints, subscriptions := w.catalog.Snapshot().Counts(); endpoints != 0 || subscriptions != 0 {
		t.Errorf("%d endpoints and %d subscriptions are left", endpoints, subscriptions)
	}
	w.api.o.CheckURL = nil
	w.want(w.do("POST", w.in("/onboard"), items), 400,
		"1 rows are invalid and nothing was created; dry_run=true lists all errors. row 3: url: is not https, and this project takes no other")
}
