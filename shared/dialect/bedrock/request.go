package bedrock

import "encoding/json"

// request is the body of Converse and of ConverseStream.
type request struct {
	System     []block           `json:"system,omitempty"`
	Messages   []turn            `json:"messages"`
	Inference  *inferenceConfig  `json:"inferenceConfig,omitempty"`
	Tools      *toolConfig       `json:"toolConfig,omitempty"`
	Output     *outputConfig     `json:"outputConfig,omitempty"`
	Tier       *tier             `json:"serviceTier,omitempty"`
	Metadata   map[string]string `json:"requestMetadata,omitempty"`
	Additional map[string]any    `json:"additionalModelRequestFields,omitempty"`
	Paths      []string          `json:"additionalModelResponseFieldPaths,omitempty"`
}

// turn is a message. results holds a user turn's tool results until the turn is
// complete, since they stand before all else.
type turn struct {
	Role    string  `json:"role"`
	Content []block `json:"content"`
	results []block
}

// block is a ContentBlock: a union, one of whose members is set. What Bedrock
// sends and what it takes are the same.
type block struct {
	Text       *string     `json:"text,omitempty"`
	Image      *media      `json:"image,omitempty"`
	Document   *media      `json:"document,omitempty"`
	Video      *media      `json:"video,omitempty"`
	Audio      *media      `json:"audio,omitempty"`
	ToolUse    *toolUse    `json:"toolUse,omitempty"`
	ToolResult *toolResult `json:"toolResult,omitempty"`
	Reasoning  *reasoning  `json:"reasoningContent,omitempty"`
	CachePoint *cachePoint `json:"cachePoint,omitempty"`
	// JSON stands in tool results only.
	JSON json.RawMessage `json:"json,omitempty"`
	// Citations stands in answers only: text that quotes documents.
	Citations *struct {
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
	} `json:"citationsContent,omitempty"`
}

type media struct {
	Format string `json:"format"`
	Name   string `json:"name,omitempty"` // of documents
	Source source `json:"source"`
}

type source struct {
	Bytes string      `json:"bytes,omitempty"` // base64
	S3    *s3Location `json:"s3Location,omitempty"`
}

type s3Location struct {
	URI string `json:"uri"`
}

type toolUse struct {
	ID    string          `json:"toolUseId"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input,omitempty"`
	Type  string          `json:"type,omitempty"` // server_tool_use: not the caller's business
}

type toolResult struct {
	ID      string  `json:"toolUseId"`
	Content []block `json:"content"`
	Status  string  `json:"status,omitempty"`
}

type reasoning struct {
	Text     *reasoningText `json:"reasoningText,omitempty"`
	Redacted string         `json:"redactedContent,omitempty"` // base64
}

type reasoningText struct {
	Text      string `json:"text"`
	Signature string `json:"signature,omitempty"`
}

type cachePoint struct {
	Type string `json:"type"`
	TTL  string `json:"ttl,omitempty"`
}

type inferenceConfig struct {
	MaxTokens   *int64   `json:"maxTokens,omitempty"`
	Temperature *float64 `json:"temperature,omitempty"`
	TopP        *float64 `json:"topP,omitempty"`
	Stop        []string `json:"stopSequences,omitempty"`
}

type toolConfig struct {
	Tools  []toolEntry    `json:"tools"`
	Choice map[string]any `json:"toolChoice,omitempty"`
}

type toolEntry struct {
	Spec       *toolSpec   `json:"toolSpec,omitempty"`
	CachePoint *cachePoint `json:"cachePoint,omitempty"`
}

type toolSpec struct {
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	Schema      inputSchema `json:"inputSchema"`
	Strict      bool        `json:"strict,omitempty"`
}

type inputSchema struct {
	JSON json.RawMessage `json:"json"`
}

type outputConfig struct {
	TextFormat textFormat `json:"textFormat"`
}

type textFormat struct {
	Type      string `json:"type"`
	Structure struct {
		JSONSchema jsonSchema `json:"jsonSchema"`
	} `json:"structure"`
}

// jsonSchema holds the schema as text.
type jsonSchema struct {
	Schema      string `json:"schema"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

type tier struct {
	Type string `json:"type"`
}
