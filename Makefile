# Every target that CI runs is here, and runs the same way by hand.
# Knobs are variables: make fuzz FUZZTIME=5m, make crash KILLS=500.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BIN      ?= bin/posthaste
DATA     ?= data
ARGS     ?=
KILLS    ?= 50
SOAK     ?= 10m
POWERCUTS ?= 20
MUTANTS  ?= all
FUZZTIME ?= 30s
DELIVERIES ?= 10000000
BENCHTIME ?= 1s
TIMEOUT  ?= 20m
PKG      ?= ./...
BENCH    ?= .
BASE     ?=
COUNT    ?= 6

STATICCHECK_VERSION := v0.8.2
STATICCHECK := bin/staticcheck-$(STATICCHECK_VERSION)
BENCHSTAT_VERSION := v0.0.0-20260908200009-22c9c6c9d4da
BENCHSTAT := bin/benchstat-$(BENCHSTAT_VERSION)

# Everything but the tests of the real binary, which build and start it.
UNIT = $(shell go list $(PKG) | grep -v '^posthaste/test')

# Tests of the real binary that have a target of their own.
LONG = ^Test(KillLoop|Measure.*)$$

# What is tested is what is shipped: no cgo, save for the race detector.
export CGO_ENABLED := 0

.DEFAULT_GOAL := help
.PHONY: help build run demo test unit semantics compat measure measure-lists race lint fuzz crash crash-short soak mutants e2e browser browser-short bench bench-go bench-compare clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Knobs: ARGS, PKG, KILLS=$(KILLS), SOAK=$(SOAK), POWERCUTS=$(POWERCUTS), MUTANTS=$(MUTANTS), FUZZTIME=$(FUZZTIME), BENCHTIME=$(BENCHTIME), BENCH=$(BENCH), COUNT=$(COUNT), BASE, TIMEOUT=$(TIMEOUT), DATA=$(DATA)"

build: ## Build the static binary bin/posthaste
	go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./cmd/posthaste

run: build ## Build, then serve from DATA; flags in ARGS
	$(BIN) serve --data $(DATA) $(ARGS)

demo: build ## Build, then show deliveries, and an endpoint that fails and recovers
	$(BIN) demo $(ARGS)

test: ## What a change must pass: lint, unit, e2e, a few kills, the console in a browser; with timing
	@begin=$$(date +%s); \
	for step in lint unit e2e crash-short browser-short; do \
		start=$$(date +%s); \
		$(MAKE) --no-print-directory $$step || exit 1; \
		echo "== $$step: $$(( $$(date +%s) - start )) s"; \
	done; \
	echo "== everything: $$(( $$(date +%s) - begin )) s"

unit: ## Test the packages, without the long cases
	go test -short -timeout $(TIMEOUT) $(UNIT)

semantics: ## Test every rule of docs/semantics.md: units, a hundred simulated weeks, the real binary
	go test -count=1 -timeout 30m ./retry ./breaker ./match ./transform ./oauth ./jobs ./sig ./receiver ./catalog ./engine ./sender ./api
	go test -count=1 -timeout $(TIMEOUT) -skip '$(LONG)' ./test/...

compat: ## Drive every operation of Convoy's API against the real binary, and compare
	go test -count=1 -v -timeout $(TIMEOUT) ./test/compat

measure: ## Measure rate limits, a batch retry that is killed half way, and retention
	go test -count=1 -v -timeout $(TIMEOUT) -run '^TestMeasure' ./test/...
	go test -count=1 -v -timeout $(TIMEOUT) -run '^TestRetentionGivesSpaceBack$$' ./wal

measure-lists: ## Measure every filter of the listings with DELIVERIES deliveries stored
	DELIVERIES=$(DELIVERIES) go test -count=1 -v -timeout 90m -run '^TestMeasureLists$$' ./test

race: ## Test the packages under the race detector
	CGO_ENABLED=1 go test -race -short -timeout $(TIMEOUT) $(UNIT)

