// Package dialecttest is the contract that every dialect's client side and
// meter must keep, run over recorded provider answers: whole, frame by frame,
// split at every byte, cut, and failing. It holds no dialect and no recording;
// it is linked into tests only.
package dialecttest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FixturesEnv names the environment variable with the folder of recorded
// answers (its manifest.json lists them).
const FixturesEnv = "AIGNE_HUB_TEST_FIXTURES"

// Manifest lists recorded answers in groups.
type Manifest struct {
	Groups []Group `json:"groups"`
}

// Group is one conversation with a provider, or one of its errors.
type Group struct {
	ID       string `json:"id"`
	Provider string `json:"provider"`
	Kind     string `json:"kind"`  // response, error or fault; other kinds are not run
	API      string `json:"api"`   // the language it was recorded in
	Fault    string `json:"fault"` // cut, midstream-error, no-terminator
	Tags     []string
	Turn1    *Turn `json:"turn1"`
	Turn2    *Turn `json:"turn2"`

	Error  *Variant `json:"error"`  // kind error: the body
	Expect *Expect  `json:"expect"` // kind error: status and message
}

// Turn is one answer in several wire forms, and the facts all of them hold.
type Turn struct {
	Variants []Variant `json:"variants"`
	Expect   Expect    `json:"expect"`
}

// Variant is one file.
type Variant struct {
	API     string            `json:"api"`
	Kind    string            `json:"kind"` // json, sse or eventstream
	File    string            `json:"file"` // below the manifest's folder
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
}

// Expect is what an answer says, in OpenAI's words and meaning.
type Expect struct {
	Text          string `json:"text"`
	ReasoningText string `json:"reasoning_text"`
	Refusal       string `json:"refusal"`
	ToolCalls     []struct {
		ID        string          `json:"id"`
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"tool_calls"`
	FinishReason string `json:"finish_reason"`
	NativeFinish string `json:"native_finish"`
	Usage        *Usage `json:"usage"`

	TextBeforeFault string `json:"text_before_fault"`

	UpstreamStatus int    `json:"upstream_status"`
	Message        string `json:"message"`
	Class          string `json:"class"` // retry, rate_limit, credential, request, refused; "" follows from status and tags
}

// Usage is usage in OpenAI's meaning: prompt tokens include what was read from
// and written to caches.
type Usage struct {
	Prompt     int64  `json:"prompt_tokens"`
	Completion int64  `json:"completion_tokens"`
	Cached     int64  `json:"cached_tokens"`
	CacheWrite *int64 `json:"cache_write_tokens"`
	Reasoning  int64  `json:"reasoning_tokens"`
}

// Load reads a folder's manifest.json.
func Load(t testing.TB, dir string) *Manifest {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	require.NoError(t, err)
	var m Manifest
	require.NoError(t, json.Unmarshal(body, &m))
	return &m
}

// Recorded returns the folder of recorded answers, or skips the test saying how
// many groups of an api it leaves out.
func Recorded(t testing.TB, api string) string {
	t.Helper()
	dir := os.Getenv(FixturesEnv)
	if dir == "" {
		t.Skipf("%s is not set: %d recorded %s groups skipped", FixturesEnv, recordedGroups[api], api)
	}
	return dir
}

// recordedGroups is how many groups the recordings hold for each api, for the
// message when they are not there.
var recordedGroups = map[string]int{"openai-chat": 56, "openai-responses": 22, "anthropic": 12, "gemini": 7, "bedrock": 8}

// speaks lists which providers' errors come in which language.
var speaks = map[string]map[string]bool{
	"openai-chat":      {"openai": true, "azure": true, "openrouter": true, "deepseek": true, "xai": true, "ollama": true},
	"openai-responses": {"openai": true, "azure": true},
	"anthropic":        {"anthropic": true},
	"gemini":           {"gemini": true},
	"bedrock":          {"bedrock": true},
}

func (g *Group) turns() map[string]*Turn {
	turns := map[string]*Turn{}
	if g.Turn1 != nil {
		turns["turn1"] = g.Turn1
	}
	if g.Turn2 != nil {
		turns["turn2"] = g.Turn2
	}
	return turns
}

func (g *Group) tagged(tag string) bool {
	for _, t := range g.Tags {
		if t == tag {
			return true
		}
	}
	return false
}
