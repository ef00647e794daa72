// Pictures signs in at the console of a running server and takes a picture of every page,
// wide and narrow, light and dark.
//
//	posthaste demo --keep                       says where its console is, and the key
//	go run ./cmd/pictures --console http://localhost:PORT/p/PROJECT/ --key KEY --out /tmp/pictures
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"posthaste/browsertest"
	"posthaste/browsertest/tab"
)

func main() {
	log.SetFlags(0)
	s := shoot{}
	console := flag.String("console", "http://localhost:8090", "where the console is, and which project to show")
	flag.StringVar(&s.key, "key", "", "an API key")
	flag.StringVar(&s.out, "out", "pictures", "the folder that they are written to")
	only := flag.String("only", "", "pages to take, as a regular expression; all of them if empty")
	flag.StringVar(&s.span, "range", "", "the time that pages with charts and lists show, such as 1h; each its own if empty")
	sizes := flag.String("sizes", "1440,390", "widths")
	flag.Parse()
	at, err := url.Parse(*console)
	if err != nil {
		log.Fatal(err)
	}
	s.console, s.base = at.Scheme+"://"+at.Host, strings.TrimSuffix(at.Path, "/")
	s.only = regexp.MustCompile("^(" + *only + ")")
	s.sizes = strings.Split(*sizes, ",")
	if err := s.all(); err != nil {
		log.Fatal(err)
	}
}

// shoot is one run.
type shoot struct {
	console, key, out string
	base              string // of a project's pages; "" for the first project
	span              string
	only              *regexp.Regexp
	sizes             []string
	*tab.Tab
}

func (s *shoot) all() error {
	if tab.Binary() == "" {
		return fmt.Errorf("no Chromium is installed here")
	}
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	browser, err := tab.Start(context.Background(), tab.Binary())
	if err != nil {
		return err
	}
	defer browser.Stop()
	if s.Tab, err = browser.Open(); err != nil {
		return err
	}
	defer s.Close()
	if err := s.signIn(); err != nil {
		return err
	}
	places, link, err := s.places()
	if err != nil {
		return err
	}
	if err := s.each(browsertest.Console, places); err != nil {
		return err
	}
	if link == "" {
		return nil
	}
	if err := s.Go(s.console + "/portal?token=" + link); err != nil {
		return err
	}
	for name, from := range map[string]string{"owned": "/portal/endpoints", "owned-delivery": "/portal/deliveries?range=24h"} {
		if places[name], err = s.first(from); err != nil {
			return err
		}
	}
	return s.each(browsertest.Portal, places)
}

func (s *shoot) signIn() error {
	if err := s.Go(s.console + "/login"); err != nil {
		return err
	}
	if err := s.Type("input[name=key]", s.key); err != nil {
		return err
	}
	if err := s.Keys(tab.Enter); err != nil {
		return err
	}
	return s.Until(`document.querySelector(".tabs")`)
}

// first is the last part of the address of a list's first row; "" if it has none.
func (s *shoot) first(path string) (string, error) {
	if err := s.Go(s.console + path); err != nil {
		return "", err
	}
	return tab.Eval[string](s.Tab, `document.querySelector("main .rowlink")?.pathname.split("/").pop() ?? ""`)
}

// places finds something to show on each page, and a portal link's token.
func (s *shoot) places() (browsertest.Places, string, error) {
	if s.base == "" {
		base, err := tab.Eval[string](s.Tab, `location.pathname.replace(/\/$/, "")`)
		if err != nil {
			return nil, "", err
		}
		s.base = base
	}
	base := s.base
	p := browsertest.Places{"p": base, "empty": base}
	for name, from := range map[string]string{
		"delivery": "/deliveries?status=Failure&status=Retry&range=24h", "delivered": "/deliveries?status=Success&range=24h",
		"endpoint": "/", "event": "/events?range=24h",
	} {
		var err error
		if p[name], err = s.first(base + from); err != nil {
			return nil, "", err
		}
	}
	if err := s.Go(s.console + base + "/portal-links"); err != nil {
		return nil, "", err
	}
	if _, err := tab.Eval[bool](s.Tab, `(document.querySelector("form[action$='/show'] button")?.click(), true)`); err != nil { // it shows the link once
		return nil, "", err
	}
	_ = s.Until(`document.querySelector("main .once [data-copy]")`) // there may be no link
	copied, err := tab.Eval[string](s.Tab, `document.querySelector("main .once [data-copy]")?.dataset.copy ?? ""`)
	if err != nil {
		return nil, "", err
	}
	link, err := url.Parse(copied)
	if err != nil {
		return nil, "", err
	}
	return p, link.Query().Get("token"), nil
}

// each takes a picture of each page in each size and theme.
func (s *shoot) each(pages []browsertest.Page, places browsertest.Places) error {
	for _, size := range s.sizes {
		width, height := int64(1440), int64(900)
		if size == "390" {
			width, height = 390, 844
		}
		if err := s.Size(width, height); err != nil {
			return err
		}
		for _, page := range pages {
			if !s.only.MatchString(page.Name) || strings.Contains(page.Path, "{empty}") {
				continue
			}
			if err := s.one(page, places, size); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *shoot) one(page browsertest.Page, places browsertest.Places, size string) error {
	at, err := url.Parse(places.URL(s.console, page.Path))
	if err != nil {
		return err
	}
	if q := at.Query(); s.span != "" {
		q.Set("range", s.span)
		at.RawQuery = q.Encode()
	}
	if err := s.Go(at.String()); err != nil {
		return err
	}
	for _, theme := range []string{"light", "dark"} {
		if err := s.Media("prefers-color-scheme", theme); err != nil {
			return err
		}
		if err := s.Until(`document.fonts.status === "loaded"`); err != nil {
			return err
		}
		png, err := s.Picture()
		if err != nil {
			return err
		}
		name := filepath.Join(s.out, fmt.Sprintf("%s-%s-%s.png", page.Name, size, theme))
		if err := os.WriteFile(name, png, 0o644); err != nil {
			return err
		}
	}
	return nil
}
