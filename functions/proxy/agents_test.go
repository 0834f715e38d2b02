package proxy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/testkit/agents"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// agentRuns are the agents, the tool with which each runs a command, and the
// arguments for it.
var agentRuns = map[string]struct {
	run             func(testing.TB, agents.Target, string) agents.Outcome
	tool, arguments string
}{
	"Claude Code": {agents.ClaudeCode, "Bash", `{"command":"echo $((40+2))-from-the-tool","description":"Print"}`},
	"Codex":       {agents.Codex, "exec_command", `{"cmd":"echo $((40+2))-from-the-tool"}`},
}

// TestAgentsWorkWithEveryProvider lets the published agents have a turn with a
// command in it: think, call, bring the result back, answer.
func TestAgentsWorkWithEveryProvider(t *testing.T) {
	t.Parallel()
	agents.Need(t)
	for agent, a := range agentRuns {
		for kind, model := range models {
			t.Run(agent+" with "+string(kind), func(t *testing.T) {
				t.Parallel()
				h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
				fake := h.provider(kind)
				h.rate(kinds[kind].kind, model, "3", "15")
				h.grant("1000")
				fake.Handle(model, func(r fakeprovider.Request) fakeprovider.Answer {
					if strings.Contains(string(r.Body), "42-from-the-tool") {
						return fakeprovider.Answer{Text: "It printed 42-from-the-tool."}
					}
					return fakeprovider.Answer{Text: "Let me see.", Reasoning: "A command is needed.",
						ToolCalls: []fakeprovider.ToolCall{{Name: a.tool, Arguments: a.arguments}}}
				})
				target := agents.Target{BaseURL: h.url, Key: h.key.Reveal(), Model: kinds[kind].kind + "/" + model}
				out := a.run(t, target, "Run the command.")
				assert.Equal(t, "It printed 42-from-the-tool.", out.Text)
				if agent == "Codex" {
					assert.Len(t, out.Commands, 1)
				}
				used := fake.Reported()
				assert.Equal(t, used.Prompt(), out.Input, "the agent's own count")
				assert.Equal(t, used.Completion(), out.Output, "the agent's own count")
				assert.Len(t, fake.Requests(), 2, "nothing was asked twice")
				h.settledCall()
				requireBooksMatch(t, h, fake)
			})
		}
	}
}
