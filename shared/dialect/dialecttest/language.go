package dialecttest

import (
	"slices"
	"testing"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

// Language is a dialect with both of its sides and what it can express. The
// property checks make random conversations within that and hold the dialect to
// bringing them back unchanged.
type Language struct {
	Client dialect.Client
	Server dialect.Server
	Target dialect.Target // Model and Stream are set by the checks
	Path   string         // of the request that the server side is shown
	Can    Can

	// Below says what stands before Client.Path in the path of a request, in
	// languages whose path names the model; Path is then not used.
	Below string

	// Request rewrites a generated request, in place, into the form in which the
	// language gives it back, where two forms mean the same; may be nil.
	Request func(*chat.Request)
	// Response does so for a generated answer; may be nil.
	Response func(*chat.Response)
}

// Can says what a language can express without loss. The zero value is text of
// users and assistants.
type Can struct {
	Developer   bool // tells developer messages from system messages
	LateSystem  bool // system messages stand anywhere, as messages of their own
	Names       bool // speakers have names
	Turns       bool // messages of users that follow each other stay apart
	Once        bool // a conversation is one message of a user, with one text
	Blocks      bool // texts that follow each other stay apart
	Ordered     bool // an assistant's parts keep their order; else thinking, text, media, calls
	Refusals    bool // tells refusals from text
	Annotations bool // url_citation annotations in answers

	Media []chat.Part // examples of what a user's message can hold beside text

	Tools        bool
	BareTools    bool // tools without parameters
	StrictTools  bool
	Choices      []chat.ToolChoice // tool choices; Name is that of a generated tool
	ParallelOff  bool
	ParallelOn   bool
	ResultNames  bool        // results carry the function's name, or it is found again by the call
	ResultErrors bool        // results tell that they are errors
	ResultMedia  []chat.Part // examples of what a result can hold beside text

	Thinking     bool     // unsigned thinking is kept
	Signed       []string // the vendors whose signed thinking is kept
	Sealed       []string // the vendors whose opaque thinking is kept
	PartIDs      bool     // thinking keeps its id
	SignedCalls  bool     // calls keep Google's signatures
	Cache        int      // how many cache breakpoints a request may hold
	CachedResult bool     // a tool's result may end in one

	Params  []string         // the canonical parameters, by OpenAI's names, that may be set
	Formats []chat.Format    // examples
	Reasons []chat.Reasoning // examples

	Answers  int         // how many choices an answer may have; 0 is 1
	Made     []chat.Part // examples of media in answers
	Logprobs bool
	Finishes []chat.Choice // examples of Finish, Native and StopSequence for answers without calls
	Called   chat.Choice   // the same for answers that call tools
	Usage    []int         // the hub.Bucket values that usage tells apart
	Created  bool          // answers have a time
	IDPrefix string        // what ids of answers begin with
	NoFinish bool          // answers do not say why they ended
	Unsigned bool          // answers keep no signatures
	Together bool          // usage does not tell thinking from other output
	Words    bool          // answers hold text alone: no thinking, no calls
	Filters  bool          // a refusal is told by the finish of a filter
}

func (c *Can) param(name string) bool { return slices.Contains(c.Params, name) }

// Run holds a language to all properties, each over many random conversations.
// A failure names the seed, which alone makes the conversation again.
func (l Language) Run(t *testing.T, seeds int) {
	t.Helper()
	t.Run("requests come back unchanged", func(t *testing.T) {
		t.Parallel()
		l.Requests(t, seeds)
	})
	t.Run("answers come back unchanged, whole and streamed", func(t *testing.T) {
		t.Parallel()
		l.Responses(t, seeds)
	})
	t.Run("no parameter vanishes", func(t *testing.T) {
		t.Parallel()
		Fates(t, l.Client, l.Target)
	})
}
