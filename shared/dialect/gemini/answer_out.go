package gemini

import (
	"crypto/rand"
	"encoding/json"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// answerOut is GenerateContentResponse (ai.google.dev/api/generate-content).
type answerOut struct {
	Candidates     []candidateOut `json:"candidates,omitempty"`
	PromptFeedback *feedbackOut   `json:"promptFeedback,omitempty"`
	UsageMetadata  *usageOut      `json:"usageMetadata,omitempty"`
	ModelVersion   string         `json:"modelVersion"`
	ResponseID     string         `json:"responseId"`
}

type feedbackOut struct {
	BlockReason string `json:"blockReason"`
}

type candidateOut struct {
	Content        *contentOut   `json:"content,omitempty"`
	FinishReason   string        `json:"finishReason,omitempty"`
	Index          int           `json:"index"`
	Grounding      *groundingOut `json:"groundingMetadata,omitempty"`
	LogprobsResult *logprobsOut  `json:"logprobsResult,omitempty"`
}

type contentOut struct {
	Parts []json.RawMessage `json:"parts,omitempty"`
	Role  string            `json:"role"`
}

func partsOut(parts []json.RawMessage) *contentOut { return &contentOut{Parts: parts, Role: "model"} }

type textOut struct {
	Text             string `json:"text"`
	Thought          bool   `json:"thought,omitempty"`
	ThoughtSignature string `json:"thoughtSignature,omitempty"`
}

type callOut struct {
	FunctionCall     functionCall `json:"functionCall"`
	ThoughtSignature string       `json:"thoughtSignature,omitempty"`
}

type usageOut struct {
	PromptTokenCount        int64      `json:"promptTokenCount"`
	CachedContentTokenCount int64      `json:"cachedContentTokenCount,omitempty"`
	CandidatesTokenCount    int64      `json:"candidatesTokenCount"`
	ThoughtsTokenCount      int64      `json:"thoughtsTokenCount,omitempty"`
	TotalTokenCount         int64      `json:"totalTokenCount"`
	PromptTokensDetails     []modality `json:"promptTokensDetails,omitempty"`
	CandidatesTokensDetails []modality `json:"candidatesTokensDetails,omitempty"`
	ServiceTier             string     `json:"serviceTier,omitempty"`
}

type modality struct {
	Modality   string `json:"modality"`
	TokenCount int64  `json:"tokenCount"`
}

// usageFor writes usage in the API's overlapping counts: the prompt holds what
// was cached, the candidates do not hold the thoughts.
func usageFor(u hub.Usage) *usageOut {
	answered := u[hub.Output] + u[hub.OutputAudio] + u[hub.OutputImage]
	return &usageOut{
		PromptTokenCount: u.Prompt(), CachedContentTokenCount: u[hub.CacheRead],
		CandidatesTokenCount: answered, ThoughtsTokenCount: u[hub.Reasoning],
		TotalTokenCount:         u.Prompt() + u.Completion(),
		PromptTokensDetails:     modalities(u.Prompt(), u[hub.InputAudio], u[hub.InputImage]),
		CandidatesTokensDetails: modalities(answered, u[hub.OutputAudio], u[hub.OutputImage]),
	}
}

func modalities(all, audio, image int64) (out []modality) {
	for _, m := range []modality{{"TEXT", all - audio - image}, {"AUDIO", audio}, {"IMAGE", image}} {
		if m.TokenCount > 0 {
			out = append(out, m)
		}
	}
	return out
}

// encodeJSON encodes without HTML escapes. Values are of this package's own
// making or JSON that was read before, which always encode.
func encodeJSON(v any) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("null")
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}

// Whole encodes a complete answer. One that holds nothing because its content
// was refused says so as the API says of a blocked prompt.
func (Server) Whole(v *dialect.View, res *chat.Response, c dialect.Closing) ([]byte, error) {
	usage := c.Usage
	if usage.IsZero() && res.UsageKnown {
		usage = res.Usage
	}
	out := answerOut{ModelVersion: res.Model, ResponseID: res.ID, UsageMetadata: usageFor(usage)}
	if out.ModelVersion == "" {
		out.ModelVersion = v.Model
	}
	if out.ResponseID == "" {
		out.ResponseID = rand.Text()
	}
	for word, own := range tiers {
		if own == res.ServiceTier && own != "" {
			out.UsageMetadata.ServiceTier = word
		}
	}
	if len(res.Choices) == 1 && blocked(&res.Choices[0]) {
		out.PromptFeedback = &feedbackOut{blockWord(res.Choices[0].Native)}
		return encodeJSON(out), nil
	}
	for i := range res.Choices {
		out.Candidates = append(out.Candidates, candidateFor(&res.Choices[i]))
	}
	return encodeJSON(out), nil
}

