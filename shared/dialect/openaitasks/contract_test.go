package openaitasks_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openaitasks"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// recorded is what a recording is expected to say.
type recorded struct {
	Text   string `json:"text"`
	Inputs int    `json:"inputs"`
	Bytes  int    `json:"bytes"`
	Usage  struct {
		Prompt int64 `json:"prompt_tokens"`
	} `json:"usage"`
}

// TestRecordedAnswers reads the recordings that the environment names.
func TestRecordedAnswers(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("AIGNE_HUB_TEST_FIXTURES")
	if dir == "" {
		t.Skip("AIGNE_HUB_TEST_FIXTURES is not set: recorded answers of work beside chat are NOT read (3 groups skipped)")
	}
	requests := map[string]*task.Request{
		"openai-embeddings":    {Kind: task.Embedding, Embed: &task.Embed{Inputs: make([]task.EmbedInput, 2)}},
		"openai-transcription": {Kind: task.Transcription, Listen: &task.Listen{Format: "verbose_json"}},
		"openai-speech":        {Kind: task.Speech, Speak: &task.Speak{Input: "hello"}},
	}
	seen := 0
	for _, g := range groups(t, dir) {
		req, ok := requests[g.API]
		if !ok {
			continue
		}
		seen++
		for _, v := range g.Turn1.Variants {
			t.Run(v.File, func(t *testing.T) {
				t.Parallel()
				body, err := os.ReadFile(filepath.Join(dir, v.File))
				require.NoError(t, err)
				header := http.Header{"Content-Type": {map[string]string{"json": "application/json", "bin": "audio/mpeg"}[v.Kind]}}
				res, err := openaitasks.Client{}.Decode(req, dialect.TaskAnswer{Header: header, Body: body}, dialect.Target{})
				require.NoError(t, err)
				check(t, req, res, g.Turn1.Expect)
			})
		}
	}
	assert.Equal(t, len(requests), seen)
}

func check(t *testing.T, req *task.Request, res *task.Result, want recorded) {
	t.Helper()
	switch {
	case req.Embed != nil:
		require.Len(t, res.Vectors, want.Inputs)
		assert.Greater(t, len(res.Vectors[1].Values), 100)
		assert.Equal(t, 1, res.Vectors[1].Index)
		assert.Equal(t, hub.Usage{hub.Input: want.Usage.Prompt}, res.Usage)
		assert.True(t, res.UsageKnown)
	case req.Listen != nil:
		assert.Equal(t, want.Text, res.Transcript.Text)
		assert.Equal(t, hub.Usage{hub.Seconds: 37}, res.Usage, "36.71 seconds are billed as 37, by the provider's own word")
		assert.True(t, res.UsageKnown)
	case req.Speak != nil:
		assert.Len(t, res.Sound.Data, want.Bytes)
		assert.False(t, res.UsageKnown)
	}
}

type group struct {
	API   string `json:"api"`
	Turn1 struct {
		Variants []struct {
			Kind string `json:"kind"`
			File string `json:"file"`
		} `json:"variants"`
		Expect recorded `json:"expect"`
	} `json:"turn1"`
}

func groups(t *testing.T, dir string) []group {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	require.NoError(t, err)
	var m struct {
		Groups []json.RawMessage `json:"groups"`
	}
	require.NoError(t, json.Unmarshal(text, &m))
	var out []group
	for _, raw := range m.Groups {
		var g group
		if json.Unmarshal(raw, &g) == nil { // those of chat expect other things
			out = append(out, g)
		}
	}
	return out
}
