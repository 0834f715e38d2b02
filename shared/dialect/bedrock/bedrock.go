// Package bedrock speaks Amazon Bedrock's Converse and ConverseStream, as a
// client only: no caller speaks it to the hub. The wire format is that of the
// public "Amazon Bedrock Runtime" API reference and of the "Prompt caching",
// "Structured outputs" and "Amazon Nova" guides. The package holds no transport
// and no signatures.
package bedrock

import (
	"io"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Client is the side that providers understand. Its zero value is ready to use.
type Client struct{}

var (
	_ dialect.Client = Client{}
	_ dialect.Framer = Client{}
)

// Name returns dialect.Bedrock.
func (Client) Name() dialect.Name { return dialect.Bedrock }

// Path is below the runtime's host. A model is named by its id, an inference
// profile's id or an ARN; the whole of it is one path segment.
func (Client) Path(t dialect.Target) string {
	model := t.Model
	if model == "." || model == ".." {
		model = strings.ReplaceAll(model, ".", "%2E")
	} else {
		model = strings.ReplaceAll(url.PathEscape(model), ":", "%3A")
	}
	if t.Stream {
		return "/model/" + model + "/converse-stream"
	}
	return "/model/" + model + "/converse"
}

// Frames cuts a stream of application/vnd.amazon.eventstream.
func (Client) Frames(src io.Reader) wire.FrameReader { return wire.NewMessages(src) }

// Splice is refused: there is no server side, so no request is native.
func (Client) Splice(*dialect.View, dialect.Target) (dialect.Encoded, error) {
	return dialect.Encoded{}, hub.Errorf(hub.CodeInternal, "No caller of the hub speaks the language of Amazon Bedrock.")
}

const (
	// formatTool is the reserved tool by which a structured answer is forced where
	// the model has no output format of its own. Its calls are read back as text.
	formatTool = "json_output"
	// minThinking is the smallest thinking budget that Claude takes, in tokens.
	minThinking = 1024
	// maxCachePoints is how many cache points a request may hold.
	maxCachePoints = 4
	// maxStops is how many stop sequences the API takes.
	maxStops = 2500
)

// family says whose a model is: what Converse leaves to the model differs by it.
type family struct {
	vendor  string // anthropic, amazon, openai, meta …; "" where the name does not tell
	name    string // without geography and vendor, lower case
	version [2]int // of a Claude model
}

// familyOf reads a model id (us.anthropic.claude-sonnet-4-5-20250929-v1:0) or the
// ARN of one. The ARN of an application's own profile tells nothing.
func familyOf(model string) family {
	name := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	for {
		head, rest, ok := strings.Cut(name, ".")
		if !ok {
			return family{name: name}
		}
		switch head {
		case "us", "us-gov", "eu", "apac", "au", "ca", "in", "jp", "global":
			name = rest
			continue
		}
		f := family{vendor: head, name: rest}
		if f.claude() {
			f.version = claudeVersion(rest)
		}
		return f
	}
}

func (f family) claude() bool { return f.vendor == chat.SignedAnthropic }

func (f family) nova() bool { return f.vendor == "amazon" && strings.HasPrefix(f.name, "nova-") }

// thinkingNova is the generation of Nova that can be told to think.
func (f family) thinkingNova() bool { return f.nova() && strings.HasPrefix(f.name, "nova-2-") }

func (f family) from(major, minor int) bool {
	return f.version[0] > major || f.version[0] == major && f.version[1] >= minor
}

// adaptiveOnly: Claude models that take no thinking budget, Opus 4.7 and every
// later one (Anthropic's "Adaptive thinking" page).
func (f family) adaptiveOnly() bool { return f.claude() && f.from(4, 7) }

// formats: models with structured outputs of their own, which also enforce
// strict tools ("Structured outputs" in the user guide).
func (f family) formats() bool {
	switch {
	case f.claude():
		return f.from(4, 5)
	case f.vendor == "openai":
		return strings.HasPrefix(f.name, "gpt-oss-")
	case f.vendor == "qwen":
		return strings.HasPrefix(f.name, "qwen3-")
	}
	return false
}

// caches: models that take cache points ("Prompt caching" in the user guide).
func (f family) caches() bool { return f.claude() || f.nova() }

// cachesAnHour: models whose cache points may have a lifetime of an hour.
func (f family) cachesAnHour() bool { return f.claude() && f.from(4, 5) }

// claudeVersion reads names like claude-opus-4-7-v1:0, claude-3-7-sonnet-20250219
// and claude-sonnet-5: the first numbers of one or two digits that stand
// together.
func claudeVersion(name string) (v [2]int) {
	found := 0
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return strings.ContainsRune("-.@:_", r) }) {
		n, digits := 0, len(part) <= 2
		for _, c := range part {
			digits = digits && c >= '0' && c <= '9'
			n = n*10 + int(c-'0')
		}
		switch {
		case digits && found < 2:
			v[found] = n
			found++
		case found > 0:
			return v
		}
	}
	return v
}

// finishOf translates a stopReason. Words that are not known end the answer
// like end_turn does: the caller still sees the native word.
func finishOf(native string) chat.Finish {
	switch native {
	case "tool_use":
		return chat.FinishToolCalls
	case "max_tokens", "model_context_window_exceeded":
		return chat.FinishLength
	case "guardrail_intervened", "content_filtered", "refusal":
		return chat.FinishContentFilter
	}
	return chat.FinishStop
}

// answerFinish hides that a structured answer came by a tool.
func answerFinish(native string, called, formatted bool) chat.Finish {
	f := finishOf(native)
	if f == chat.FinishToolCalls && formatted && !called {
		return chat.FinishStop
	}
	return f
}
