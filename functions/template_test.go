package functions_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/admin"
	"github.com/aigne-hub/aigne-hub/functions/auth"
	"github.com/aigne-hub/aigne-hub/functions/billing"
	"github.com/aigne-hub/aigne-hub/functions/console"
	"github.com/aigne-hub/aigne-hub/functions/proxy"
	"github.com/aigne-hub/aigne-hub/functions/usage"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/testkit/samtemplate"
)

// deployed are the names of the template's functions, of which the authorizer is an
// option.
var deployed = []string{"Proxy", "Auth", "Usage", "Billing", "Admin", "Console", "Authorizer"} //nolint:gochecknoglobals // a constant

// given are values for the template's parameters that are references or have no default.
var given = map[string]string{ //nolint:gochecknoglobals // a constant
	"DatabaseUrl": "libsql://hub.example", "MasterKey": masterKey,
	"MediaBucket": "media", "ArchiveBucket": "archive", "AWS::Region": "eu-central-1",
}

func TestTheTemplatesEnvironmentIsWhatTheHubReads(t *testing.T) {
	t.Parallel()
	template := samtemplate.Read(t)
	for _, name := range deployed {
		env := map[string]string{"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"} // as Lambda sets them
		var environ []string
		add := func(variables map[string]any) {
			for variable, v := range variables {
				env[variable] = value(t, template, v)
				environ = append(environ, variable+"="+env[variable])
			}
		}
		add(samtemplate.Dig(template, "Globals", "Function", "Environment", "Variables"))
		add(samtemplate.Dig(template, "Resources", name+"Function", "Properties", "Environment", "Variables"))
		cfg, err := boot.Load(func(variable string) (string, bool) { v, ok := env[variable]; return v, ok }, environ, nil)
		require.NoError(t, err, name)
		assert.Equal(t, "libsql://hub.example", cfg.Database)
	}
}

// value is what a variable is with the parameters' defaults, no condition holding.
func value(t *testing.T, template map[string]any, v any) string {
	t.Helper()
	m, ok := v.(map[string]any)
	if !ok {
		return v.(string)
	}
	ref := func(name string) string {
		if s, ok := given[name]; ok {
			return s
		}
		p := samtemplate.Dig(template, "Parameters", name)
		require.Contains(t, p, "Default", name)
		return p["Default"].(string)
	}
	switch {
	case m["Ref"] != nil:
		return ref(m["Ref"].(string))
	case m["Fn::If"] != nil:
		return value(t, template, m["Fn::If"].([]any)[2])
	case m["Fn::Join"] != nil:
		return value(t, template, m["Fn::Join"].([]any)[1])
	}
	text := m["Fn::Sub"].(string)
	for _, name := range []string{"MediaBucket", "ArchiveBucket", "AWS::Region"} {
		text = strings.ReplaceAll(text, "${"+name+"}", ref(name))
	}
	return text
}

// Buckets are for those who read or write files there; nobody has more of S3 than that.
func TestFunctionsMayDoWhatTheirCodeDoes(t *testing.T) {
	t.Parallel()
	template := samtemplate.Read(t)
	may := map[string][]string{}
	for _, name := range deployed {
		policies, _ := samtemplate.Dig(template, "Resources", name+"Function", "Properties")["Policies"].([]any)
		for _, p := range policies {
			for _, s := range p.(map[string]any)["Statement"].([]any) {
				s := s.(map[string]any)
				for _, action := range asList(s["Action"]) {
					assert.Contains(t, []any{"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"}, action)
				}
				if text, ok := samtemplate.Dig(s, "Resource")["Fn::Sub"].(string); ok {
					bucket, _, _ := strings.Cut(strings.TrimPrefix(text, "${"), ".")
					may[name] = append(may[name], bucket)
				}
			}
		}
	}
	assert.Equal(t, map[string][]string{
		"Proxy": {"MediaBucket"}, "Usage": {"ArchiveBucket", "MediaBucket"}, "Billing": {"MediaBucket", "ArchiveBucket"}, "Admin": {"ArchiveBucket"},
	}, may)
	all := []any{}
	for _, name := range deployed[:6] {
		all = append(all, map[string]any{"Ref": name + "FunctionRole"})
	}
	roles := func(policy string) []any {
		return samtemplate.Dig(template, "Resources", policy, "Properties")["Roles"].([]any)
	}
	assert.Equal(t, all[:5], roles("VaultPolicy"), "whoever seals or opens")
	assert.Equal(t, all, roles("SecretsPolicy")[:6], "whoever has settings")
}

