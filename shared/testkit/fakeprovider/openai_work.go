package fakeprovider

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// openAIWork are the paths beside chat (platform.openai.com/docs/api-reference);
// rerank is what OpenAI-compatible servers add.
var openAIWork = map[string]errand{
	"/v1/embeddings":           openAIEmbeddings,
	"/v1/moderations":          openAIModerations,
	"/v1/audio/speech":         openAISpeech,
	"/v1/audio/transcriptions": openAITranscriptions,
	"/v1/audio/translations":   openAITranscriptions,
	"/v1/rerank":               openAIRerank,
}

// jsonWork checks what all JSON requests share.
func (p *Provider) jsonWork(r *http.Request, rec *Request, fields map[string]bool) (string, *fixed) {
	l := openAI{}
	switch {
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		return "", l.bad("", "unsupported_content_type", "Unsupported content type. This API method only accepts 'application/json' requests.")
	case rec.JSON == nil:
		return "", l.bad("", "", "We could not parse the JSON body of your request.")
	}
	if name, found := firstUnknown(rec.JSON, fields); found {
		return "", l.bad(name, "unknown_parameter", "Unknown parameter: '%s'.", name)
	}
	model := text(rec.JSON["model"])
	if model == "" {
		return "", l.bad("model", "", "you must provide a model parameter")
	}
	if !p.servesWork(model) {
		return "", openAIUnknownModel(model)
	}
	return model, nil
}

func openAIEmbeddings(p *Provider, r *http.Request, rec *Request) (*piece, *fixed) {
	l := openAI{}
	model, f := p.jsonWork(r, rec, set("model", "input", "dimensions", "encoding_format", "user"))
	if f != nil {
		return nil, f
	}
	var texts []int // bytes of each input
	switch in := rec.JSON["input"].(type) {
	case string:
		texts = []int{len(in)}
	case []any:
		for _, one := range in {
			switch one := one.(type) {
			case string:
				texts = append(texts, len(one))
			case []any:
				texts = append(texts, 4*len(one))
			case float64:
				texts = []int{4 * len(in)}
			}
		}
	}
	if len(texts) == 0 || slices.Contains(texts, 0) {
		return nil, l.bad("input", "", "'$.input' is invalid. Please check the API reference.")
	}
	size := int64(8)
	if d, ok := rec.JSON["dimensions"]; ok {
		if size, ok = integer(d); !ok || size < 1 {
			return nil, l.bad("dimensions", "", "Invalid value for 'dimensions'.")
		}
	}
	format := text(rec.JSON["encoding_format"])
	if format != "" && format != "float" && format != "base64" {
		return nil, l.bad("encoding_format", "", "Invalid value for 'encoding_format'.")
	}
	return &piece{model: model, kind: "application/json",
		cost: func(Answer) (hub.Usage, bool) {
			var u hub.Usage
			for _, n := range texts {
				u[hub.Input] += Tokens(n)
			}
			return u, true
		},
		render: func(a Answer, u hub.Usage, known bool) [][]byte {
			data := []any{}
			for i := range texts {
				// A text stands for a vendor that knows no base64.
				data = append(data, object{"object": "embedding", "index": i, "embedding": vector(i, int(size), format == "base64" && a.Text != "floats only")})
			}
			body := object{"object": "list", "data": data, "model": model}
			if known {
				body["usage"] = object{"prompt_tokens": u[hub.Input], "total_tokens": u[hub.Input]}
			}
			return [][]byte{encode(body)}
		}}, nil
}

// Vector is the vector that the fakes make of the input with an index.
func Vector(index, size int) []float32 {
	v := make([]float32, size)
	for i := range v {
		v[i] = float32(index) + float32(i)/64
	}
	return v
}

