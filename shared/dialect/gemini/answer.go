package gemini

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

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
	GroundingMetadata grounding       `json:"groundingMetadata"`
	CitationMetadata  citations       `json:"citationMetadata"`
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
	InlineData     *blob     `json:"inlineData"`
	FileData       *fileData `json:"fileData"`
	ExecutableCode *struct {
		Language string `json:"language"`
		Code     string `json:"code"`
	} `json:"executableCode"`
	CodeExecutionResult *struct {
		Outcome string `json:"outcome"`
		Output  string `json:"output"`
	} `json:"codeExecutionResult"`
}

// text is what a part says. Code that the provider ran and what came of it are
// part of the answer: they are shown as Markdown shows code.
func (p *answerPart) text() string {
	switch {
	case p.ExecutableCode != nil && p.ExecutableCode.Code != "":
		return "\n```" + strings.ToLower(p.ExecutableCode.Language) + "\n" + strings.TrimSuffix(p.ExecutableCode.Code, "\n") + "\n```\n"
	case p.CodeExecutionResult != nil && p.CodeExecutionResult.Output != "":
		return "\n```\n" + strings.TrimSuffix(p.CodeExecutionResult.Output, "\n") + "\n```\n"
	}
	return p.Text
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
	res.ServiceTier = d.tier
	for i := range res.Choices {
		if ch := &res.Choices[i]; ch.Finish == "" {
			ch.Finish = finishOf("STOP", len(chat.ToolCalls(ch.Parts)) > 0)
		}
	}
	return res, nil
}
