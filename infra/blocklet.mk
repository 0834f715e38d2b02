# The Blocklet bundle: infra/blocklet and the program for two machines, packed by
# ArcBlock's own command line, which is fetched into a cache outside the project
# (900 MB, some minutes) unless BLOCKLET_CLI names one.
#
#   make blocklet                                        under the project's own DID
#   make blocklet BLOCKLET_AS=ai-kit BLOCKLET_VERSION=1.0.0   in place of AIGNE Hub
#
# Under AIGNE Hub's name and DID the bundle takes the place of an installed one, and
# clients of AIGNE find it; publishing it so is for its owner alone.

BLOCKLET_VERSION ?= $(or $(shell git describe --tags --abbrev=0 2>/dev/null | sed -n 's/^v\{0,1\}\([0-9][0-9.]*\)$$/\1/p'),0.1.0)
BLOCKLET_AS ?=
BLOCKLET_CLI ?=
BLOCKLET_DIR := dist/blocklet$(if $(BLOCKLET_AS),-$(BLOCKLET_AS))
STAGE := $(BLOCKLET_DIR)/stage

.PHONY: blocklet
blocklet: console-if-npm
	@case "$(BLOCKLET_AS)" in ''|ai-kit) ;; *) echo "BLOCKLET_AS can be ai-kit or nothing" >&2; exit 2;; esac
	rm -rf $(BLOCKLET_DIR)
	mkdir -p $(STAGE)/bin
	for machine in amd64 arm64; do \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$machine go build -trimpath -ldflags '-s -w -X main.version=$(BLOCKLET_VERSION)' \
			-o $(STAGE)/bin/linux-$$machine/aigne-hub ./localrun || exit 1; \
	done
	install -m 0755 infra/blocklet/program.sh $(STAGE)/bin/program.sh
	install -m 0755 infra/blocklet/program.sh $(STAGE)/bin/aigne-hub
	cp infra/blocklet/blocklet.md infra/blocklet/blocklet.prefs.json infra/blocklet/logo.png CHANGELOG.md LICENSE $(STAGE)/
	sed -e 's/^version: .*/version: $(BLOCKLET_VERSION)/' \
		$(if $(BLOCKLET_AS),-e 's/^name: .*/name: ai-kit/' -e 's/^did: .*/did: z8ia3xzq2tMq8CRHfaXj1BTYJyYnEcHbqP8cJ/') \
		infra/blocklet/blocklet.yml > $(STAGE)/blocklet.yml
	BLOCKLET_CLI='$(BLOCKLET_CLI)' infra/blocklet/pack.sh $(STAGE)
	@echo "bundle: $(STAGE)/.blocklet/bundle, release: $$(ls $(STAGE)/.blocklet/release/*.tgz) with blocklet.json beside it"

.PHONY: blocklet-check
blocklet-check: blocklet ## install, upgrade, call and stop the bundle in a real Blocklet Server (needs nginx)
	BLOCKLET_CLI='$(BLOCKLET_CLI)' AIGNE_HUB_TEST_BLOCKLET=$(abspath $(STAGE)) \
		go test ./infra/blocklet -run '^TestTheBundleInABlockletServer$$' -count=1 -v -timeout 40m