func asList(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

func TestOneAddressSendsEachRouteToItsFunction(t *testing.T) {
	t.Parallel()
	template := samtemplate.Read(t)
	behaviours := samtemplate.Dig(template, "Resources", "Front", "Properties", "DistributionConfig")["CacheBehaviors"].([]any)
	origin := func(route string) string {
		for _, b := range behaviours {
			pattern := b.(map[string]any)["PathPattern"].(string)
			if prefix, open := strings.CutSuffix(pattern, "*"); pattern == route || open && strings.HasPrefix(route, prefix) {
				return b.(map[string]any)["TargetOriginId"].(string)
			}
		}
		return "api"
	}
	for _, f := range []struct {
		origin string
		routes []httpkit.Route
	}{
		{"models", proxy.Routes()}, {"api", auth.Routes()}, {"api", usage.Routes()}, {"api", billing.Routes()}, {"api", admin.Routes()}, {"api", console.Routes()},
	} {
		for _, r := range f.routes {
			assert.Equal(t, f.origin, origin(strings.NewReplacer("{", "", "}", "", "...", "", "$", "").Replace(r.Pattern)), r.Pattern)
		}
	}
	for _, b := range append(behaviours, samtemplate.Dig(template, "Resources", "Front", "Properties", "DistributionConfig")["DefaultCacheBehavior"]) {
		b := b.(map[string]any)
		assert.Equal(t, "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", b["CachePolicyId"], "nothing is kept")
		assert.Equal(t, false, b["Compress"], "nothing waits to be compressed")
		assert.Len(t, b["AllowedMethods"], 7)
	}
}

func TestEveryFunctionHasALogOfItsOwnThatEnds(t *testing.T) {
	t.Parallel()
	template := samtemplate.Read(t)
	for _, name := range deployed {
		logging := samtemplate.Dig(template, "Resources", name+"Function", "Properties", "LoggingConfig")
		assert.Equal(t, map[string]any{"LogGroup": map[string]any{"Ref": name + "Logs"}, "LogFormat": "JSON"}, logging)
		assert.NotEmpty(t, samtemplate.Dig(template, "Resources", name+"Logs", "Properties")["RetentionInDays"], name)
	}
}

// What metric filters look for is what the code logs.
func TestAlarmsHearWhatIsLogged(t *testing.T) {
	t.Parallel()
	template := samtemplate.Read(t)
	source := map[string]string{"BillingLogs": "billing/jobs.go", "AdminLogs": "../shared/alert/alert.go"}
	filters := 0
	for _, r := range samtemplate.Dig(template, "Resources") {
		r := r.(map[string]any)
		if r["Type"] != "AWS::Logs::MetricFilter" {
			continue
		}
		filters++
		p := samtemplate.Dig(r, "Properties")
		message := strings.Split(p["FilterPattern"].(string), `"`)[1]
		code, err := os.ReadFile(filepath.FromSlash(source[samtemplate.Dig(p, "LogGroupName")["Ref"].(string)]))
		require.NoError(t, err)
		assert.Contains(t, string(code), `Context(ctx, "`+message+`"`)
	}
	assert.Equal(t, 3, filters)
	var watched []string
	for id, r := range samtemplate.Dig(template, "Resources") {
		if r.(map[string]any)["Type"] == "AWS::CloudWatch::Alarm" {
			watched = append(watched, id)
		}
	}
	slices.Sort(watched)
	assert.Equal(t, []string{"AlertsAlarm", "ApiFaultsAlarm", "ApiLatencyAlarm", "ErrorsAlarm", "LedgerAlarm", "OutboxAlarm", "ProxyDurationAlarm", "ThrottlesAlarm"}, watched)
}

func TestTheExampleOfASamconfigNamesParametersThatThereAre(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "infra", "samconfig.example.toml"))
	require.NoError(t, err)
	names := regexp.MustCompile(`"([A-Za-z]+)=`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, names, 10)
	for _, m := range names {
		assert.Contains(t, samtemplate.Dig(samtemplate.Read(t), "Parameters"), m[1])
	}
}
