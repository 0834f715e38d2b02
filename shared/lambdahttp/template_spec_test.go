package lambdahttp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/testkit/cfnspec"
	"github.com/aigne-hub/aigne-hub/shared/testkit/samtemplate"
)

func TestCloudFormationKnowsEveryPropertyOfTheTemplate(t *testing.T) {
	t.Parallel()
	for name, conditions := range map[string]bool{"with every option": true, "without options": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Empty(t, cfnspec.Problems(t, samtemplate.Resources(samtemplate.Read(t), conditions)))
		})
	}
	for name, spoil := range map[string]func(template map[string]any){
		"a value that is not allowed": func(m map[string]any) {
			samtemplate.Dig(m, "Resources", "ProxyFunction", "Properties", "FunctionUrlConfig")["InvokeMode"] = "STREAMING"
		},
		"a value of another kind": func(m map[string]any) { samtemplate.Dig(m, "Globals", "Function")["MemorySize"] = []any{1.} },
		"an unknown property": func(m map[string]any) {
			samtemplate.Dig(m, "Resources", "Front", "Properties", "DistributionConfig")["Alias"] = []any{}
		},
		"a schedule's wrong member": func(m map[string]any) {
			samtemplate.Dig(m, "Resources", "ProxyFunction", "Properties", "Events", "Probe", "Properties", "RetryPolicy")["Attempts"] = 1.
		},
		"an unknown type": func(m map[string]any) { samtemplate.Dig(m, "Resources", "Alarms")["Type"] = "AWS::SNS::Subject" },
	} {
		t.Run("the check finds "+name, func(t *testing.T) {
			t.Parallel()
			template := samtemplate.Read(t)
			spoil(template)
			assert.NotEmpty(t, cfnspec.Problems(t, samtemplate.Resources(template, true)))
		})
	}
}
