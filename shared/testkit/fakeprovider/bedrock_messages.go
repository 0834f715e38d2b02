package fakeprovider

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	bedrockUserBlocks      = set("text", "image", "document", "video", "audio", "toolResult", "cachePoint")
	bedrockAssistantBlocks = set("text", "toolUse", "reasoningContent", "cachePoint")
	bedrockMedia           = map[string]map[string]bool{
		"image":    set("png", "jpeg", "gif", "webp"),
		"document": set("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"),
		"video":    set("mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"),
		"audio":    set("mp3", "wav", "flac", "ogg", "opus", "aac", "mp4", "m4a", "webm"),
	}
	bedrockDocument = regexp.MustCompile(`^[a-zA-Z0-9()\[\]-]+( [a-zA-Z0-9()\[\]-]+)*$`)
)

// bedrockTurns walks through the messages.
type bedrockTurns struct {
	bedrock
	t     *turn
	open  []string // toolUse ids of the assistant turn just before
	names []string // of documents
	tools bool     // a block of a tool was met
}

func (l bedrock) messages(t *turn, body object) *fixed {
	messages := list(body["messages"])
	if len(messages) == 0 {
		return l.bad("The messages field is empty.")
	}
	w := &bedrockTurns{bedrock: l, t: t}
	for i, v := range messages {
		want := "user"
		if i%2 == 1 {
			want = "assistant"
		}
		m := dict(v)
		if role := text(m["role"]); role != want || len(m) != 2 {
			return l.bad("A conversation must start with a user message and alternate between user and assistant roles. Make sure the conversation alternates at messages.%d.", i)
		}
		if f := w.message(i, want, list(m["content"])); f != nil {
			return f
		}
	}
	if len(w.open) > 0 {
		return w.unanswered(len(messages) - 1)
	}
	if w.tools && body["toolConfig"] == nil {
		return l.bad("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
	}
	return nil
}

func (w *bedrockTurns) message(i int, role string, blocks []any) *fixed {
	at := fmt.Sprintf("messages.%d", i)
	if len(blocks) == 0 {
		return w.bad("The content field in the Message object at %s is empty.", at)
	}
	known := bedrockUserBlocks
	if role == "assistant" {
		known = bedrockAssistantBlocks
	}
	said, answered, calls, documents, texts := "", []string{}, []string{}, 0, 0
	for k, v := range blocks {
		b, where := dict(v), fmt.Sprintf("%s.content.%d", at, k)
		if name, found := firstUnknown(b, known); found || len(b) != 1 {
			return w.bad("%s: %q is not allowed here, and exactly one member must be set", where, name)
		}
		if k == 0 && b["cachePoint"] != nil {
			return w.bad("%s: a cachePoint must follow another block", where)
		}
		if f := w.block(where, b); f != nil {
			return f
		}
		switch {
		case b["text"] != nil:
			said += text(b["text"])
			texts++
		case b["document"] != nil:
			documents++
		case b["toolResult"] != nil:
			answered = append(answered, text(dict(b["toolResult"])["toolUseId"]))
			for _, c := range list(dict(b["toolResult"])["content"]) {
				said += text(dict(c)["text"])
			}
		case b["toolUse"] != nil:
			calls = append(calls, text(dict(b["toolUse"])["toolUseId"]))
			w.t.addText(string(encode(dict(b["toolUse"])["input"])))
		}
	}
	if documents > 0 && texts == 0 {
		return w.bad("Your conversation includes a message with a document but no text at %s.", at)
	}
	if f := w.match(i, answered); f != nil {
		return f
	}
	if w.t.thinking && len(calls) > 0 && dict(blocks[0])["reasoningContent"] == nil && isClaude(w.t.model) {
		return w.bad("The model returned the following errors: %s.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.", at)
	}
	w.open = calls
	w.t.addText(said)
	w.t.lastText, w.t.lastIsUser = said, role == "user" && len(answered) == 0
	return nil
}

// match checks a message's results against the calls of the turn before.
func (w *bedrockTurns) match(i int, answered []string) *fixed {
	for _, id := range answered {
		if !slices.Contains(w.open, id) {
			return w.bad("The number of toolResult blocks at messages.%d.content exceeds the number of toolUse blocks of previous turn.", i)
		}
	}
	if len(answered) < len(w.open) {
		return w.unanswered(i - 1)
	}
	return nil
}

func (w *bedrockTurns) unanswered(i int) *fixed {
	return w.bad("Expected toolResult blocks at messages.%d.content for the following Ids: %s", i+1, strings.Join(w.open, ", "))
}

func (w *bedrockTurns) block(at string, b object) *fixed {
	for kind, formats := range bedrockMedia {
		if m := dict(b[kind]); m != nil {
			return w.media(at, kind, m, formats)
		}
	}
	switch {
	case b["text"] != nil:
		if strings.TrimSpace(text(b["text"])) == "" {
			return w.bad("The text field in the ContentBlock object at %s is blank.", at)
		}
	case b["cachePoint"] != nil:
		return w.cachePoint(dict(b["cachePoint"]))
	case b["toolUse"] != nil:
		w.tools = true
		use := dict(b["toolUse"])
		if name, found := firstUnknown(use, set("toolUseId", "name", "input")); found {
			return w.bad("%s.toolUse.%s: unknown", at, name)
		}
		if !bedrockName.MatchString(text(use["toolUseId"])) || !bedrockName.MatchString(text(use["name"])) || dict(use["input"]) == nil {
			return w.bad("%s.toolUse: bad toolUseId, name or input", at)
		}
	case b["toolResult"] != nil:
		w.tools = true
		return w.result(at+".toolResult", dict(b["toolResult"]))
	case b["reasoningContent"] != nil:
		return w.thought(at, dict(b["reasoningContent"]))
	}
	return nil
}

func (w *bedrockTurns) result(at string, r object) *fixed {
	if name, found := firstUnknown(r, set("toolUseId", "content", "status")); found {
		return w.bad("%s.%s: unknown", at, name)
	}
	if s, given := r["status"]; given && text(s) != "success" && text(s) != "error" {
		return w.bad("%s.status: unknown", at)
	}
	content := list(r["content"])
	if len(content) == 0 {
		return w.bad("%s.content: is empty", at)
	}
	for k, v := range content {
		b := dict(v)
		if name, found := firstUnknown(b, set("text", "json", "image", "document", "video")); found || len(b) != 1 {
			return w.bad("%s.content.%d: %q is not allowed", at, k, name)
		}
		if b["json"] != nil {
			if dict(b["json"]) == nil {
				return w.bad("%s.content.%d.json: must be an object", at, k)
			}
			continue
		}
		if f := w.block(fmt.Sprintf("%s.content.%d", at, k), b); f != nil {
			return f
		}
	}
	return nil
}

func (w *bedrockTurns) thought(at string, r object) *fixed {
	if !isClaude(w.t.model) {
		return w.bad("This model doesn't support the reasoningContent field. Remove reasoningContent and try again.")
	}
	t := dict(r["reasoningText"])
	// The text is empty where the caller asked for thinking without display.
	_, says := t["text"].(string)
	if len(r) != 1 || r["redactedContent"] == nil && (!says || text(t["signature"]) != signature) {
		return w.bad("The model returned the following errors: %s: Invalid `signature` in `thinking` block", at)
	}
	return nil
}

func (w *bedrockTurns) media(at, kind string, m object, formats map[string]bool) *fixed {
	if !formats[text(m["format"])] {
		return w.bad("%s.%s.format: unknown", at, kind)
	}
	src := dict(m["source"])
	data, err := base64.StdEncoding.DecodeString(text(src["bytes"]))
	if src["s3Location"] == nil && (err != nil || len(data) == 0) || len(src) != 1 {
		return w.bad("%s.%s.source: needs bytes", at, kind)
	}
	if src["s3Location"] != nil && isClaude(w.t.model) {
		return w.bad("This model doesn't support the s3Uri field. Remove s3Uri and try again.")
	}
	if kind != "document" {
		return nil
	}
	name := text(m["name"])
	if len(name) > 200 || !bedrockDocument.MatchString(name) || slices.Contains(w.names, name) {
		return w.bad("The file name %q is not allowed: alphanumeric characters, whitespace characters (no more than one in a row), hyphens, parentheses and square brackets, and no two alike.", name)
	}
	w.names = append(w.names, name)
	return nil
}
