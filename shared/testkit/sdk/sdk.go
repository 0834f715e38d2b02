// Package sdk runs the public SDKs (openai, @anthropic-ai/sdk, @google/genai,
// @aigne/aigne-hub, ai with its providers, @langchain/openai) in Node against an
// address and hands back what their callers would see. The SDKs judge the wire
// format; what the facts must be is for the test to say. It is for tests only and
// skips them without Node.
package sdk

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/npm"
)

//go:embed *.mjs package.json package-lock.json
var files embed.FS

// The scripts.
const (
	OpenAI    = "openai"
	Responses = "responses" // of the same SDK, with legacy completions
	Anthropic = "anthropic"
	Gemini    = "gemini"
	AIGNE     = "aigne"
	Vercel    = "vercel"    // its scenarios are named <provider>/<what>
	LangChain = "langchain" // over the OpenAI language
	Work      = "work"      // of openai, beside chat; needs Target.Models
	Media     = "media"     // pictures and films of openai; needs Target.Models
)

// runLimit bounds one script with all its scenarios.
const runLimit = 2 * time.Minute

// Target is what a script talks to.
type Target struct {
	BaseURL      string // origin and mount prefix, without /v1
	Key          string
	Model        string // AIGNE: provider/model, without the prefix aignehub/
	UnknownModel string // a model that does not exist; "" means no-such-model
	// Models are those for work beside chat, by what they do: embedding, moderation,
	// speech, whisper, transcription, image, image_url, video.
	Models map[string]string
}

// Failure is what an SDK's caller sees of an error.
type Failure struct {
	Class     string `json:"class"` // the error's class, such as NotFoundError
	Name      string `json:"name"`
	Status    int    `json:"status"`    // 0 when the SDK tells none
	Retryable *bool  `json:"retryable"` // nil when the SDK does not say
	Type      string `json:"type"`
	Code      any    `json:"code"`
	Message   string `json:"message"`
}

// Call is a tool call as the SDK hands it out.
type Call struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Arguments map[string]any `json:"arguments"`
}

// Result is what became of one scenario. Error is set when the scenario failed
// and in those whose purpose is an error; OK tells these apart.
type Result struct {
	Scenario string         `json:"scenario"`
	OK       bool           `json:"ok"`
	Error    *Failure       `json:"error"`
	Text     string         `json:"text"`
	Thought  string         `json:"thought"`
	Finish   string         `json:"finish"`
	Usage    map[string]any `json:"usage"`
	Calls    []Call         `json:"calls"`
	Value    any            `json:"value"`
	Chunks   int            `json:"chunks"`
	Empty    int            `json:"empty"`
	Tokens   int            `json:"tokens"`
	IDs      []string       `json:"ids"`
	URL      string         `json:"url"`
	Model    string         `json:"model"`
	Signed   bool           `json:"signed"`
	Aborted  bool           `json:"aborted"`
	Sizes    []int          `json:"sizes"` // of vectors (numbers) and of files (bytes)
}

// Run runs a script and returns its results by scenario; without names it runs
// all scenarios of the script. A name that ends in "/" stands for all that begin
// with it.
func Run(t testing.TB, script string, target Target, scenarios ...string) map[string]Result {
	t.Helper()
	node := npm.Node(t)
	dir := npm.Install(t, "sdk", files)
	ctx, cancel := context.WithTimeout(t.Context(), runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, append([]string{filepath.Join(dir, script+".mjs")}, scenarios...)...)
	models, err := json.Marshal(target.Models)
	require.NoError(t, err)
	// A clean environment: the SDKs read keys and addresses of their own from it.
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "SDK_BASE_URL=" + target.BaseURL, "SDK_KEY=" + target.Key,
		"SDK_MODEL=" + target.Model, "SDK_UNKNOWN_MODEL=" + target.UnknownModel,
		"SDK_MODELS=" + string(models),
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s.mjs: %s", script, stderr.String())
	results := map[string]Result{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !bytes.HasPrefix(lines.Bytes(), []byte(`{"scenario"`)) {
			continue // a word of the SDK itself
		}
		var r Result
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r), lines.Text())
		results[r.Scenario] = r
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, results, "%s.mjs printed nothing: %s", script, stderr.String())
	return results
}
