# The web console: functions/console/web is built into functions/console/dist,
# which the Go binary embeds. dist is not in git. Without npm (or with NPM=) the
# hub has a page in the console's place that says how to do without.

CONSOLE := functions/console/dist/index.html

.PHONY: console console-if-npm
console: $(CONSOLE)

ifneq ($(NPM),)
console-if-npm: $(CONSOLE)
else
console-if-npm:
	@echo "npm is not installed: the hub is built without the web console"
endif

# npm writes the file when it is done; its time is that of the install.
$(PACKAGES): $(WEB)/package-lock.json $(WEB)/package.json
	@cd $(WEB) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || \
		{ echo "the console's packages cannot be fetched; with NPM= the hub is built without the console"; exit 1; }
	@touch $@

$(CONSOLE): $(PACKAGES) shared/openapi/openapi.json $(shell git ls-files -co --exclude-standard $(WEB) 2>/dev/null | grep -v -e '/e2e/' -e '\.test\.')
	cd $(WEB) && npm run -s build
	@touch $@
