// Package agents runs the agentic command line tools Claude Code and Codex, as
// they are published, against an address. They are programs of hundreds of
// megabytes, so they are installed only by tests that were asked for them
// (`make agents`). It is for tests only.
package agents

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/npm"
)

//go:embed package.json package-lock.json
var files embed.FS

// Switch is the environment variable that allows the download.
const Switch = "AIGNE_HUB_TEST_AGENTS"

// runLimit bounds one run; a turn against a fake takes a second.
const runLimit = 90 * time.Second

// Target is what an agent talks to.
type Target struct {
	BaseURL string // without /v1
	Key     string
	Model   string
}

// Outcome is what an agent reported.
type Outcome struct {
	Text     string   // its last words
	Commands []string // what it ran in a shell; only Codex says
	Input    int64    // tokens, all turns together
	Output   int64
}

// Need skips a test for which nobody has allowed the download.
func Need(t testing.TB) {
	t.Helper()
	if os.Getenv(Switch) == "" {
		t.Skipf("%s is not set: Claude Code and Codex (770 MB) are not downloaded and not run; `make agents` does", Switch)
	}
}

// install returns the folder of the packages. The test is skipped when they
// cannot be had.
func install(t testing.TB) string {
	t.Helper()
	Need(t)
	dir := npm.InstallOrSkip(t, "agents", files)
	return filepath.Join(filepath.Dir(dir), "node_modules")
}

// run starts a program in an empty folder with an environment that holds
// nothing of the machine's but its PATH: the agents read keys, addresses and
// settings of their own from both.
func run(t testing.TB, env []string, program string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s: %s\n%s", filepath.Base(program), out, stderr.String())
	return out
}

// ClaudeCode asks Claude Code, which may use its shell without asking.
func ClaudeCode(t testing.TB, target Target, prompt string) Outcome {
	t.Helper()
	modules := install(t)
	found, err := filepath.Glob(filepath.Join(modules, "@anthropic-ai", "claude-code-*", "claude*"))
	require.NoError(t, err)
	if len(found) == 0 {
		t.Skip("Claude Code has no program for this platform: it is not run")
	}
	out := run(t, []string{
		"HOME=" + t.TempDir(), "ANTHROPIC_BASE_URL=" + target.BaseURL, "ANTHROPIC_AUTH_TOKEN=" + target.Key,
		"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", "DISABLE_AUTOUPDATER=1", "DISABLE_TELEMETRY=1",
	}, found[0], "-p", prompt, "--model", target.Model, "--output-format", "json", "--allowedTools", "Bash")
	var said struct {
		Result  string `json:"result"`
		IsError bool   `json:"is_error"`
		Usage   struct {
			Input  int64 `json:"input_tokens"`
			Output int64 `json:"output_tokens"`
		} `json:"usage"`
	}
	require.NoError(t, json.Unmarshal(lastLine(out), &said), string(out))
	require.False(t, said.IsError, said.Result)
	return Outcome{Text: said.Result, Input: said.Usage.Input, Output: said.Usage.Output}
}

// Codex asks Codex, which may use its shell without asking and without a sandbox:
// sandboxes inside containers fail.
func Codex(t testing.TB, target Target, prompt string) Outcome {
	t.Helper()
	modules := install(t)
	home := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(home, ".codex"), 0o700))
	config := fmt.Sprintf(`model = %q
model_provider = "hub"
model_reasoning_effort = "medium"
[model_providers.hub]
name = "hub"
base_url = %q
wire_api = "responses"
env_key = "HUB_KEY"
`, target.Model, target.BaseURL+"/v1")
	require.NoError(t, os.WriteFile(filepath.Join(home, ".codex", "config.toml"), []byte(config), 0o600))
	out := run(t, []string{"HOME=" + home, "HUB_KEY=" + target.Key}, npm.Node(t), filepath.Join(modules, "@openai", "codex", "bin", "codex.js"),
		"exec", "--json", "--skip-git-repo-check", "--sandbox", "danger-full-access", prompt)
	var o Outcome
	for line := range bytes.Lines(out) {
		o.note(line)
	}
	return o
}

// note takes in one of the events that Codex prints.
func (o *Outcome) note(line []byte) {
	var e struct {
		Type string `json:"type"`
		Item struct {
			Type    string `json:"type"`
			Text    string `json:"text"`
			Command string `json:"command"`
		} `json:"item"`
		Usage struct {
			Input  int64 `json:"input_tokens"`
			Output int64 `json:"output_tokens"`
		} `json:"usage"`
	}
	if json.Unmarshal(line, &e) != nil {
		return // a word to the user
	}
	switch {
	case e.Type == "turn.completed":
		o.Input, o.Output = e.Usage.Input, e.Usage.Output
	case e.Type != "item.completed":
	case e.Item.Type == "agent_message":
		o.Text = e.Item.Text
	case e.Item.Type == "command_execution":
		o.Commands = append(o.Commands, e.Item.Command)
	}
}

func lastLine(out []byte) []byte {
	text := strings.TrimSpace(string(out))
	return []byte(text[strings.LastIndexByte(text, '\n')+1:])
}
