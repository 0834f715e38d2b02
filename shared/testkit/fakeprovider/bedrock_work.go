package fakeprovider

import (
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// bedrockInvoke is InvokeModel for embedding models, each with its vendor's body
// (docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html).
func bedrockInvoke(p *Provider, r *http.Request, rec *Request) (*piece, *fixed) {
	bad := func(message string) (*piece, *fixed) {
		return nil, bedrockError(http.StatusBadRequest, "ValidationException", message)
	}
	model := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/model/"), "/invoke")
	if !p.servesWork(model) {
		return bad("The provided model identifier is invalid.")
	}
	var texts []any
	titan := strings.Contains(model, "titan")
	known := set("texts", "input_type", "embedding_types", "output_dimension", "truncate")
	if titan {
		known = set("inputText", "dimensions", "normalize", "embeddingTypes")
	}
	if name, found := firstUnknown(rec.JSON, known); found {
		return bad("Malformed input request: extraneous key [" + name + "] is not permitted, please reformat your input and try again.")
	}
	if texts = list(rec.JSON["texts"]); titan {
		texts = []any{rec.JSON["inputText"]}
	}
	size, bytes := int64(8), 0
	for _, name := range []string{"dimensions", "output_dimension"} {
		if n, ok := integer(rec.JSON[name]); ok {
			size = n
		}
	}
	for _, one := range texts {
		if text(one) == "" {
			return bad("Malformed input request: expected minLength: 1, actual: 0")
		}
		bytes += len(text(one))
	}
	if !titan && (len(texts) == 0 || text(rec.JSON["input_type"]) == "") {
		return bad("Malformed input request: required key [input_type] not found")
	}
	return &piece{model: model, kind: "application/json",
		cost: func(Answer) (hub.Usage, bool) { return hub.Usage{hub.Input: Tokens(bytes)}, true },
		render: func(_ Answer, u hub.Usage, _ bool) [][]byte {
			if titan {
				return [][]byte{encode(object{"embedding": Vector(0, int(size)), "inputTextTokenCount": u[hub.Input]})}
			}
			all := []any{}
			for i := range texts {
				all = append(all, Vector(i, int(size)))
			}
			return [][]byte{encode(object{"id": "fake", "response_type": "embeddings_by_type", "embeddings": object{"float": all}})}
		}}, nil
}
