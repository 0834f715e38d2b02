package fakeprovider

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// bedrock is Amazon Bedrock's Converse and ConverseStream, with the model list of
// its control plane at the same host.
type bedrock struct{}

func bedrockError(status int, kind, message string) *fixed {
	return &fixed{status: status, body: encode(object{"message": message}), header: http.Header{"X-Amzn-Errortype": {kind}}}
}

func (bedrock) authorize(r *http.Request, keys []string) *fixed {
	if token := bearer(r); token != "" {
		if slices.Contains(keys, token) {
			return nil
		}
		return bedrockError(http.StatusForbidden, "AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return bedrockError(http.StatusForbidden, "InvalidSignatureException", "The body broke off.")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if wrong := Signed(r, body, "bedrock", keys, time.Now()); wrong != "" {
		return bedrockError(http.StatusForbidden, "InvalidSignatureException", wrong)
	}
	return nil
}

func (bedrock) simple(r *http.Request, _ object, models []string) (*fixed, bool) {
	_, _, ok := bedrockModel(r)
	switch {
	case ok && r.Method == http.MethodPost:
		return nil, false
	case r.Method == http.MethodGet && r.URL.Path == "/foundation-models":
		all := []any{}
		for _, m := range models {
			all = append(all, object{"modelId": m, "modelName": m})
		}
		return &fixed{status: http.StatusOK, body: encode(object{"modelSummaries": all})}, true
	}
	return bedrockError(http.StatusNotFound, "UnknownOperationException", ""), true
}

// bedrockModel reads /model/{id}/converse and /model/{id}/converse-stream; the id
// is one segment.
func bedrockModel(r *http.Request) (model string, stream, ok bool) {
	parts := strings.Split(r.URL.EscapedPath(), "/")
	if len(parts) != 4 || parts[1] != "model" || parts[3] != "converse" && parts[3] != "converse-stream" {
		return "", false, false
	}
	model, err := url.PathUnescape(parts[2])
	return model, parts[3] == "converse-stream", err == nil && model != ""
}

// reports: thinking is counted among the output tokens.
func (bedrock) reports(u hub.Usage) hub.Usage {
	u[hub.Output], u[hub.Reasoning] = u[hub.Output]+u[hub.Reasoning], 0
	return u
}

func bedrockUsage(u hub.Usage) object {
	written := u[hub.CacheWrite5m] + u[hub.CacheWrite1h]
	use := object{
		"inputTokens": u[hub.Input], "outputTokens": u[hub.Output], "totalTokens": u[hub.Input] + u[hub.Output] + u[hub.CacheRead] + written,
		"cacheReadInputTokens": u[hub.CacheRead], "cacheWriteInputTokens": written, "serverToolUsage": object{},
	}
	details := []any{}
	for ttl, n := range map[string]int64{"1h": u[hub.CacheWrite1h], "5m": u[hub.CacheWrite5m]} {
		if n > 0 {
			details = append(details, object{"ttl": ttl, "inputTokens": n})
		}
	}
	if len(details) > 0 {
		use["cacheDetails"] = details
	}
	return use
}

func bedrockStop(a *reply) string {
	switch {
	case a.Refusal != "":
		return "guardrail_intervened"
	case len(a.ToolCalls) > 0:
		return "tool_use"
	case a.Length:
		return "max_tokens"
	}
	return "end_turn"
}

func (bedrock) whole(_ *turn, a *reply) []byte {
	content := []any{}
	if a.Reasoning != "" {
		content = append(content, object{"reasoningContent": object{"reasoningText": object{"text": a.Reasoning, "signature": signature}}})
	}
	if said := a.Text + a.Refusal; said != "" {
		content = append(content, object{"text": said})
	}
	for i, c := range a.ToolCalls {
		content = append(content, object{"toolUse": object{"toolUseId": callID("tooluse_", a, c, 0, i), "name": c.Name, "input": arguments(c)}})
	}
	body := object{
		"metrics": object{"latencyMs": 5}, "output": object{"message": object{"role": "assistant", "content": content}}, "stopReason": bedrockStop(a),
	}
	if a.Break == NoFinish {
		delete(body, "stopReason")
	}
	if a.known {
		body["usage"] = bedrockUsage(a.shown)
	}
	return encode(body)
}

func bedrockEvent(kind string, payload object) []byte {
	payload["p"] = "abcdefgh" // padding, as the real service adds it
	return wire.AppendMessage(nil, []wire.MessageHeader{{Name: ":event-type", Value: kind}, {Name: ":content-type", Value: "application/json"},
		{Name: ":message-type", Value: "event"}}, encode(payload))
}

func (bedrock) stream(_ *turn, a *reply) []frame {
	var frames []frame
	add := func(kind frameKind, event string, payload object) {
		frames = append(frames, frame{kind, bedrockEvent(event, payload)})
	}
	index := 0
	block := func(start object, deltas ...object) {
		if start != nil {
			add(opening, "contentBlockStart", object{"contentBlockIndex": index, "start": start})
		}
		for _, d := range deltas {
			add(content, "contentBlockDelta", object{"contentBlockIndex": index, "delta": d})
		}
		add(opening, "contentBlockStop", object{"contentBlockIndex": index})
		index++
	}
	add(opening, "messageStart", object{"role": "assistant"})
	if a.Reasoning != "" {
		block(nil, object{"reasoningContent": object{"text": a.Reasoning}}, object{"reasoningContent": object{"signature": signature}})
	}
	var texts []object
	for _, piece := range append(slices.Clone(a.pieces), a.Refusal) {
		if piece != "" {
			texts = append(texts, object{"text": piece})
		}
	}
	if len(texts) > 0 {
		block(nil, texts...)
	}
	for i, c := range a.ToolCalls {
		input := string(encode(arguments(c)))
		half := len(input) / 2
		deltas := []object{{"toolUse": object{"input": ""}}, {"toolUse": object{"input": input[:half]}}, {"toolUse": object{"input": input[half:]}}}
		if input == "{}" {
			deltas = deltas[:1]
		}
		block(object{"toolUse": object{"toolUseId": callID("tooluse_", a, c, 0, i), "name": c.Name}}, deltas...)
	}
	add(finish, "messageStop", object{"stopReason": bedrockStop(a)})
	metadata := object{"metrics": object{"latencyMs": 5}}
	if a.known {
		metadata["usage"] = bedrockUsage(a.shown)
	}
	add(usage, "metadata", metadata)
	if a.known && a.Report == UsageTwice {
		add(usage, "metadata", metadata)
	}
	return frames
}

func (bedrock) failure(status int, message string) *fixed {
	kinds := map[int][2]string{
		http.StatusUnauthorized:        {"UnrecognizedClientException", "The security token included in the request is invalid."},
		http.StatusForbidden:           {"AccessDeniedException", "You don't have access to the model with the specified model ID."},
		http.StatusNotFound:            {"ResourceNotFoundException", "Could not resolve the foundation model from the provided model identifier."},
		http.StatusRequestTimeout:      {"ModelTimeoutException", "The model took too long."},
		http.StatusFailedDependency:    {"ModelErrorException", "The model met an error."},
		http.StatusTooManyRequests:     {"ThrottlingException", "Too many requests, please wait before trying again."},
		http.StatusInternalServerError: {"InternalServerException", "The system encountered an unexpected error during processing. Try your request again."},
		http.StatusServiceUnavailable:  {"ServiceUnavailableException", "Bedrock is unable to process your request."},
	}
	kind, known := kinds[status]
	if !known {
		kind = [2]string{"ValidationException", "Malformed input request, please reformat your input and try again."}
		if status > http.StatusInternalServerError {
			kind = kinds[http.StatusInternalServerError]
		}
	}
	return bedrockError(status, kind[0], orElse(message, kind[1]))
}

func (bedrock) failureFrame() []byte {
	return wire.AppendMessage(nil, []wire.MessageHeader{{Name: ":exception-type", Value: "modelStreamErrorException"},
		{Name: ":content-type", Value: "application/json"}, {Name: ":message-type", Value: "exception"}},
		encode(object{"message": "The model met an error while it streamed."}))
}

// KeyPair is the credential that a hub is given for the Bedrock fake.
func KeyPair() string {
	b, err := json.Marshal(map[string]string{"access_key_id": AccessKeyID, "secret_access_key": DefaultKey})
	if err != nil {
		panic(err) // two texts
	}
	return string(b)
}
