package fakeprovider

import (
	"encoding/base64"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// geminiWork are the methods of a model beside chat (ai.google.dev/api/embeddings).
// Speech goes by generateContent and is told by the model's name.
var geminiWork = map[string]errand{
	"embedContent":       geminiEmbed,
	"batchEmbedContents": geminiEmbed,
	"generateContent":    geminiSpeech,
}

func geminiBad(message string) *fixed {
	return geminiError(http.StatusBadRequest, "INVALID_ARGUMENT", message)
}

func (p *Provider) geminiModel(r *http.Request) (model, method string, f *fixed) {
	call, _ := geminiModelPath(r)
	model, method, _ = strings.Cut(call, ":")
	if !p.servesWork(model) {
		f = geminiError(http.StatusNotFound, "NOT_FOUND", "models/"+model+" is not found for API version v1beta.")
	}
	return model, method, f
}

func geminiEmbed(p *Provider, r *http.Request, rec *Request) (*piece, *fixed) {
	model, method, f := p.geminiModel(r)
	if f != nil {
		return nil, f
	}
	requests := []any{rec.JSON}
	batch := method == "batchEmbedContents"
	if batch {
		if name, found := firstUnknown(rec.JSON, set("requests")); found {
			return nil, geminiBad("Invalid JSON payload received. Unknown name \"" + name + "\": Cannot find field.")
		}
		requests = list(rec.JSON["requests"])
	}
	if len(requests) == 0 || len(requests) > 100 {
		return nil, geminiBad("BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch")
	}
	size := int64(8)
	for _, one := range requests {
		q := dict(one)
		if name, found := firstUnknown(q, set("model", "content", "taskType", "title", "outputDimensionality")); found {
			return nil, geminiBad("Invalid JSON payload received. Unknown name \"" + name + "\": Cannot find field.")
		}
		if batch && text(q["model"]) != "models/"+model {
			return nil, geminiBad("BatchEmbedContentsRequest.requests: model must match")
		}
		parts := list(dict(q["content"])["parts"])
		if len(parts) == 0 || text(dict(parts[0])["text"]) == "" {
			return nil, geminiBad("EmbedContentRequest.content contains an empty Part.")
		}
		if n, ok := integer(q["outputDimensionality"]); ok {
			size = n
		}
	}
	return &piece{model: model, kind: "application/json; charset=UTF-8", cost: uncounted,
		render: func(Answer, hub.Usage, bool) [][]byte {
			all := []any{}
			for i := range requests {
				all = append(all, object{"values": Vector(i, int(size))})
			}
			if batch {
				return [][]byte{encode(object{"embeddings": all})}
			}
			return [][]byte{encode(object{"embedding": all[0]})}
		}}, nil
}

// geminiSpeech answers the models that speak; errandOf knows them by name.
func geminiSpeech(p *Provider, r *http.Request, rec *Request) (*piece, *fixed) {
	model, _, f := p.geminiModel(r)
	if f != nil {
		return nil, f
	}
	config := dict(rec.JSON["generationConfig"])
	modalities := list(config["responseModalities"])
	if len(modalities) != 1 || text(modalities[0]) != "AUDIO" {
		return nil, geminiBad("The requested combination of response modalities is not supported by the model. models/" + model + " accepts AUDIO only.")
	}
	contents := list(rec.JSON["contents"])
	if len(contents) != 1 {
		return nil, geminiBad("contents must hold one text")
	}
	parts := list(dict(contents[0])["parts"])
	if len(parts) != 1 || text(dict(parts[0])["text"]) == "" {
		return nil, geminiBad("contents must hold one text")
	}
	input := text(dict(parts[0])["text"])
	return &piece{model: model, kind: "application/json; charset=UTF-8",
		cost: func(Answer) (hub.Usage, bool) {
			return hub.Usage{hub.Input: Tokens(len(input)), hub.OutputAudio: int64(utf8.RuneCountInString(input)) * 25 / 15}, true
		},
		render: func(_ Answer, u hub.Usage, known bool) [][]byte {
			body := object{"modelVersion": model, "candidates": []any{object{"finishReason": "STOP", "index": 0, "content": object{"role": "model", "parts": []any{
				object{"inlineData": object{"mimeType": "audio/L16;codec=pcm;rate=24000", "data": base64.StdEncoding.EncodeToString(Sound(input))}}}}}}}
			if known {
				body["usageMetadata"] = object{"promptTokenCount": u[hub.Input], "candidatesTokenCount": u[hub.OutputAudio], "totalTokenCount": u[hub.Input] + u[hub.OutputAudio],
					"candidatesTokensDetails": []any{object{"modality": "AUDIO", "tokenCount": u[hub.OutputAudio]}}}
			}
			return [][]byte{encode(body)}
		}}, nil
}
