# The six Lambda functions, and the authorizer. Included by the Makefile.
#
#   make build-ProxyFunction ARTIFACTS_DIR=…   what `sam build --build-in-source` calls (BuildMethod: makefile)
#   make package-lambda                        dist/lambda/<name>/bootstrap and dist/lambda/<name>.zip, for all of them
#
# LAMBDA_GOARCH=amd64 builds for another machine; template.yaml says arm64.

LAMBDA_FUNCTIONS := proxy auth usage billing admin console authorizer
LAMBDA_GOARCH ?= arm64
LAMBDA_DIST ?= dist/lambda
LAMBDA_BUILD = CGO_ENABLED=0 GOOS=linux GOARCH=$(LAMBDA_GOARCH) go build -trimpath -buildvcs=false -ldflags '-s -w'
# Archives are SQLite files. Functions that neither write nor read them have no engine for files.
LAMBDA_ARCHIVES := usage billing admin
LAMBDA_TAGS = -tags lambda.norpc$(if $(filter $(1),$(LAMBDA_ARCHIVES)),,$(comma)remote)
comma := ,

# $(1): logical id in template.yaml, $(2): its name, $(3): folder below functions/, unless it is $(2)/lambda
define lambda
.PHONY: build-$(1) package-lambda-$(2)
build-$(1):
	$$(LAMBDA_BUILD) $$(call LAMBDA_TAGS,$(2)) -o '$$(ARTIFACTS_DIR)/bootstrap' ./functions/$(or $(3),$(2)/lambda)
package-lambda-$(2):
	$$(LAMBDA_BUILD) $$(call LAMBDA_TAGS,$(2)) -o '$$(LAMBDA_DIST)/$(2)/bootstrap' ./functions/$(or $(3),$(2)/lambda)
	go run ./infra/lambdazip '$$(LAMBDA_DIST)/$(2)/bootstrap' '$$(LAMBDA_DIST)/$(2).zip'
endef
$(eval $(call lambda,ProxyFunction,proxy))
$(eval $(call lambda,AuthFunction,auth))
$(eval $(call lambda,UsageFunction,usage))
$(eval $(call lambda,BillingFunction,billing))
$(eval $(call lambda,AdminFunction,admin))
$(eval $(call lambda,ConsoleFunction,console))
$(eval $(call lambda,AuthorizerFunction,authorizer,auth/authorizer))

# The function serves what was built before.
build-ConsoleFunction package-lambda-console: console-if-npm

.PHONY: package package-lambda
package: package-lambda
package-lambda: $(addprefix package-lambda-,$(LAMBDA_FUNCTIONS))

# cfn-lint also is what `sam validate --lint` asks; SAM's own command is taken where it is
# installed. Without either, pip installs cfn-lint below .cache, once.
CFN_LINT := 1.51.0

.PHONY: template
template:
	@if command -v sam >/dev/null; then sam validate --lint --template template.yaml; \
	elif command -v cfn-lint >/dev/null; then cfn-lint template.yaml; \
	elif [ -x .cache/cfn-lint/bin/cfn-lint ] || { python3 -m venv .cache/cfn-lint && \
		timeout 180 .cache/cfn-lint/bin/pip install -q --disable-pip-version-check cfn-lint==$(CFN_LINT); } >/dev/null 2>&1; then .cache/cfn-lint/bin/cfn-lint template.yaml; \
	else rm -rf .cache/cfn-lint; echo "neither sam nor cfn-lint is installed, and pip cannot fetch cfn-lint: template.yaml is not linted"; fi