func vector(index, size int, packed bool) any {
	v := Vector(index, size)
	if !packed {
		return v
	}
	var raw []byte
	for _, f := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func openAIModerations(p *Provider, r *http.Request, rec *Request) (*piece, *fixed) {
	model, f := p.jsonWork(r, rec, set("model", "input"))
	if f != nil {
		return nil, f
	}
	n := 1
	switch in := rec.JSON["input"].(type) {
	case string:
	case []any:
		if len(in) > 0 && text(in[0]) != "" {
			n = len(in)
		}
	default:
		return nil, openAI{}.bad("input", "", "'$.input' is invalid. Please check the API reference.")
	}
	return &piece{model: model, kind: "application/json", cost: uncounted,
		render: func(a Answer, _ hub.Usage, _ bool) [][]byte {
			results := []any{}
			for range n {
				flagged := strings.Contains(string(rec.Body), "harm")
				results = append(results, object{"flagged": flagged, "categories": object{"violence": flagged},
					"category_scores": object{"violence": 0.5}, "category_applied_input_types": object{"violence": []string{"text"}}})
			}
			return [][]byte{encode(object{"id": "modr-fake", "model": model, "results": results})}
		}}, nil
}

func uncounted(Answer) (hub.Usage, bool) { return hub.Usage{}, false }

// Sound is what the fakes answer for a text: a second for every fifteen
// characters, of 24 kHz and 16 bits.
func Sound(input string) []byte {
	b := make([]byte, utf8.RuneCountInString(input)*3200)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

func openAISpeech(p *Provider, r *http.Request, rec *Request) (*piece, *fixed) {
	l := openAI{}
	model, f := p.jsonWork(r, rec, set("model", "input", "voice", "instructions", "response_format", "speed", "stream_format"))
	if f != nil {
		return nil, f
	}
	input, format := text(rec.JSON["input"]), text(rec.JSON["response_format"])
	switch {
	case input == "":
		return nil, l.bad("input", "", "Invalid 'input': string too short. Expected a string with minimum length 1.")
	case utf8.RuneCountInString(input) > 4096:
		return nil, l.bad("input", "string_above_max_length", "Invalid 'input': string too long. Expected a string with maximum length 4096.")
	case rec.JSON["voice"] == nil:
		return nil, l.bad("voice", "", "Missing required parameter: 'voice'.")
	case format != "" && !slices.Contains([]string{"mp3", "opus", "aac", "flac", "wav", "pcm"}, format):
		return nil, l.bad("response_format", "", "Invalid value for 'response_format'.")
	}
	events := text(rec.JSON["stream_format"]) == "sse"
	if events && strings.HasPrefix(model, "tts-") {
		return nil, l.bad("stream_format", "", "'sse' is not supported for %s.", model)
	}
	if format == "" {
		format = "mp3"
	}
	one := &piece{model: model, stream: events, kind: "audio/" + format,
		cost: func(Answer) (hub.Usage, bool) {
			return hub.Usage{hub.Input: Tokens(len(input)), hub.OutputAudio: int64(utf8.RuneCountInString(input)) * 4 / 3}, events
		},
		render: func(Answer, hub.Usage, bool) [][]byte { return slices.Collect(slices.Chunk(Sound(input), 40<<10)) }}
	if events {
		one.kind = "text/event-stream"
		one.render = func(_ Answer, u hub.Usage, known bool) (out [][]byte) {
			for part := range slices.Chunk(Sound(input), 12<<10) {
				out = append(out, sse("", encode(object{"type": "speech.audio.delta", "audio": base64.StdEncoding.EncodeToString(part)})))
			}
			done := object{"type": "speech.audio.done"}
			if known {
				done["usage"] = object{"input_tokens": u[hub.Input], "output_tokens": u[hub.OutputAudio], "total_tokens": u[hub.Input] + u[hub.OutputAudio]}
			}
			return append(out, sse("", encode(done)))
		}
	}
	return one, nil
}

func openAIRerank(p *Provider, r *http.Request, rec *Request) (*piece, *fixed) {
	l := openAI{}
	model, f := p.jsonWork(r, rec, set("model", "query", "documents", "top_n", "return_documents"))
	if f != nil {
		return nil, f
	}
	documents := list(rec.JSON["documents"])
	query := text(rec.JSON["query"])
	if query == "" || len(documents) == 0 {
		return nil, l.bad("documents", "", "query and documents are required")
	}
	n := len(documents)
	if top, ok := integer(rec.JSON["top_n"]); ok {
		n = min(n, int(top))
	}
	return &piece{model: model, kind: "application/json",
		cost: func(Answer) (hub.Usage, bool) {
			var u hub.Usage
			for _, d := range documents {
				u[hub.Input] += Tokens(len(query) + len(text(d)))
			}
			return u, true
		},
		render: func(_ Answer, u hub.Usage, known bool) [][]byte {
			results := []any{}
			for i := range n {
				at := len(documents) - 1 - i
				one := object{"index": at, "relevance_score": 1 / float64(i+1)}
				if rec.JSON["return_documents"] == true {
					one["document"] = object{"text": documents[at]}
				}
				results = append(results, one)
			}
			body := object{"id": "rerank-fake", "model": model, "results": results}
			if known {
				body["usage"] = object{"total_tokens": u[hub.Input]}
			}
			return [][]byte{encode(body)}
		}}, nil
}

// chunksOf cuts a text for the events of a stream.
func chunksOf(s string, n int) (out []string) {
	for s != "" {
		head := cutAt(s, max(1, len(s)/n))
		out, s = append(out, head), s[len(head):]
		n = max(1, n-1)
	}
	return out
}

func secondsOf(u hub.Usage) object { return object{"type": "duration", "seconds": u[hub.Seconds]} }

func tokensOf(u hub.Usage) object {
	return object{"type": "tokens", "input_tokens": u.Prompt(), "output_tokens": u[hub.Output], "total_tokens": u.Prompt() + u[hub.Output],
		"input_token_details": object{"text_tokens": u[hub.Input], "audio_tokens": u[hub.InputAudio]}}
}

func stamp(i int) string { return fmt.Sprintf("00:00:%02d,000", i) }
