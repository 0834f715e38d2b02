// Package chat is the canonical conversation: what every dialect can be
// decoded to and encoded from when caller and provider speak different
// languages. It knows no wire format; where two vocabularies meet it uses the
// field's common words and, for parameters, OpenAI's spelling.
package chat

import (
	"encoding/json"
	"slices"
)

// Role is who speaks.
type Role string

// The roles. A developer message is a system message of newer OpenAI dialects.
const (
	System    Role = "system"
	Developer Role = "developer"
	User      Role = "user"
	Assistant Role = "assistant"
	ToolRole  Role = "tool" // carries ToolResult parts only
)

// Request is a conversation and what is asked of the model. Pointers are nil
// where the caller said nothing.
type Request struct {
	Model    string
	Messages []Message

	Tools             []Tool
	ToolChoice        *ToolChoice
	ParallelToolCalls *bool

	MaxOutput        *int64 // tokens, thinking included
	Temperature      *float64
	TopP             *float64
	TopK             *int64
	FrequencyPenalty *float64
	PresencePenalty  *float64
	Stop             []string
	Seed             *int64
	N                *int64
	Logprobs         *bool
	TopLogprobs      *int64
	LogitBias        json.RawMessage

	Format      *Format
	Reasoning   *Reasoning
	ServiceTier string
	User        string            // an opaque id of the caller's end user
	Metadata    map[string]string // OpenAI's metadata; Anthropic's has only user_id, which is User
	Modalities  []string

	Stream bool

	// Extra holds the parameters of the source dialect that have no canonical
	// meaning, by the name the caller used. A client side must forward, refuse
	// or ignore each of them by name.
	Extra map[string]json.RawMessage
	// Ignored lists, by the caller's names, what the server side left out of the
	// conversation because it only steers how the source dialect's own vendor
	// handles a request and cannot change what is answered. Callers are told.
	Ignored []string
	// Names maps a canonical parameter name (OpenAI's spelling) to the caller's
	// name for it where the two differ, for error messages.
	Names map[string]string
}

// ParamName returns the caller's name for a canonical parameter.
func (r *Request) ParamName(canonical string) string {
	if n, ok := r.Names[canonical]; ok {
		return n
	}
	return canonical
}

// Ignore notes a parameter that was left out, once.
func (r *Request) Ignore(name string) {
	if !slices.Contains(r.Ignored, name) {
		r.Ignored = append(r.Ignored, name)
	}
}

// Message is one turn.
type Message struct {
	Role  Role
	Name  string
	Parts []Part
}

// PartKind says which fields of a Part mean something.
type PartKind int

// The kinds of part.
const (
	Text             PartKind = iota
	Image                     // Media
	Audio                     // Media
	File                      // Media: PDFs and other documents
	ToolCallPart              // ToolCall; Signature for Gemini's thought signatures
	ToolResultPart            // ToolResult
	Thinking                  // Text, Signature
	RedactedThinking          // Signature holds the opaque data
	Refusal                   // Text
	Raw                       // RawJSON: a block only its own dialect understands (RawType names it)
)

// The vendors whose models sign or seal their thinking. A signature is sent back
// only to models of the vendor that made it; others refuse it.
const (
	SignedAnthropic = "anthropic"
	SignedGoogle    = "google"
	SignedOpenAI    = "openai"
	SignedXAI       = "xai"
)

// Part is one piece of a message.
type Part struct {
	Kind       PartKind
	Text       string
	Media      *Media
	ToolCall   *ToolCall
	ToolResult *ToolResult
	Signature  string
	SignedBy   string // the vendor whose signature, or opaque data, this is; "" when unknown
	ID         string // of the part, in dialects that name parts (Responses: rs_…, msg_…, fc_…)
	Cache      *Cache // a prompt-cache breakpoint after this part
	RawType    string
	RawJSON    json.RawMessage
	// Annotations (citations) as OpenAI spells them, if any.
	Annotations json.RawMessage
}

// Media is an image, a sound or a document: inline data, a URL, or a file id at
// the provider.
type Media struct {
	MIME     string // "" when unknown
	Data     string // base64, standard alphabet
	URL      string
	FileID   string
	Filename string
	Detail   string // OpenAI's image detail: low, high, auto

	Transcript string // of generated sound
	ExpiresAt  int64  // Unix seconds until which FileID can be referred to; 0: not said
}

// Cache asks for a prompt-cache breakpoint. TTL is "5m" or "1h".
type Cache struct{ TTL string }

// ToolCall is the model's wish to call a function. Arguments is JSON text of an
// object, "{}" when there are none.
type ToolCall struct {
	ID        string
	Name      string
	Arguments string
}

// ToolResult answers a call.
type ToolResult struct {
	CallID  string
	Name    string // the function's name where the dialect carries it
	Parts   []Part // text and media
	IsError bool
}

// Tool is a function the model may call. Raw is set instead for a tool that only
// its own dialect understands (a server-side tool); RawType names its type.
type Tool struct {
	Name        string
	Description string
	Parameters  json.RawMessage // JSON schema; nil: no parameters
	Strict      *bool
	Cache       *Cache
	RawType     string
	Raw         json.RawMessage
}

// ToolChoice says whether tools must be used.
type ToolChoice struct {
	Mode string // "auto", "none", "required", "tool"
	Name string // with "tool"
}

// Format constrains the answer.
type Format struct {
	Kind        string // "text", "json_object", "json_schema"
	Name        string
	Description string
	Schema      json.RawMessage
	Strict      *bool
}

// Reasoning asks for thinking.
type Reasoning struct {
	Effort   string // "none", "minimal", "low", "medium", "high", "xhigh"; "" when a budget was given
	Budget   *int64 // thinking tokens
	Disabled bool   // thinking explicitly off
	Adaptive bool   // the model decides (Anthropic's "adaptive")
	Summary  string // OpenAI's summary: auto, concise, detailed
	Hidden   bool   // thinking is wanted, its text is not (Gemini includeThoughts false)
}
