package lambdahttp_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/aigne-hub/aigne-hub/shared/testkit/samtemplate"
)

// TestTemplateFitsTheSAMSchema needs the file sam.schema.json of the public repository
// aws/serverless-application-model (folder schema_source), named by the environment.
func TestTemplateFitsTheSAMSchema(t *testing.T) {
	t.Parallel()
	path := os.Getenv("AIGNE_HUB_TEST_SAM_SCHEMA")
	if path == "" {
		t.Skip("AIGNE_HUB_TEST_SAM_SCHEMA is not set: template.yaml is NOT checked against the SAM schema (1 group skipped)")
	}
	s := loadSchema(t, path)
	assert.Empty(t, s.problems(t, samtemplate.Read(t)))

	for name, spoil := range map[string]func(fn map[string]any){
		"an unknown property":      func(fn map[string]any) { fn["FunctionUrlConfig"].(map[string]any)["InvokeMod"] = "RESPONSE_STREAM" },
		"an unknown kind of event": func(fn map[string]any) { fn["Events"] = map[string]any{"X": map[string]any{"Type": "ScheduleV3"}} },
		"a misspelt property":      func(fn map[string]any) { fn["Architecture"] = []any{"arm64"} },
	} {
		t.Run("the check finds "+name, func(t *testing.T) {
			t.Parallel()
			template := samtemplate.Read(t)
			spoil(samtemplate.Dig(template, "Resources", "ProxyFunction", "Properties"))
			assert.NotEmpty(t, s.problems(t, template))
		})
	}
}

func TestTemplateMeansWhatTheFunctionsNeed(t *testing.T) {
	t.Parallel()
	template := samtemplate.Read(t)
	globals := samtemplate.Dig(template, "Globals", "Function")
	assert.Equal(t, "provided.al2023", globals["Runtime"])
	assert.Equal(t, []any{"arm64"}, globals["Architectures"])
	assert.Equal(t, "bootstrap", globals["Handler"])
	params := samtemplate.Dig(template, "Parameters")
	for _, secret := range []string{"DatabaseToken", "MasterKey", "StripeSecretKey", "StripeWebhookSecret", "SmtpUrl", "OidcClientSecret", "OtlpHeaders"} {
		p := samtemplate.Dig(params, secret)
		assert.Equal(t, true, p["NoEcho"], secret)
		assert.Empty(t, p["Default"], secret)
	}
	vault := samtemplate.Dig(template, "Resources", "VaultPolicy", "Properties")
	for _, f := range []string{"Proxy", "Auth", "Usage", "Billing", "Admin"} { // whoever seals or opens
		assert.Contains(t, vault["Roles"], map[string]any{"Ref": f + "FunctionRole"})
	}

	makefile, err := os.ReadFile(filepath.Join("..", "..", "infra", "lambda.mk"))
	require.NoError(t, err)
	assert.Contains(t, string(makefile), "$(call lambda,AuthorizerFunction,authorizer,auth/authorizer)")
	authorizer := samtemplate.Dig(template, "Resources", "ApiAuthorizer", "Properties")
	assert.Equal(t, "2.0", authorizer["AuthorizerPayloadFormatVersion"])
	assert.Equal(t, true, authorizer["EnableSimpleResponses"], "AIGNE_HUB_AUTHORIZER is simple unless set")
	assert.EqualValues(t, 0, samtemplate.Dig(params, "AuthorizerTtl")["Default"], "a revoked key is out at once")
	for _, id := range []string{"AuthorizerFunction", "ApiAuthorizer", "AuthorizerPermission"} {
		assert.Equal(t, "WithAuthorizer", samtemplate.Dig(template, "Resources", id)["Condition"], id)
	}
	routes, jobs := map[string]string{}, map[string]string{}
	for _, name := range []string{"proxy", "auth", "usage", "billing", "admin", "console"} {
		id := strings.ToUpper(name[:1]) + name[1:] + "Function"
		function := samtemplate.Dig(template, "Resources", id)
		assert.Equal(t, "makefile", samtemplate.Dig(function, "Metadata")["BuildMethod"], id)
		assert.Contains(t, string(makefile), fmt.Sprintf("$(call lambda,%s,%s)", id, name))
		for _, ev := range samtemplate.Dig(function, "Properties", "Events") {
			props := samtemplate.Dig(ev.(map[string]any), "Properties")
			switch ev.(map[string]any)["Type"] {
			case "HttpApi":
				path, _ := props["Path"].(string)
				assert.NotContains(t, routes, path, "one owner for a route")
				routes[path] = name
			case "ScheduleV2":
				var input struct{ Job string }
				require.NoError(t, json.Unmarshal([]byte(props["Input"].(string)), &input))
				jobs[input.Job] = props["ScheduleExpression"].(string)
			}
		}
	}
	assert.Equal(t, map[string]string{
		"/api/auth/{proxy+}": "auth", "/oauth/{proxy+}": "auth", "/.well-known/oauth-authorization-server": "auth", "/.well-known/oauth-authorization-server/{proxy+}": "auth",
		"/.well-known/service/{proxy+}": "auth", "/api/usage/{proxy+}": "usage", "/api/user/model-calls": "usage", "/api/user/model-calls/{proxy+}": "usage",
		"/api/user/usage-stats": "usage", "/api/status": "usage", "/api/user/credit/{proxy+}": "billing", "/api/user/info": "billing", "/api/user/admin/user-info": "billing", "/api/user/admin/user-stats": "usage", "/api/user/wallets": "billing", "/api/user/wallets/{proxy+}": "billing",
		"/api/billing/{proxy+}": "billing", "/api/payment/{proxy+}": "billing", "/api/user/receipts": "billing", "/api/user/receipts/{proxy+}": "billing",
		"/api/admin/{proxy+}": "admin", "/api/ai/{proxy+}": "admin", "/api/ai-providers": "admin", "/api/ai-providers/{proxy+}": "admin", "": "console",
	}, routes)
	assert.Equal(t, map[string]string{"billing.sweep": "rate(1 minute)", "billing.expiry": "rate(5 minutes)", "billing.ledger-verify": "rate(1 hour)", "billing.ledger-seal": "rate(6 hours)",
		"billing.outbox": "rate(1 minute)", "billing.customers": "rate(1 minute)", "billing.jobs": "rate(1 minute)", "billing.payments": "rate(1 minute)", "billing.files": "rate(1 hour)", "admin.notify": "rate(1 minute)", "admin.recheck": "rate(1 minute)",
		"auth.mail": "rate(1 minute)", "admin.alerts": "rate(1 minute)", "admin.apps": "rate(5 minutes)", "usage.exports": "rate(1 minute)", "usage.rollup": "rate(1 minute)", "admin.forget": "rate(1 hour)", "admin.audit": "rate(1 minute)", "admin.audit-verify": "rate(1 day)", "admin.vault": "rate(1 hour)", "usage.archive": "rate(1 hour)", "admin.prices": "rate(6 hours)", "admin.rates": "rate(1 minute)", "proxy.probe": "rate(5 minutes)"}, jobs)
	proxy := samtemplate.Dig(template, "Resources", "ProxyFunction", "Properties")
	url := samtemplate.Dig(proxy, "FunctionUrlConfig")
	assert.Equal(t, "NONE", url["AuthType"])
	assert.Equal(t, "RESPONSE_STREAM", url["InvokeMode"])
	assert.EqualValues(t, 900, proxy["Timeout"])
}