func blocked(ch *chat.Choice) bool {
	return len(ch.Parts) == 0 && ch.Finish == chat.FinishContentFilter
}

// blockWord is the reason why a prompt was blocked.
func blockWord(native string) string {
	switch native {
	case "SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR":
		return native
	}
	return "SAFETY"
}

func candidateFor(ch *chat.Choice) candidateOut {
	out := candidateOut{Index: ch.Index, FinishReason: finishWord(ch.Finish, ch.Native), LogprobsResult: logprobsFor(ch.Logprobs)}
	var parts []json.RawMessage
	var text strings.Builder
	for _, p := range ch.Parts {
		switch {
		case p.Kind == chat.Refusal && ch.Finish == chat.FinishStop:
			out.FinishReason = refusedWord
		case p.Kind == chat.ToolCallPart && !object(p.ToolCall.Arguments):
			out.FinishReason = malformedCall
			continue
		}
		parts = append(parts, partFor(p)...)
		if p.Kind == chat.Text || p.Kind == chat.Refusal {
			text.WriteString(p.Text)
		}
	}
	out.Content = partsOut(parts)
	for _, p := range ch.Parts {
		if g := groundingFor(p.Annotations, text.String()); g != nil {
			out.Grounding = g
		}
	}
	return out
}

// refusedWord ends an answer in which the model says that it will not answer:
// the API has no other mark for that.
const refusedWord = "SAFETY"

// malformedCall is the finish reason of an answer whose function call has
// arguments that are no JSON object.
const malformedCall = "MALFORMED_FUNCTION_CALL"

func object(args string) bool {
	_, err := parse("", json.RawMessage(args))
	return err == nil
}

// partFor is what a part of an answer becomes.
func partFor(p chat.Part) []json.RawMessage {
	switch p.Kind {
	case chat.Text, chat.Refusal:
		if p.Text == "" && p.Signature == "" {
			return nil
		}
		return one(textOut{Text: p.Text, ThoughtSignature: wrap(markSigned, &p)})
	case chat.Thinking:
		return one(textOut{Text: p.Text, Thought: true, ThoughtSignature: wrap(markSigned, &p)})
	case chat.RedactedThinking:
		return one(textOut{Thought: true, ThoughtSignature: wrap(markRedacted, &p)})
	case chat.ToolCallPart:
		return one(callOut{functionCall{p.ToolCall.ID, p.ToolCall.Name, json.RawMessage(p.ToolCall.Arguments)}, wrap(markSigned, &p)})
	case chat.Image, chat.Audio, chat.File:
		return mediaOut(p)
	case chat.Raw:
		if ownPart[p.RawType] {
			return []json.RawMessage{p.RawJSON}
		}
	}
	return nil
}

func one(v any) []json.RawMessage { return []json.RawMessage{encodeJSON(v)} }

// mediaOut shows media that were made. What a voice says follows as text: the
// API has no field for it.
func mediaOut(p chat.Part) (out []json.RawMessage) {
	m, err := mediaPart("", p)
	if err == nil {
		out = one(m)
	}
	if p.Media != nil && p.Media.Transcript != "" {
		out = append(out, one(textOut{Text: p.Media.Transcript})...)
	}
	return out
}

// finishWord keeps the provider's word where it is one of this language.
func finishWord(f chat.Finish, native string) string {
	switch f {
	case chat.FinishLength:
		return "MAX_TOKENS"
	case chat.FinishContentFilter:
		if filtered[native] {
			return native
		}
		return refusedWord
	}
	switch native {
	case "LANGUAGE", "OTHER", malformedCall, "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "NO_IMAGE", "IMAGE_OTHER", "MALFORMED_RESPONSE":
		return native
	}
	return "STOP"
}
