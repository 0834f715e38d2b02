package anthropic

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// citation is a citation of any type of the public "Citations" page; the types
// differ in how they name the place.
type citation struct {
	Type           string `json:"type"`
	CitedText      string `json:"cited_text"`
	URL            string `json:"url"`
	Title          string `json:"title"`
	Source         string `json:"source"`
	FileID         string `json:"file_id"`
	DocumentTitle  string `json:"document_title"`
	EncryptedIndex string `json:"encrypted_index"`
}

// annotation tells a citation of the text between two character positions in
// OpenAI's words where there are any. Its own form stays beside.
func annotation(raw json.RawMessage, start, end int64) (chat.Annotation, bool) {
	var c citation
	if json.Unmarshal(raw, &c) != nil || c.Type == "" {
		return chat.Annotation{}, false
	}
	a := chat.Annotation{Type: c.Type, Own: raw, OwnBy: chat.SignedAnthropic}
	link := firstOf(c.URL, c.Source)
	switch {
	case strings.HasPrefix(link, "https://") || strings.HasPrefix(link, "http://"):
		a.Type = "url_citation"
		a.URL = &chat.URLCitation{StartIndex: start, EndIndex: end, URL: link, Title: c.Title, Content: c.CitedText}
	case c.FileID != "":
		a.Type = "file_citation"
		a.File = &chat.FileCitation{FileID: c.FileID, Filename: c.DocumentTitle, Index: end}
	}
	return a, true
}

// annotations reads the citations of a text block that ends at a character
// position; nil when it has none.
func annotations(citations []json.RawMessage, text string, end int64) json.RawMessage {
	var all []chat.Annotation
	for _, raw := range citations {
		if a, ok := annotation(raw, end-int64(utf8.RuneCountInString(text)), end); ok {
			all = append(all, a)
		}
	}
	if all == nil {
		return nil
	}
	out, err := marshal(all)
	if err != nil {
		return nil
	}
	return out
}

// citations is the way back. A page that another vendor's model found has no
// index that Claude would know again; it is sealed, so that it can be left out
// of a conversation that goes on with Claude.
func citations(raw json.RawMessage) (out []json.RawMessage) {
	for _, a := range chat.Annotations(raw) {
		switch {
		case a.Own != nil && a.OwnBy == chat.SignedAnthropic:
			out = append(out, a.Own)
		case a.URL != nil:
			c, err := marshal(map[string]string{
				"type": "web_search_result_location", "url": a.URL.URL, "title": a.URL.Title, "cited_text": a.URL.Content,
				"encrypted_index": chat.Seal("", "", ""),
			})
			if err == nil {
				out = append(out, c)
			}
		}
	}
	return out
}

// foreignCitation reports whether a citation is one that citations made up.
func foreignCitation(raw json.RawMessage) bool {
	return strings.HasPrefix(wire.Text(wire.Member(raw, "encrypted_index")), chat.SealPrefix)
}

// withoutForeignCitations takes citations that citations made up out of a text
// block.
func withoutForeignCitations(raw json.RawMessage) json.RawMessage {
	cited := list(wire.Member(raw, "citations"))
	own := slices.DeleteFunc(slices.Clone(cited), foreignCitation)
	if len(own) == len(cited) {
		return raw
	}
	o, err := wire.Parse(raw)
	if err != nil {
		return raw
	}
	o.Delete("citations")
	if len(own) > 0 {
		o.Set("citations", array(own))
	}
	return o.Bytes()
}

// historic keeps the citations of an earlier answer for their own language;
// where they stood in the whole text is no longer known.
func historic(cited []json.RawMessage) json.RawMessage {
	return annotations(slices.DeleteFunc(cited, foreignCitation), "", 0)
}

// ownCitations are those of an earlier answer that Claude gave.
func ownCitations(raw json.RawMessage) []json.RawMessage {
	return slices.DeleteFunc(citations(raw), foreignCitation)
}
