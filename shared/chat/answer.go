package chat

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Finish says why a choice ended.
type Finish string

// The reasons, in OpenAI's words.
const (
	FinishStop          Finish = "stop"
	FinishLength        Finish = "length"
	FinishToolCalls     Finish = "tool_calls"
	FinishContentFilter Finish = "content_filter" // a safety stop or a refusal
)

// Response is a whole answer.
type Response struct {
	ID          string
	Model       string // as the provider named it
	Created     int64  // Unix seconds; 0 when the wire has none
	Choices     []Choice
	Usage       hub.Usage
	UsageKnown  bool
	ServiceTier string
}

// Choice is one of the answers.
type Choice struct {
	Index        int
	Parts        []Part // Text, Thinking, RedactedThinking, ToolCallPart, Refusal, Image, Audio, in order
	Finish       Finish
	Native       string // the provider's own word for Finish
	StopSequence string // which stop sequence was met, if one
	Logprobs     json.RawMessage
}

// EventKind says which fields of an Event mean something.
type EventKind int

// The kinds of event, in the order a stream sends them.
const (
	EventStart      EventKind = iota // ID, Model, Created
	EventText                        // Choice, Text
	EventThinking                    // Choice, Index, Text; ItemID where the dialect names parts; SignedBy where a signature may follow
	EventSignature                   // Choice, Index, Text, SignedBy, ItemID: signature of the thinking part Index; or of tool call Index when Tool is true
	EventRedacted                    // Choice, Index, Text, SignedBy, ItemID: opaque data
	EventToolCall                    // Choice, Index, ID, Name, ItemID: a call begins; Index counts the calls of the choice from 0
	EventToolArgs                    // Choice, Index, Text: a piece of its arguments
	EventRefusal                     // Choice, Text
	EventMedia                       // Choice, Media: a picture, or a piece of sound (pieces with one FileID or none follow each other)
	EventAnnotation                  // Choice, Raw: OpenAI's annotations array, added to what came before
	EventLogprobs                    // Choice, Raw: OpenAI's logprobs object of the tokens since the last one
	EventFinish                      // Choice, Finish, Native, StopSequence
	EventUsage                       // Usage: replaces what was reported before
)

// Event is one step of a streamed answer.
type Event struct {
	Kind         EventKind
	Choice       int
	Index        int
	Tool         bool
	Text         string
	ID           string
	ItemID       string // the part's own id, see Part.ID
	SignedBy     string // see Part.SignedBy
	Name         string
	Model        string
	Created      int64
	Media        *Media
	Raw          json.RawMessage
	Finish       Finish
	Native       string
	StopSequence string
	Usage        hub.Usage
}