// samSchema checks each resource against the definition of its own Type first: the
// whole schema is one great "any of", whose complaints help nobody.
type samSchema struct {
	whole  *jsonschema.Schema
	byType map[string]*jsonschema.Schema
}

func loadSchema(t *testing.T, path string) samSchema {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(func(s string) (jsonschema.Regexp, error) {
		if s == `^(?!AWS::Serverless::).+$` { // the one lookahead, which Go's engine has not
			return foreignType{}, nil
		}
		return regexp.Compile(s)
	})
	require.NoError(t, c.AddResource("sam.json", doc))
	whole, err := c.Compile("sam.json")
	require.NoError(t, err)
	out := samSchema{whole: whole, byType: map[string]*jsonschema.Schema{}}
	for name, d := range samtemplate.Dig(doc.(map[string]any), "definitions") {
		def, _ := d.(map[string]any)
		kinds, _ := samtemplate.Dig(def, "properties", "Type")["enum"].([]any)
		if kind, ok := samtemplate.Dig(def, "properties", "Type")["const"].(string); ok {
			kinds = append(kinds, kind)
		}
		for _, kind := range kinds {
			if s, _ := kind.(string); strings.HasPrefix(s, "AWS::Serverless::") {
				out.byType[s], err = c.Compile("sam.json#/definitions/" + name)
				require.NoError(t, err)
			}
		}
	}
	require.Contains(t, out.byType, "AWS::Serverless::Function")
	require.Contains(t, out.byType, "AWS::Serverless::HttpApi")
	return out
}

func (s samSchema) problems(t *testing.T, template map[string]any) []string {
	t.Helper()
	var out []string
	for id, r := range samtemplate.Dig(template, "Resources") {
		kind, _ := r.(map[string]any)["Type"].(string)
		if schema, ok := s.byType[kind]; ok {
			out = append(out, complaints(id, schema.Validate(r))...)
		}
	}
	if len(out) == 0 {
		out = complaints("template", s.whole.Validate(template))
	}
	slices.Sort(out)
	return out
}

// complaints lists the deepest causes of a validation error.
func complaints(at string, err error) []string {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		if err != nil {
			return []string{err.Error()}
		}
		return nil
	}
	var out []string
	for _, c := range invalid.Causes {
		out = append(out, complaints(at, c)...)
	}
	if len(invalid.Causes) == 0 {
		out = append(out, at+"/"+strings.Join(invalid.InstanceLocation, "/")+": "+invalid.ErrorKind.LocalizedString(message.NewPrinter(language.English)))
	}
	return out
}

// foreignType matches names of resource types that are not SAM's.
type foreignType struct{}

func (foreignType) MatchString(s string) bool {
	return s != "" && !strings.HasPrefix(s, "AWS::Serverless::")
}
func (foreignType) String() string { return "not AWS::Serverless" }
