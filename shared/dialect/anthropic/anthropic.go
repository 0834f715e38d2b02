// Package anthropic speaks the Anthropic Messages language on both sides: what
// callers such as the official SDKs and Claude Code send to the hub, and what
// the hub sends to providers that understand it. The wire format is that of the
// public "Messages" API reference, "Streaming Messages" and "Errors" pages of
// Anthropic's documentation. The package holds no transport, no authentication
// and no prices; batches are not served.
package anthropic

import (
	"crypto/rand"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

// Server is the side that callers speak. Its zero value is ready to use.
type Server struct{}

// Client is the side that providers understand. Its zero value is ready to use.
type Client struct{}

var (
	_ dialect.Server = Server{}
	_ dialect.Client = Client{}
)

// Name returns dialect.Anthropic.
func (Server) Name() dialect.Name { return dialect.Anthropic }

// Name returns dialect.Anthropic.
func (Client) Name() dialect.Name { return dialect.Anthropic }

// Path is below a base URL that ends in /v1; model and stream are in the body.
// On Vertex AI the path names both.
func (Client) Path(t dialect.Target) string {
	if t.Quirks.Vertex {
		return vertexPath(t)
	}
	return "/messages"
}

const (
	// defaultVersion is sent where the caller named no anthropic-version.
	defaultVersion = "2023-06-01"
	// filesBeta must be asked for when a request names an uploaded file.
	filesBeta = "files-api-2025-04-14"
	// formatTool is the reserved tool by which a structured answer is forced. Its
	// calls are read back as text, so callers' own tools cannot have this name.
	formatTool = "json_output"
	// minThinking is the smallest thinking budget the API takes, in tokens.
	minThinking = 1024
	// maxBreakpoints is how many cache_control marks a request may hold.
	maxBreakpoints = 4
)

// finishOf translates a stop_reason. Words that are not known end the answer
// like end_turn does: the caller still sees the native word.
func finishOf(native string) chat.Finish {
	switch native {
	case "max_tokens", "model_context_window_exceeded":
		return chat.FinishLength
	case "tool_use":
		return chat.FinishToolCalls
	case "refusal":
		return chat.FinishContentFilter
	}
	return chat.FinishStop
}

// stopReason is the way back. Some models say "stop" although they called
// tools; callers act on tool_use only.
func stopReason(f chat.Finish, native, stopSequence string, calledTools bool) string {
	switch {
	case f == chat.FinishLength && native == "model_context_window_exceeded":
		return native
	case f == chat.FinishLength:
		return "max_tokens"
	case f == chat.FinishContentFilter:
		return "refusal"
	case f == chat.FinishToolCalls, calledTools:
		return "tool_use"
	case native == "pause_turn":
		return native
	case stopSequence != "":
		return "stop_sequence"
	}
	return "end_turn"
}

// messageID keeps a provider's own id where it has the form that callers
// expect, and gives it that form otherwise. Answers of Bedrock have none.
func messageID(id string) string {
	if id == "" {
		id = rand.Text()
	}
	if strings.HasPrefix(id, "msg_") {
		return id
	}
	return "msg_" + id
}

// ownBlock reports whether a content block type belongs to this language and
// can be sent as it stands.
func ownBlock(kind string) bool {
	return slices.Contains([]string{
		"document", "search_result", "container_upload", "tool_reference", "compaction",
		"server_tool_use", "web_search_tool_result", "web_fetch_tool_result",
		"code_execution_tool_result", "bash_code_execution_tool_result",
		"text_editor_code_execution_tool_result", "tool_search_tool_result",
		"mcp_tool_use", "mcp_tool_result",
	}, kind)
}

// ownTool reports whether a tool type belongs to this language: all of them but
// mcp_toolset carry their date as eight digits, which no other vendor's do.
func ownTool(kind string) bool {
	if kind == "mcp_toolset" {
		return true
	}
	i := strings.LastIndexByte(kind, '_')
	if i < 0 || len(kind)-i-1 != 8 {
		return false
	}
	return strings.Trim(kind[i+1:], "0123456789") == ""
}
