package chat

import "encoding/json"

// Annotation is an element of Part.Annotations, in the form of OpenAI's chat
// completions: "url_citation", or "file_citation" as its Responses API has it.
// Citations without an equivalent have the type that their own language gives
// them, and Own alone.
type Annotation struct {
	Type string        `json:"type"`
	URL  *URLCitation  `json:"url_citation,omitempty"`
	File *FileCitation `json:"file_citation,omitempty"`
	// Own is the citation as the language OwnBy spelled it, with what other
	// languages have no words for. It is not shown to callers of others.
	Own   json.RawMessage `json:"hub_own,omitempty"`
	OwnBy string          `json:"hub_own_by,omitempty"` // a Signed… vendor
}

// URLCitation says which web page a stretch of the text rests on. The indexes
// count characters (Unicode code points) of the message's text.
type URLCitation struct {
	StartIndex int64  `json:"start_index"`
	EndIndex   int64  `json:"end_index"`
	URL        string `json:"url"`
	Title      string `json:"title"`
	Content    string `json:"content,omitempty"` // the words cited, as OpenRouter tells them
}

// FileCitation says which file the text rests on.
type FileCitation struct {
	FileID   string `json:"file_id"`
	Filename string `json:"filename,omitempty"`
	Index    int64  `json:"index"` // where in the text
}

// Annotations reads Part.Annotations; what cannot be read is left out.
func Annotations(raw json.RawMessage) []Annotation {
	var all []json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &all) != nil {
		return nil
	}
	out := make([]Annotation, 0, len(all))
	for _, one := range all {
		var a Annotation
		if json.Unmarshal(one, &a) == nil && a.Type != "" {
			out = append(out, a)
		}
	}
	return out
}

// ShownAnnotations is raw without the types not listed and without what is only
// for one language; nil when nothing is left. An array that needs no change is
// given back as it is.
func ShownAnnotations(raw json.RawMessage, types ...string) json.RawMessage {
	var all []map[string]json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &all) != nil {
		return nil
	}
	out := all[:0]
	for _, one := range all {
		var kind string
		_ = json.Unmarshal(one["type"], &kind) // not a string: not shown
		for _, want := range types {
			if kind == want {
				delete(one, "hub_own")
				delete(one, "hub_own_by")
				out = append(out, one)
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	shown, err := json.Marshal(out)
	if err != nil {
		return nil
	}
	return shown
}
