package aigne

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// restCall is a tool call as OpenAI has it; the original's toolCalls differ only
// in their name.
type restCall struct {
	Index    *int         `json:"index,omitempty"` // in streams
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type,omitempty"`
	Function restFunction `json:"function"`
	Extra    *restExtra   `json:"extra_content,omitempty"`
}

type restFunction struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// restExtra carries Gemini's thought signature where Google's OpenAI-compatible
// endpoint puts it (ai.google.dev, "Thought signatures").
type restExtra struct {
	Google struct {
		ThoughtSignature string `json:"thought_signature"`
	} `json:"google"`
}

func extraOf(signature string) *restExtra {
	if signature == "" {
		return nil
	}
	x := &restExtra{}
	x.Google.ThoughtSignature = signature
	return x
}

func (cs calls) rest() []restCall {
	out := make([]restCall, 0, len(cs))
	for _, c := range cs {
		out = append(out, restCall{
			ID: c.id, Type: "function", Function: restFunction{Name: c.name, Arguments: c.argsText()}, Extra: extraOf(c.signature),
		})
	}
	return out
}

// restUsage is OpenAI's usage (prompt_tokens contains cache reads and writes)
// with the original's names beside.
type restUsage struct {
	PromptTokens      int64             `json:"prompt_tokens"`
	CompletionTokens  int64             `json:"completion_tokens"`
	TotalTokens       int64             `json:"total_tokens"`
	PromptDetails     promptDetails     `json:"prompt_tokens_details"`
	CompletionDetails completionDetails `json:"completion_tokens_details"`

	PromptCamel     int64       `json:"promptTokens"`
	CompletionCamel int64       `json:"completionTokens"`
	TotalCamel      int64       `json:"totalTokens"`
	Credits         json.Number `json:"aigneHubCredits,omitempty"`
	ModelCallID     string      `json:"modelCallId,omitempty"`
}

type promptDetails struct {
	Cached  int64 `json:"cached_tokens"`
	Written int64 `json:"cache_write_tokens,omitempty"` // as OpenRouter has it
	Audio   int64 `json:"audio_tokens,omitempty"`
}

type completionDetails struct {
	Reasoning int64 `json:"reasoning_tokens"`
	Audio     int64 `json:"audio_tokens,omitempty"`
}

func restUsageOf(c dialect.Closing) *restUsage {
	u := c.Usage
	prompt, completion := u.Prompt(), u.Completion()
	out := &restUsage{
		PromptTokens: prompt, CompletionTokens: completion, TotalTokens: prompt + completion,
		PromptDetails:     promptDetails{Cached: u[hub.CacheRead], Written: u[hub.CacheWrite5m] + u[hub.CacheWrite1h], Audio: u[hub.InputAudio]},
		CompletionDetails: completionDetails{Reasoning: u[hub.Reasoning], Audio: u[hub.OutputAudio]},
		PromptCamel:       prompt, CompletionCamel: completion, TotalCamel: prompt + completion,
	}
	if out.Credits = credits(c); out.Credits != "" {
		out.ModelCallID = c.CallID
	}
	return out
}

// restAnswer is a chat.completion of OpenAI that also has the original's
// members.
type restAnswer struct {
	Role              string       `json:"role"`
	Text              string       `json:"text"`
	Content           string       `json:"content"`
	ToolCalls         []restCall   `json:"toolCalls,omitempty"`
	ID                string       `json:"id"`
	Object            string       `json:"object"`
	Created           int64        `json:"created"`
	Model             string       `json:"model"`
	Choices           []restChoice `json:"choices"`
	Usage             *restUsage   `json:"usage"`
	ModelWithProvider string       `json:"modelWithProvider,omitempty"`
}

type restChoice struct {
	Index        int             `json:"index"`
	Message      restMessage     `json:"message"`
	Logprobs     json.RawMessage `json:"logprobs"`
	FinishReason chat.Finish     `json:"finish_reason"`
}

