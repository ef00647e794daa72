// Package browsertest holds the tests of the console in a real browser, in a module of its
// own so that the product's needs none of a browser's driver. They run the program itself,
// with receivers on this machine, in the Chromium that is installed; where there is none
// they are skipped, and say so.
//
//	browsertest/chromium      installs Chromium, where that is missing and root allows
//	go test -count=1          builds the program and runs everything; ends with a table
//	go test -count=1 -short   leaves out axe on narrow pages, which takes most of the time
//	POSTHASTE=path go test    takes a program that is built already
//	go run ./cmd/pictures     takes pictures of every page of a running server
//
// pages.go is the one list of pages: a new page is a line there.
package browsertest
