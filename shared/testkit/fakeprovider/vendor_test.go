package fakeprovider

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

func TestAVendorRefusesWhatItsQuirksSay(t *testing.T) {
	t.Parallel()
	const hi = `"messages":[{"role":"user","content":"hi"}]`
	const tools = `"tools":[{"type":"function","function":{"name":"f"}}],`
	for name, tc := range map[string]struct {
		quirks  dialect.Quirks
		members string
		good    bool
	}{
		"a refused parameter":       {dialect.Quirks{Refuses: []string{"seed"}}, `"seed":1,` + hi, false},
		"another one":               {dialect.Quirks{Refuses: []string{"seed"}}, `"top_p":1,` + hi, true},
		"the newer limit":           {dialect.Quirks{MaxTokensField: "max_tokens"}, `"max_completion_tokens":9,` + hi, false},
		"a wish for usage":          {dialect.Quirks{NoStreamUsage: true}, `"stream":true,"stream_options":{"include_usage":true},` + hi, false},
		"the language's own name":   {dialect.Quirks{Renames: map[string]string{"seed": "random_seed"}}, `"seed":1,` + hi, false},
		"the vendor's name":         {dialect.Quirks{Renames: map[string]string{"seed": "random_seed"}}, `"random_seed":1,` + hi, true},
		"a tool mode":               {dialect.Quirks{ToolModes: []string{"auto"}}, tools + `"tool_choice":"required",` + hi, false},
		"a tool by name":            {dialect.Quirks{ToolModes: []string{"auto"}}, tools + `"tool_choice":{"type":"function","function":{"name":"f"}},` + hi, false},
		"strict":                    {dialect.Quirks{NoStrictTools: true}, `"tools":[{"type":"function","function":{"name":"f","strict":false}}],` + hi, false},
		"a schema":                  {dialect.Quirks{NoJSONSchema: true}, `"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}},` + hi, false},
		"a schema in the object":    {dialect.Quirks{SchemaInObject: true}, `"response_format":{"type":"json_object","schema":{"type":"object"}},` + hi, true},
		"an effort":                 {dialect.Quirks{Efforts: []string{"high"}}, `"reasoning_effort":"low",` + hi, false},
		"a switch":                  {dialect.Quirks{ThinkingSwitch: dialect.SwitchEnable}, `"enable_thinking":true,"thinking_budget":9,` + hi, true},
		"a switch of another":       {dialect.Quirks{ThinkingSwitch: dialect.SwitchThinking}, `"enable_thinking":true,` + hi, false},
		"what it takes beyond":      {dialect.Quirks{Takes: []string{"top_k"}}, `"top_k":4,` + hi, true},
		"what nobody knows":         {dialect.Quirks{}, `"top_k":4,` + hi, false},
		"a developer":               {dialect.Quirks{NoDeveloper: true}, `"messages":[{"role":"developer","content":"x"},{"role":"user","content":"hi"}]`, false},
		"a name":                    {dialect.Quirks{NoNames: true}, `"messages":[{"role":"user","name":"ann","content":"hi"}]`, false},
		"thinking in another field": {dialect.Quirks{ReasoningField: "reasoning"}, `"messages":[{"role":"assistant","content":"x","reasoning_content":"y"},{"role":"user","content":"hi"}]`, false},
		"thinking in its field":     {dialect.Quirks{ReasoningField: "reasoning"}, `"messages":[{"role":"assistant","content":"x","reasoning":"y"},{"role":"user","content":"hi"}]`, true},
		"thinking as a part": {dialect.Quirks{ReasoningField: dialect.ThinkingParts},
			`"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"y"}]},{"type":"text","text":"x"}]},{"role":"user","content":"hi"}]`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := Start(t, OpenAI, Options{Vendor: &tc.quirks})
			status, body := ask(t, p, false, `{"model":"gpt-fake",`+tc.members+`}`)
			want := http.StatusBadRequest
			if tc.good {
				want = http.StatusOK
			}
			assert.Equal(t, want, status, body)
		})
	}
}