lint: $(STATICCHECK) ## Check formatting, go vet and staticcheck
	@bad=$$(gofmt -l .); if [ -n "$$bad" ]; then echo "not formatted, run gofmt -w:"; echo "$$bad"; exit 1; fi
	go vet ./...
	$(STATICCHECK) ./...
	cd browsertest && go vet ./... && $(abspath $(STATICCHECK)) ./...

$(STATICCHECK):
	GOBIN=$(CURDIR)/bin go install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	mv bin/staticcheck $@

fuzz: ## Fuzz every target for FUZZTIME each
	@grep -rno --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | while IFS=: read -r file _ match; do \
		name=$${match#func }; \
		echo "== $$name in $$(dirname $$file)"; \
		go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $$(dirname $$file) || exit 1; \
	done

e2e: ## Test the real binary over real sockets
	go test -count=1 -timeout $(TIMEOUT) -skip '$(LONG)' ./test/...

crash: ## Kill the server KILLS times under load and count what is lost
	KILLS=$(KILLS) go test -count=1 -v -timeout 60m -run '^TestKillLoop$$' ./test/...

crash-short:
	KILLS=5 go test -count=1 -timeout $(TIMEOUT) -run '^TestKillLoop$$' ./test/...

browser: ## Test the console in Chromium, which is installed if it is missing and root may
	$(MAKE) --no-print-directory browser-short SHORT=

SHORT ?= -short
browser-short: build
	@browsertest/chromium
	cd browsertest && POSTHASTE=$(abspath $(BIN)) go test -count=1 $(SHORT) -timeout $(TIMEOUT)

soak: ## Run what takes long: SOAK of load with everything made and deleted, clocks, frozen processes, POWERCUTS power cuts, KILLS kills, every write cut, failed and refused, mutants
	SOAK=$(SOAK) go test -count=1 -v -timeout 3h -run '^Test(Soak|ClockJumps|SecretsExpireByTheWallClock|StartWithAWrongClock|Frozen|OutOfMemory|OutOfDescriptors|IdleConnections|ABacklogWithinGOMEMLIMIT)$$' ./test
	POWERCUTS=$(POWERCUTS) KILLS=$(KILLS) SOAK=1m go test -count=1 -v -timeout 2h -run '^Test(PowerCut.*|DiskFailure|KillLoop|.*Linearizable|WorstHostileInputs)$$' ./test
	SOAK=1m go test -count=1 -timeout 2h ./wal ./internal/app ./internal/netguard ./sender
	SOAK=1m go test -count=1 -timeout 2h -run 'ChangeNothing|ComeBackAtOnce|Withdrawing|SevenDays' ./engine
	$(MAKE) --no-print-directory mutants

mutants: ## Break the program in MUTANTS ways, one at a time, and see the named tests fail
	MUTANTS='$(MUTANTS)' go test -count=1 -v -timeout 90m -run '^TestMutants$$' ./test/mutants

bench: build ## Measure against the baselines and print a report; flags in ARGS
	$(BIN) bench $(ARGS)

bench-go: ## Run the Go benchmarks, with allocations
	go test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) $(UNIT)

bench-compare: export BASE := $(BASE)
bench-compare: export COUNT := $(COUNT)
bench-compare: export PKG := $(PKG)
bench-compare: export BENCH := $(BENCH)
bench-compare: export BENCHTIME := $(BENCHTIME)
bench-compare: export BENCHSTAT := $(CURDIR)/$(BENCHSTAT)
bench-compare: $(BENCHSTAT) ## Run the Go benchmarks of the working tree and of the last commit by turns, and compare
	@.ci/bench-compare

$(BENCHSTAT):
	GOBIN=$(CURDIR)/bin go install golang.org/x/perf/cmd/benchstat@$(BENCHSTAT_VERSION)
	mv bin/benchstat $@

clean: ## Remove what was built
	rm -rf bin
