package gemini

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// answer is GenerateContentResponse: a whole answer, and one frame of a stream.
type answer struct {
	Candidates     []candidate     `json:"candidates"`
	PromptFeedback promptFeedback  `json:"promptFeedback"`
	UsageMetadata  json.RawMessage `json:"usageMetadata"`
	ModelVersion   string          `json:"modelVersion"`
	ResponseID     string          `json:"responseId"`
	CreateTime     string          `json:"createTime"` // Vertex only
	Error          json.RawMessage `json:"error"`
}

type promptFeedback struct {
	BlockReason string `json:"blockReason"`
}

type candidate struct {
	Index   int64 `json:"index"`
	Content struct {
		Parts []answerPart `json:"parts"`
	} `json:"content"`
	FinishReason      string          `json:"finishReason"`
	LogprobsResult    *logprobsResult `json:"logprobsResult"`
	GroundingMetadata struct {
		WebSearchQueries []json.RawMessage `json:"webSearchQueries"`
	} `json:"groundingMetadata"`
}

type answerPart struct {
	Text             string `json:"text"`
	Thought          bool   `json:"thought"`
	ThoughtSignature string `json:"thoughtSignature"`
	FunctionCall     *struct {
		ID   string          `json:"id"`
		Name string          `json:"name"`
		Args json.RawMessage `json:"args"`
	} `json:"functionCall"`
	InlineData *blob     `json:"inlineData"`
	FileData   *fileData `json:"fileData"`
}

// noReason stands for a candidate that has not ended.
const noReason = "FINISH_REASON_UNSPECIFIED"

// filtered lists the finish reasons and block reasons that mean the content was
// refused.
var filtered = map[string]bool{
	"SAFETY": true, "RECITATION": true, "BLOCKLIST": true, "PROHIBITED_CONTENT": true, "SPII": true,
	"IMAGE_SAFETY": true, "IMAGE_PROHIBITED_CONTENT": true, "IMAGE_RECITATION": true, "MODEL_ARMOR": true,
}

// finishOf translates a finish reason. What has no word of its own is a stop;
// the native word stays beside it.
func finishOf(reason string, calledTools bool) chat.Finish {
	switch {
	case reason == "MAX_TOKENS":
		return chat.FinishLength
	case filtered[reason]:
		return chat.FinishContentFilter
	case reason == "STOP" && calledTools:
		return chat.FinishToolCalls
	}
	return chat.FinishStop
}

type logprobsResult struct {
	TopCandidates []struct {
		Candidates []tokenLogprob `json:"candidates"`
	} `json:"topCandidates"`
	ChosenCandidates []tokenLogprob `json:"chosenCandidates"`
}

type tokenLogprob struct {
	Token          string          `json:"token"`
	LogProbability json.RawMessage `json:"logProbability"`
}

// openAILogprob is a token in OpenAI's logprobs object, which is the canonical
// form.
type openAILogprob struct {
	Token   string           `json:"token"`
	Logprob json.RawMessage  `json:"logprob"`
	Bytes   []int            `json:"bytes"`
	Top     *[]openAILogprob `json:"top_logprobs,omitempty"`
}

func (t tokenLogprob) openAI() openAILogprob {
	o := openAILogprob{Token: t.Token, Logprob: t.LogProbability, Bytes: []int{}}
	if len(o.Logprob) == 0 {
		o.Logprob = json.RawMessage("0")
	}
	for i := range len(t.Token) {
		o.Bytes = append(o.Bytes, int(t.Token[i]))
	}
	return o
}

func (l *logprobsResult) openAI() json.RawMessage {
	content := make([]openAILogprob, 0, len(l.ChosenCandidates))
	for i, chosen := range l.ChosenCandidates {
		token := chosen.openAI()
		top := []openAILogprob{}
		if i < len(l.TopCandidates) {
			for _, c := range l.TopCandidates[i].Candidates {
				top = append(top, c.openAI())
			}
		}
		token.Top = &top
		content = append(content, token)
	}
	out, err := json.Marshal(map[string]any{"content": content, "refusal": nil})
	if err != nil {
		return nil
	}
	return out
}

// callID makes the id of a call that came without one: the same for the same
// place in the same answer, different everywhere else.
func callID(answer string, choice int64, index int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d", answer, choice, index))
	return "call_" + hex.EncodeToString(sum[:12])
}

// Decode reads a whole answer. A candidate without a finish reason has stopped:
// the body is complete.
func (Client) Decode(body []byte, _ dialect.Quirks) (*chat.Response, error) {
	d := decoder{}
	events, err := d.read(body)
	if err != nil {
		return nil, err
	}
	var c chat.Collector
	for _, ev := range events {
		c.Add(ev)
	}
	res := c.Response()
	if len(res.Choices) == 0 {
		return nil, &hub.Error{
			Code: hub.CodeUpstream, Class: hub.ClassRetry,
			Message: "The provider sent an answer without content.",
		}
	}
	for i := range res.Choices {
		if ch := &res.Choices[i]; ch.Finish == "" {
			ch.Finish = finishOf("STOP", len(chat.ToolCalls(ch.Parts)) > 0)
		}
	}
	return res, nil
}
