package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	benchreport "posthaste/bench/report"
)

// benchShowCmd shows reports that were written before.
type benchShowCmd struct {
	Files    []string `arg:"" name:"file" help:"Reports that bench wrote with --out or --json."`
	HTML     string   `name:"html" placeholder:"FILE" help:"Write them as one HTML page to this file."`
	Markdown bool     `help:"Print the comparison as a table in Markdown."`
}

// Run prints one report in full, or several side by side.
func (c *benchShowCmd) Run(cli *kong.Context) error {
	if err := (benchFiles{HTML: c.HTML}).check(); err != nil {
		return err
	}
	var reports []*benchreport.Report
	for _, path := range c.Files {
		r, err := readReport(path)
		if err != nil {
			return fmt.Errorf("report %s: %w", path, err)
		}
		reports = append(reports, r)
	}
	all := benchreport.Compare(reports)
	text, page := all.WriteText, all.WriteHTML
	if len(reports) == 1 {
		text, page = reports[0].WriteText, reports[0].WriteHTML
	}
	if c.Markdown {
		text = all.WriteMarkdown
	}
	return errors.Join(text(cli.Stdout), saveFile(c.HTML, page))
}

func readReport(path string) (*benchreport.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err) // which says the path again
	}
	defer f.Close()
	return benchreport.ReadJSON(f)
}
