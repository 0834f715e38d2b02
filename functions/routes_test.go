package functions_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/aigne-hub/aigne-hub/functions/admin"
	"github.com/aigne-hub/aigne-hub/functions/auth"
	"github.com/aigne-hub/aigne-hub/functions/billing"
	"github.com/aigne-hub/aigne-hub/functions/proxy"
	"github.com/aigne-hub/aigne-hub/functions/usage"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

// reserved are the event paths of template.yaml whose routes come with later
// versions: until then the function answers 404 there.
var reserved = []string{"/api/user/usage-stats", "/api/ai-providers"}

// events are the paths (by function) and the jobs that template.yaml names. The
// path "" is the one that takes what no other does.
func events(t *testing.T) (paths map[string][]string, jobs map[string]string) {
	t.Helper()
	var template struct {
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				Events map[string]struct {
					Type       string `yaml:"Type"`
					Properties struct {
						Path   string `yaml:"Path"`
						Method string `yaml:"Method"`
						Input  string `yaml:"Input"`
					} `yaml:"Properties"`
				} `yaml:"Events"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	b, err := os.ReadFile(filepath.Join("..", "template.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(b, &template))
	paths, jobs = map[string][]string{}, map[string]string{}
	for id, r := range template.Resources {
		name := strings.ToLower(strings.TrimSuffix(id, "Function"))
		if r.Type != "AWS::Serverless::Function" {
			continue
		}
		for _, e := range r.Properties.Events {
			switch e.Type {
			case "HttpApi":
				assert.Contains(t, []string{"ANY", ""}, e.Properties.Method, "methods are the function's to refuse")
				paths[name] = append(paths[name], e.Properties.Path)
			case "ScheduleV2":
				var input struct{ Job string }
				require.NoError(t, json.Unmarshal([]byte(e.Properties.Input), &input))
				jobs[input.Job] = name
			}
		}
	}
	return paths, jobs
}

// covers reports whether API Gateway sends what a route serves to this event
// path: {proxy+} stands for one segment or more, never for none.
func covers(event, route string) bool {
	if prefix, greedy := strings.CutSuffix(event, "{proxy+}"); greedy {
		return strings.HasPrefix(route, prefix) && len(route) > len(prefix)
	}
	return event == "" || event == route
}

func TestTheTemplateSendsEachRouteToItsFunction(t *testing.T) {
	t.Parallel()
	paths, _ := events(t)
	assert.Subset(t, slices.Collect(maps.Keys(all)), slices.Collect(maps.Keys(paths)))
	placeholder := regexp.MustCompile(`\{[^}]*\}`)
	used := map[string]bool{}
	for name, f := range all {
		if name == "proxy" {
			continue // it has an address of its own: the Function URL
		}
		for _, rt := range f.routes() {
			route := placeholder.ReplaceAllString(rt.Pattern, "x")
			owner, longest := "", -1
			for other, list := range paths {
				for _, p := range list {
					// The most specific path wins: here, the longest.
					if covers(p, route) && len(p) > longest {
						owner, longest = other, len(p)
						used[p] = used[p] || other == name
					}
				}
			}
			assert.Equal(t, name, owner, "%s %s", rt.Method, rt.Pattern)
		}
	}
	for name, list := range paths {
		for _, p := range list {
			assert.NotEqual(t, slices.Contains(reserved, p), used[p], "%s has no route below %q; or it has, and the path is no longer reserved", name, p)
		}
	}
}

func TestTheTemplateSchedulesJobsThatThereAre(t *testing.T) {
	t.Parallel()
	_, jobs := events(t)
	owners := map[string]string{}
	none := &boot.App{} // as a Lambda lists them: nothing is open yet
	for owner, list := range map[string][]schedule.Job{"auth": auth.Jobs(none), "billing": billing.Jobs(none), "admin": admin.Jobs(none), "proxy": proxy.Jobs(none), "usage": usage.Jobs(none)} {
		for _, j := range list {
			owners[j.Name] = owner
		}
	}
	require.NotEmpty(t, jobs)
	for job, name := range jobs {
		assert.Equal(t, owners[job], name, job)
	}
}
