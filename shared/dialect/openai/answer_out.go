package openai

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

type completionOut struct {
	ID          string      `json:"id"`
	Object      string      `json:"object"`
	Created     int64       `json:"created"`
	Model       string      `json:"model"`
	Choices     []choiceOut `json:"choices"`
	Usage       usageOut    `json:"usage"`
	ServiceTier string      `json:"service_tier,omitempty"`
}

type choiceOut struct {
	Index    int             `json:"index"`
	Message  answerOut       `json:"message"`
	Logprobs json.RawMessage `json:"logprobs"`
	Finish   string          `json:"finish_reason"`
}

type answerOut struct {
	Role        string           `json:"role"`
	Content     *string          `json:"content"`
	Refusal     *string          `json:"refusal"`
	Reasoning   string           `json:"reasoning_content,omitempty"`
	Details     []detail         `json:"reasoning_details,omitempty"`
	ToolCalls   []answerCallOut  `json:"tool_calls,omitempty"`
	Function    *callFunctionOut `json:"function_call,omitempty"`
	Annotations json.RawMessage  `json:"annotations,omitempty"`
	Audio       *answerAudioOut  `json:"audio,omitempty"`
	Images      []partOut        `json:"images,omitempty"`
}

type answerCallOut struct {
	callOut
	Extra *extraOut `json:"extra_content,omitempty"`
}

// extraOut carries Google's thought signature, see signatureIn.
type extraOut struct {
	Google struct {
		Signature string `json:"thought_signature"`
	} `json:"google"`
}

func extraFor(signature string) *extraOut {
	if signature == "" {
		return nil
	}
	x := &extraOut{}
	x.Google.Signature = signature
	return x
}

type answerAudioOut struct {
	ID         string `json:"id"`
	Data       string `json:"data"`
	Transcript string `json:"transcript"`
	ExpiresAt  int64  `json:"expires_at"`
}

// Whole encodes a complete answer.
func (s Server) Whole(v *dialect.View, res *chat.Response, c dialect.Closing) ([]byte, error) {
	out := completionOut{
		ID: res.ID, Object: "chat.completion", Created: res.Created, Model: res.Model,
		Choices: make([]choiceOut, 0, len(res.Choices)), ServiceTier: res.ServiceTier,
	}
	usage := c.Usage
	if usage.IsZero() && res.UsageKnown {
		usage = res.Usage
	}
	out.Usage = usageFor(usage)
	if out.ID == "" {
		out.ID = randomID("chatcmpl-")
	}
	if out.Created == 0 {
		out.Created = clock(s.Now).Unix()
	}
	if out.Model == "" {
		out.Model = v.Model
	}
	for i := range res.Choices {
		ch := &res.Choices[i]
		one := choiceOut{Index: ch.Index, Message: answerFor(ch), Logprobs: ch.Logprobs, Finish: finishWord(ch.Finish)}
		if hidden(v) {
			one.Message.Reasoning, one.Message.Details = "", nil
		}
		if legacy(v) {
			one.legacy()
		}
		out.Choices = append(out.Choices, one)
	}
	return encodeJSON(out), nil
}

// hidden reports whether the caller wants no text of thinking
// (reasoning.exclude).
func hidden(v *dialect.View) bool {
	return v != nil && v.Chat != nil && v.Chat.Reasoning != nil && v.Chat.Reasoning.Hidden
}

// legacy reports whether the caller knows only functions, of which one is called
// at a time, as they were before tools.
func legacy(v *dialect.View) bool {
	return v != nil && v.Object != nil && v.Object.Has("functions") && !v.Object.Has("tools")
}

func (c *choiceOut) legacy() {
	if len(c.Message.ToolCalls) == 0 {
		return
	}
	c.Message.Function = &c.Message.ToolCalls[0].Function
	c.Message.ToolCalls = nil
	if c.Finish == string(chat.FinishToolCalls) {
		c.Finish = finishFunction
	}
}

// finishFunction is what tool_calls was called before.
const finishFunction = "function_call"

func finishWord(f chat.Finish) string {
	if f == "" {
		return string(chat.FinishStop)
	}
	return string(f)
}

// shownCitation is the one kind of annotation that chat completions have; others
// are refused by clients that check.
const shownCitation = "url_citation"

// answerFor flattens a choice's parts. Signatures and thinking that only its
// vendor can read are beside the plain text, in reasoning_details.
func answerFor(ch *chat.Choice) answerOut {
	m := answerOut{Role: string(chat.Assistant), Reasoning: chat.TextOf(ch.Parts, chat.Thinking), Details: detailsOf(ch.Parts, false)}
	text, refusal := chat.TextOf(ch.Parts, chat.Text), chat.TextOf(ch.Parts, chat.Refusal)
	if refusal != "" {
		m.Refusal = &refusal
	}
	for i := range ch.Parts {
		p := &ch.Parts[i]
		if p.Annotations != nil {
			m.Annotations = chat.JoinArrays(m.Annotations, chat.ShownAnnotations(p.Annotations, shownCitation))
		}
		switch p.Kind {
		case chat.ToolCallPart:
			args := p.ToolCall.Arguments
			if args == "" {
				args = "{}"
			}
			call := callOut{p.ToolCall.ID, "function", callFunctionOut{p.ToolCall.Name, args}}
			m.ToolCalls = append(m.ToolCalls, answerCallOut{call, extraFor(p.Signature)})
		case chat.Image, chat.Audio:
			m.attach(p.Media)
		}
	}
	if text != "" || refusal == "" && len(m.ToolCalls) == 0 && m.Audio == nil {
		m.Content = &text
	}
	return m
}

func (m *answerOut) attach(media *chat.Media) {
	switch {
	case media == nil:
	case strings.HasPrefix(media.MIME, "audio/"):
		id := media.FileID
		if id == "" {
			id = randomID("audio_")
		}
		m.Audio = &answerAudioOut{ID: id, Data: media.Data, Transcript: media.Transcript, ExpiresAt: media.ExpiresAt}
	default:
		m.Images = append(m.Images, imagePart(media))
	}
}

// imagePart is a picture in an answer, as OpenRouter sends it
// (https://openrouter.ai/docs/features/multimodal/image-generation).
func imagePart(m *chat.Media) partOut {
	link := m.URL
	if m.Data != "" {
		link = dataURL(m, "image/png")
	}
	return partOut{Type: "image_url", Image: &imageOut{URL: link}}
}

// Error encodes an error body. The request id travels in a header.
func (s Server) Error(err *hub.Error, _ string) []byte { return faults.Body(err, s.Now) }

// quote encodes a string as JSON.
func quote(s string) []byte { return appendQuoted(make([]byte, 0, len(s)+2), s) }

const hexDigits = "0123456789abcdef"

// appendQuoted appends a JSON string. Invalid UTF-8 becomes U+FFFD: clients
// refuse a whole frame for one bad byte.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}
