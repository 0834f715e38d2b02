# What can be done here: `make help`. CI runs the same targets.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BIN := bin/aigne-hub
LINT := go tool -modfile=infra/tools.mod golangci-lint
# The web console is built with it; NPM= leaves the console out.
NPM ?= $(shell command -v npm 2>/dev/null)
WEB := functions/console/web
PACKAGES := $(WEB)/node_modules/.package-lock.json
# Packages whose tests run many goroutines over shared state.
RACE ?= ./shared/store ./shared/admission ./shared/upstream ./shared/health ./shared/notify ./shared/credentials ./functions/proxy ./shared/wire ./shared/blob ./shared/capture ./shared/oauth ./shared/rollup
FUZZTIME ?= 30s
ROUNDS ?= 50
CALLS ?= 200
WALLETS ?= 100
STORM ?= 5m

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: build ## build and serve on 127.0.0.1:3030 with the default data folder
	$(BIN) serve

.PHONY: build
build: console-if-npm ## build bin/aigne-hub, with the console where npm is installed
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./localrun

.PHONY: test
test: console-if-npm ## run all tests (AIGNE_HUB_TEST_FIXTURES adds recorded provider answers)
	@if [ -z "$$AIGNE_HUB_TEST_FIXTURES" ]; then echo "AIGNE_HUB_TEST_FIXTURES is not set: tests over 78 groups of recorded provider answers are skipped"; fi
	@if [ -z "$$AIGNE_HUB_TEST_SAM_SCHEMA" ]; then echo "AIGNE_HUB_TEST_SAM_SCHEMA is not set: 1 test of template.yaml is skipped"; fi
	@if [ -z "$$AIGNE_HUB_TEST_AGENTS" ]; then echo "AIGNE_HUB_TEST_AGENTS is not set: 1 test that runs Claude Code and Codex is skipped (make agents)"; fi
	@for tool in chromium node nginx caddy pebble pebble-challtestsrv systemd-analyze qemu-aarch64-static; do \
		command -v $$tool >/dev/null || echo "$$tool is not installed: tests that need it are skipped"; done
	go test -timeout 30m ./...
	$(if $(NPM),cd $(WEB) && npm test)

.PHONY: agents
agents: ## run Claude Code and Codex against a hub with fake providers (fetches 770 MB)
	AIGNE_HUB_TEST_AGENTS=1 go test ./functions/proxy -run '^TestAgents' -count=1 -v -timeout 20m

.PHONY: lint
lint: $(if $(NPM),$(PACKAGES)) ## check formatting, go vet and golangci-lint (its first build takes minutes)
	@files=$$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l); \
	if [ -n "$$files" ]; then echo "not formatted (make fmt):"; echo "$$files"; exit 1; fi
	go vet ./...
	$(LINT) run
	$(if $(NPM),cd $(WEB) && npm run -s lint)

.PHONY: fmt
fmt: ## format the code
	$(LINT) fmt

.PHONY: race
race: ## run the race detector over the concurrent packages (needs a C compiler)
	CGO_ENABLED=1 AIGNE_HUB_TEST_ENDS=4 go test -race -timeout 30m $(RACE)

.PHONY: fuzz
fuzz: ## fuzz every target for FUZZTIME (30s)
	@set -e; for dir in $$(git ls-files -co --exclude-standard '*_test.go' | xargs grep -l '^func Fuzz' | xargs -n1 dirname | sort -u); do \
		for target in $$(go test -list '^Fuzz' ./$$dir | grep '^Fuzz'); do \
			echo "$$dir $$target"; go test ./$$dir -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME); \
		done; \
	done

.PHONY: bench
bench: build ## measure the hub against a minimal proxy, within 10 minutes
	go run ./shared/testkit/bench run -hub $(BIN)

.PHONY: crash
crash: ## kill -9 the hub under load ROUNDS (50) times and check the books
	AIGNE_HUB_TEST_CRASH_ROUNDS=$(ROUNDS) go test ./localrun -run '^TestCrashCampaign' -count=1 -v -timeout 60m

.PHONY: chaos
chaos: ## 64 clients over a provider in trouble beside a healthy one, CALLS (200) each and trouble
	AIGNE_HUB_TEST_CHAOS=$(CALLS) go test ./functions/proxy -run '^TestCallersDoNotNotice' -count=1 -v -timeout 30m

.PHONY: fleet
fleet: ## eight hubs on one libSQL server that fails in every way, for STORM (5m), then check the books
	AIGNE_HUB_TEST_FLEET=$(STORM) go test ./localrun -run '^TestEightHubsOnOneServerInAStorm' -count=1 -v -timeout 60m

.PHONY: coldstart
coldstart: ## measure cold starts of the proxy's Lambda on a local Runtime API and a libSQL server, ROUNDS (20) times
	AIGNE_HUB_TEST_COLD=$(if $(filter command environment,$(firstword $(origin ROUNDS))),$(ROUNDS),20) go test ./functions -run '^TestA(Cold|Warm)Lambda' -count=1 -v -timeout 20m

.PHONY: ends
ends: ## money that ends suddenly: ten streams at once on each of WALLETS (100) small wallets, five times
	AIGNE_HUB_TEST_ENDS=$(WALLETS) go test ./functions/proxy -run '^TestSuddenEndsOfMoney$$' -count=5 -v -timeout 30m

# CALLS means another number to chaos.
SCALE_CALLS = $(if $(filter command environment,$(firstword $(origin CALLS))),$(CALLS),10000000)

.PHONY: scale
scale: ## fill a database with CALLS (10000000: 19 GB of disk) over a year and measure what a hub does on it
	go run ./shared/testkit/scale/run -calls $(SCALE_CALLS) $(SCALE)

.PHONY: demo
demo: build ## a temporary hub with a fake provider and made-up data
	go run ./shared/testkit/demo -hub $(BIN)

.PHONY: migrate
migrate: build ## apply missing migrations to the configured database
	$(BIN) migrate

include infra/console.mk
console: ## build the web console into functions/console/dist (needs Node 20 with npm)

include infra/lambda.mk
package: ## build the six Lambda functions as zip files below dist/lambda
template: ## check template.yaml as `sam validate --lint` does

include infra/release.mk
release: ## build the release archives, SBOMs and digests below dist/release

.PHONY: container-check
container-check: ## run the commands of infra/Containerfile on a clean copy of the project, without an engine
	AIGNE_HUB_TEST_CONTAINER=1 go test ./localrun -run '^TestTheContainerfileMakesAHub$$' -count=1 -v -timeout 30m

include infra/blocklet.mk
blocklet: ## build the Blocklet bundle with ArcBlock's command line (fetches 900 MB once)