type restMessage struct {
	Role        string          `json:"role"`
	Content     *string         `json:"content"`
	Refusal     *string         `json:"refusal"`
	Reasoning   string          `json:"reasoning_content,omitempty"`
	ToolCalls   []restCall      `json:"tool_calls,omitempty"`
	Images      []restImage     `json:"images,omitempty"`
	Audio       *restAudio      `json:"audio,omitempty"`
	Annotations json.RawMessage `json:"annotations,omitempty"`
}

// restAudio is sound as OpenAI has it, in answers and in the deltas of streams.
type restAudio struct {
	ID         string `json:"id,omitempty"`
	Data       string `json:"data,omitempty"`
	Transcript string `json:"transcript,omitempty"`
	ExpiresAt  int64  `json:"expires_at,omitempty"`
}

func audioOf(m *chat.Media) *restAudio {
	return &restAudio{ID: m.FileID, Data: m.Data, Transcript: m.Transcript, ExpiresAt: m.ExpiresAt}
}

// restImage is a picture in an answer as OpenRouter documents it.
type restImage struct {
	Type     string `json:"type"`
	ImageURL struct {
		URL string `json:"url"`
	} `json:"image_url"`
}

func imageOf(m *chat.Media) restImage {
	i := restImage{Type: "image_url"}
	i.ImageURL.URL = m.URL
	if m.Data != "" {
		mime := m.MIME
		if mime == "" {
			mime = "image/png"
		}
		i.ImageURL.URL = "data:" + mime + ";base64," + m.Data
	}
	return i
}

// Whole encodes a complete answer: the original's members hold the first
// choice.
func (s RestServer) Whole(_ *dialect.View, res *chat.Response, c dialect.Closing) ([]byte, error) {
	out := restAnswer{
		Role: string(chat.Assistant), ID: res.ID, Object: "chat.completion", Created: res.Created,
		Model: modelOf(res.Model, c), Choices: make([]restChoice, 0, len(res.Choices)), Usage: restUsageOf(c),
	}
	if out.ID == "" {
		out.ID = randomID("chatcmpl-")
	}
	if out.Created == 0 {
		out.Created = clock(s.Now).Unix()
	}
	if c.Provider != "" && c.Model != "" {
		out.ModelWithProvider = c.Provider + "/" + c.Model
	}
	for i := range res.Choices {
		choice := restChoiceOf(&res.Choices[i])
		out.Choices = append(out.Choices, choice)
		if &res.Choices[i] != firstChoice(res) {
			continue
		}
		if choice.Message.Content != nil {
			out.Text = *choice.Message.Content
		} else if choice.Message.Refusal != nil {
			out.Text = *choice.Message.Refusal
		} else if a := choice.Message.Audio; a != nil {
			out.Text = a.Transcript
		}
		out.Content, out.ToolCalls = out.Text, choice.Message.ToolCalls
	}
	return encodeJSON(out), nil
}

func restChoiceOf(ch *chat.Choice) restChoice {
	m := restMessage{
		Role: string(chat.Assistant), Reasoning: chat.TextOf(ch.Parts, chat.Thinking), ToolCalls: callsOf(ch.Parts).rest(),
	}
	text, refusal := chat.TextOf(ch.Parts, chat.Text), chat.TextOf(ch.Parts, chat.Refusal)
	if refusal != "" {
		m.Refusal = &refusal
	}
	for _, p := range ch.Parts {
		if p.Media != nil && p.Kind == chat.Audio {
			m.Audio = audioOf(p.Media)
		}
		if p.Media != nil && p.Kind == chat.Image {
			m.Images = append(m.Images, imageOf(p.Media))
		}
		if p.Annotations != nil {
			m.Annotations = chat.JoinArrays(m.Annotations, chat.ShownAnnotations(p.Annotations, "url_citation"))
		}
	}
	if text != "" || refusal == "" && len(m.ToolCalls) == 0 && m.Audio == nil {
		m.Content = &text
	}
	finish := ch.Finish
	if finish == "" {
		finish = chat.FinishStop
	}
	return restChoice{Index: ch.Index, Message: m, Logprobs: ch.Logprobs, FinishReason: finish}
}
