# Custody. `make` lists what there is.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Tools are pinned here and run from the module cache. They are no tool lines
# of go.mod, which would reach everyone who imports the module.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

RUN_DIR  ?= .run
LISTEN   ?= 127.0.0.1:8420
FUZZTIME ?= 30s
FUZZ     ?= ./...
BENCHFLAGS ?=
DEMOFLAGS  ?=
ROUNDS   ?= 200
CUTS     ?= 2000
FAILS    ?= 200
SEED     ?= 0
# The packages with goroutines of their own. The crash harness runs the program
# as it is built and would only be slower.
RACE     ?= ./events/... ./ledger/... ./projections/... ./cmd/custody/... ./cmd/internal/api/... ./cmd/internal/ask/... ./cmd/internal/ingest/... ./cmd/internal/cli/... ./cmd/internal/demo/...

.PHONY: help build run demo test check fmt vet lint race bench fuzz crash vuln clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/custody
	go build -trimpath -o bin/custody ./cmd/custody

run: build ## make a ledger under .run if there is none, and serve it
	@[ -e $(RUN_DIR)/data ] || bin/custody init --data $(RUN_DIR)/data --keys $(RUN_DIR)/keys
	@echo "Serving on http://$(LISTEN). In another terminal:"
	@echo "  export CUSTODY_URL=http://$(LISTEN) CUSTODY_TOKEN=\$$(cat $(RUN_DIR)/data/operator.token)"
	@echo "  bin/custody status"
	@exec bin/custody serve --data $(RUN_DIR)/data --keys $(RUN_DIR)/keys --listen $(LISTEN)

demo: build ## a made-up year under .demo, served, with stories to find in it; DEMOFLAGS=--tamper
	@exec bin/custody demo $(DEMOFLAGS)

test: ## all tests
	go test ./...

check: fmt vet lint test race ## format, vet, staticcheck, tests, race

fmt: ## what is not formatted; fails if anything is
	@out=$$(gofmt -l cmd events ledger projections); [ -z "$$out" ] || { echo "not formatted:"; echo "$$out"; exit 1; }

vet: ## go vet
	go vet ./...

lint: ## staticcheck, pinned
	go run $(STATICCHECK) ./...

race: ## tests under the race detector
	go test -race $(RACE)

bench: build ## speed and size beside raw JetStream and PostgreSQL in the same run, then stage by stage; BENCHFLAGS=-large
	go run ./cmd/internal/bench -binary bin/custody $(BENCHFLAGS)
	go test -run '^$$' -bench . ./events/... ./ledger/... ./cmd/internal/audit ./cmd/internal/statement

fuzz: ## every fuzz target, FUZZTIME each
	@list=$$(go test -list '^Fuzz' $(FUZZ)); \
	echo "$$list" | awk '/^Fuzz/ {n[++i] = $$1} /^ok/ {for (j = 1; j <= i; j++) print $$2, n[j]; i = 0}' | \
	while read -r pkg name; do \
		echo "$$name of $$pkg"; \
		go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x "$$pkg" </dev/null; \
	done

crash: ## ROUNDS of kill -9, CUTS power cuts, FAILS failing writes, the tamper corpus
	CUSTODY_CRASH_ROUNDS=$(ROUNDS) CUSTODY_CRASH_CUTS=$(CUTS) CUSTODY_CRASH_FAILS=$(FAILS) CUSTODY_CRASH_SEED=$(SEED) \
		go test -count=1 -v -timeout 240m ./cmd/internal/crash

vuln: ## known vulnerabilities in what is used
	go run $(GOVULNCHECK) ./...

clean: ## remove what was built
	rm -rf bin
