// Package dialect says what a language of the model world has to offer: a
// server side (what callers speak to us), a client side (what we speak to
// providers) and a meter (usage read from the wire without decoding the rest).
// Each language is a folder below; they do not import each other.
package dialect

import (
	"io"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Name names a language.
type Name string

// The languages.
const (
	OpenAIChat  Name = "openai-chat"
	Responses   Name = "openai-responses"   // OpenAI's /v1/responses
	Completions Name = "openai-completions" // OpenAI's legacy /v1/completions
	Anthropic   Name = "anthropic"
	Gemini      Name = "gemini"
	Bedrock     Name = "bedrock"    // Amazon Bedrock's Converse and ConverseStream
	AIGNE       Name = "aigne"      // the AIGNE model protocol, /api/v2/chat
	AIGNERest   Name = "aigne-rest" // /api/v2/completions and /api/v2/chat/completions
	OpenAI      Name = "openai"     // OpenAI's surfaces beside chat: embeddings, images, audio, moderations, videos
	Cohere      Name = "cohere"     // Cohere's v2 embed and rerank, and the many that copy its rerank
	Ideogram    Name = "ideogram"
)

// View is what the hub must know of a chat request before it is routed, read
// from the raw body without decoding the conversation.
type View struct {
	Object *wire.Object // the body; its bytes are kept
	Header http.Header  // the caller's headers

	Model      string
	Stream     bool
	Array      bool   // a stream that the caller wants as one JSON array (Gemini without alt=sse)
	WantsUsage bool   // a stream whose caller asked for usage frames
	MaxOutput  *int64 // output tokens asked for, nil when not said
	N          int64  // how many answers, at least 1
	Thinking   int64  // thinking budget asked for, 0 when none

	// OpaqueInput: the prompt holds content that is not in the body (URLs, file
	// ids, stored responses), so its size has no byte bound.
	OpaqueInput bool
	// ServerTools: tools that the provider runs and bills (web search …).
	ServerTools bool

	// Previous is the stored answer that this request goes on from, where its
	// conversation has been put into Object (dialect Responses); else "".
	Previous string

	// Chat is the decoded conversation where the server side made it already;
	// nil otherwise.
	Chat *chat.Request
}

// Closing is what is known once a call is settled, for the last frames of a
// stream or the body of a whole answer.
type Closing struct {
	CallID   string
	Provider string
	Model    string // the model as the hub names it at the provider
	Usage    hub.Usage
	Known    bool          // false: estimated
	Credits  money.Credits // charged
	Billed   bool          // billing is on
}

// Server is the side of a language that callers speak.
type Server interface {
	Name() Name
	// View reads the head of a request. Bad requests give hub.CodeInvalid with
	// the field in Param.
	View(r *http.Request, body []byte) (*View, error)
	// Decode reads the whole conversation. It refuses (hub.CodeInvalid, Param)
	// what has no meaning in the dialect.
	Decode(v *View) (*chat.Request, error)
	// Whole encodes a complete answer.
	Whole(v *View, res *chat.Response, c Closing) ([]byte, error)
	// Stream starts the encoding of a streamed answer.
	Stream(v *View) Encoder
	// Error encodes an error body and its headers beyond content type.
	Error(err *hub.Error, requestID string) []byte
}

// Encoder encodes one streamed answer. Every method appends whole frames to dst
// and returns it.
type Encoder interface {
	Event(dst []byte, ev chat.Event) []byte
	// Close ends a successful stream. It is called once, after settlement; the
	// events EventFinish and EventUsage have been given before it.
	Close(dst []byte, c Closing) []byte
	// Fail ends a stream with the dialect's error event.
	Fail(dst []byte, err *hub.Error) []byte
}

// Quirks are the ways in which a provider departs from the language it speaks.
// They are registry data; the zero value is the language as documented.
type Quirks struct {
	// ReasoningExtra: completion_tokens leaves reasoning tokens out (xAI).
	ReasoningExtra bool
	// MaxTokensField names the output limit in requests: "max_tokens" for vendors
	// that do not know "max_completion_tokens". "" means the caller's own, else
	// the language's newest.
	MaxTokensField string
	// NoStreamUsage: the vendor refuses stream_options.
	NoStreamUsage bool
	// NoDeveloper: the vendor knows only the system role.
	NoDeveloper bool
	// NoJSONSchema: the vendor has only json_object; schemas go by a forced tool.
	NoJSONSchema bool
	// NoStrictTools: the vendor refuses "strict" in tools.
	NoStrictTools bool
	// Vertex: the models are Google Vertex AI's publisher models: their paths lie
	// below publishers/NAME, and Anthropic's body has a version instead of a model.
	Vertex bool
	// ReasoningField: "reasoning_content" (DeepSeek and most) or "reasoning"
	// (OpenRouter) when thinking is sent back in messages; "" means thinking is
	// never sent back.
	ReasoningField string
	// ReasoningDetails: the vendor gives thinking with signatures in
	// "reasoning_details" and takes it back there (OpenRouter, other hubs).
	ReasoningDetails bool
	// Refuses lists parameters that the vendor answers with an error; a
	// translated request holding one is refused with 400 naming it.
	Refuses []string
	// Ignores lists parameters that the vendor's documents say are ignored; a
	// translated request drops them and says so in a header.
	Ignores []string
	// Takes lists parameters beyond the language that the vendor documents.
	Takes []string
	// Renames maps a parameter's name to the one that the vendor has for the same.
	Renames map[string]string
	// ToolModes lists the tool_choice modes that the vendor takes, of auto, none,
	// required and tool (one by its name); nil: all. auto is then left out, being
	// what it does anyway, and for none the tools are.
	ToolModes []string
	// SchemaInObject: a JSON schema stands in response_format beside the type
	// json_object (Cohere).
	SchemaInObject bool
	// Efforts lists the words of reasoning_effort that the vendor takes, weakest
	// first; nil: all. Another word becomes the next stronger one, else the strongest.
	Efforts []string
	// ThinkingSwitch names the vendor's own switch of thinking, if it has one.
	ThinkingSwitch Switch
	// NoNames: the vendor refuses "name" in messages.
	NoNames bool
	// PlainPictures: conversations that ask for pictures hold the turn and nothing
	// else, since the vendor takes no parameters for them (Poe).
	PlainPictures bool
}

// Target is what a client side must know of where a request goes.
type Target struct {
	Model     string // the provider's own name for the model
	Quirks    Quirks
	MaxOutput int64 // the output limit to send when the wire demands one; always > 0
	// LowerTo, when > 0, is the most output the caller's wallet covers: the limit
	// sent must not be above it.
	LowerTo int64
	Stream  bool
}

// Encoded is a request body for a provider.
type Encoded struct {
	Body    []byte
	Header  http.Header // headers the language needs beyond authentication; may be nil
	Dropped []string    // parameters left out because the target ignores them, by the caller's names
}

// Client is the side of a language that providers understand.
type Client interface {
	Name() Name
	// Path is where below the base URL chat requests go, query included.
	Path(t Target) string
	// Splice prepares a native request: the caller's own bytes with the model and
	// what else must change. v is not changed.
	Splice(v *View, t Target) (Encoded, error)
	// Encode translates. A parameter the target cannot express is refused with
	// hub.CodeInvalid naming it, or dropped where Quirks.Ignores or the
	// language's own documents say it is ignored.
	Encode(req *chat.Request, t Target) (Encoded, error)
	// Decode reads a whole answer.
	Decode(body []byte, q Quirks) (*chat.Response, error)
	// Decoder reads a streamed answer.
	Decoder(q Quirks) Decoder
	// Meter looks at a native answer from the side.
	Meter(v *View, q Quirks) Meter
	// Fault reads a non-2xx answer, with its class.
	Fault(status int, header http.Header, body []byte) *hub.Error
}

// EndingServer is a Server whose streams cannot be ended in a provider's stead
// without knowing what of them has been sent.
type EndingServer interface {
	Server
	Ender(v *View) Ender
}

// Ender ends a native stream as if it had reached its output limit.
type Ender interface {
	// Saw looks at a frame that the client gets.
	Saw(frame []byte)
	// End appends what closes everything that is open, and the end.
	End(dst []byte, c Closing) []byte
}

// Counter is a Server in whose language callers can ask how many tokens a prompt
// has.
type Counter interface {
	Server
	// Counted encodes the answer.
	Counted(tokens int64) []byte
}

// PromptCounter is a Client whose providers count a prompt without answering it.
type PromptCounter interface {
	// Count prepares the caller's own request for a count and says where below the
	// base URL it goes. v is not changed.
	Count(v *View, t Target) (path string, enc Encoded, err error)
}

// Framer is a Client whose streams are not server-sent events.
type Framer interface {
	// Frames cuts a streamed answer into the frames that Decoder and Meter take.
	Frames(src io.Reader) wire.FrameReader
}

// Decoder turns the frames of a streamed answer into events. An error frame
// gives a *hub.Error. Frames that mean nothing give no events.
type Decoder interface {
	Frame(frame []byte) ([]chat.Event, error)
	// End tells whether the stream reached its own end marker, where the language
	// has one, or at least a finish signal for every choice.
	End() bool
}

// Seen says what one frame of a native stream is.
type Seen struct {
	Content   bool // something a caller sees: text, thinking, tool call
	Finish    bool // the finish signal of the last open choice is in or before this frame
	UsageOnly bool // carries nothing but usage
	End       bool // the language's end marker
	Err       *hub.Error
}

// Report is what a meter knows so far.
type Report struct {
	Usage     hub.Usage
	Known     bool  // the provider reported usage
	TextBytes int64 // visible text and tool arguments relayed, in bytes
	HideBytes int64 // thinking text relayed, in bytes
	Shown     bool  // something a caller can use that is no text: a tool call, a picture, a sound
	// Sample is the beginning of what the two count, where the meter keeps it: what
	// tokens are estimated by when the provider reports none.
	Sample []byte
	Model  string
	ID     string
	Finish string // the native finish word
	// Service is the tier of service that the provider says it gave, in its own word;
	// "" when it says none.
	Service string
}

// sampleBytes is how much of an answer a report keeps.
const sampleBytes = 2 << 10

// Keep adds text to the sample while there is room.
func (r *Report) Keep(text []byte) {
	if room := sampleBytes - len(r.Sample); room > 0 {
		r.Sample = append(r.Sample, text[:min(room, len(text))]...)
	}
}

// Meter reads a native answer without decoding what it does not need.
type Meter interface {
	Frame(frame []byte) Seen
	// Whole reads a complete body.
	Whole(body []byte) error
	Report() Report
}
