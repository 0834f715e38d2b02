# Release archives. Included by the Makefile.
#
#   make release VERSION=v1.2.3     dist/release: an archive for each platform, SBOMs and SHA256SUMS
#   make release-check              builds the program twice, in two folders, and compares
#   make platforms                  builds the program for each platform, without the console

RELEASE_DIST ?= dist/release
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64
RELEASE_BUILD = CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -buildid= -X main.version=$(VERSION)'
SBOM := go tool -modfile=infra/release.mod cyclonedx-gomod bin -json -licenses -noserial
PACK := go run ./infra/pack

# $(1): operating system, $(2): architecture
define platform
.PHONY: release-$(1)-$(2)
release-$(1)-$(2): console-if-npm
	@mkdir -p '$$(RELEASE_DIST)/$(1)-$(2)'
	GOOS=$(1) GOARCH=$(2) $$(RELEASE_BUILD) -o '$$(RELEASE_DIST)/$(1)-$(2)/aigne-hub' ./localrun
	SOURCE_DATE_EPOCH=$$$$(git log -1 --format=%ct) $$(PACK) '$$(RELEASE_DIST)/aigne-hub-$$(VERSION)-$(1)-$(2).tar.gz' \
		'aigne-hub-$$(VERSION)' '$$(RELEASE_DIST)/$(1)-$(2)/aigne-hub' LICENSE README.md $$(wildcard README.*.md) CHANGELOG.md infra/aigne-hub.service
endef
$(foreach p,$(PLATFORMS),$(eval $(call platform,$(firstword $(subst /, ,$(p))),$(lastword $(subst /, ,$(p))))))

RELEASES := $(foreach p,$(PLATFORMS),release-$(subst /,-,$(p)))

.PHONY: release release-sbom release-check
release: $(RELEASES) release-sbom
	$(PACK) -sums '$(RELEASE_DIST)/SHA256SUMS' $(RELEASE_DIST)/aigne-hub-$(VERSION)*
	@cat '$(RELEASE_DIST)/SHA256SUMS'

# What is in the program (CycloneDX, from the build information that Go puts in it), and in the console.
release-sbom: $(firstword $(RELEASES))
	$(SBOM) -version '$(VERSION)' -output '$(RELEASE_DIST)/aigne-hub-$(VERSION).sbom.json' '$(RELEASE_DIST)/$(subst /,-,$(firstword $(PLATFORMS)))/aigne-hub'
	$(if $(NPM),cd $(WEB) && npm sbom --sbom-format cyclonedx --sbom-type application --omit dev --package-lock-only > '$(abspath $(RELEASE_DIST))/aigne-hub-$(VERSION)-console.sbom.json')

.PHONY: platforms
platforms:
	@set -e; for p in $(PLATFORMS); do echo "builds for $$p"; GOOS=$${p%/*} GOARCH=$${p#*/} CGO_ENABLED=0 go build -o /dev/null ./localrun; done

release-check: console-if-npm
	@set -e; one=$$(mktemp -d); two=$$(mktemp -d); trap 'rm -rf "$$one" "$$two"' EXIT; \
	for dir in "$$one" "$$two"; do \
		git archive HEAD | tar -x -C "$$dir"; \
		if [ -d functions/console/dist ]; then cp -r functions/console/dist "$$dir/functions/console/"; fi; \
		(cd "$$dir" && $(RELEASE_BUILD) -o "$$dir/aigne-hub" ./localrun); \
	done; \
	cmp "$$one/aigne-hub" "$$two/aigne-hub" && sha256sum "$$one/aigne-hub" | sed 's/ .*/  the same program from both folders/'
