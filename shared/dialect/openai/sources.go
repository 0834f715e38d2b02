package openai

import (
	"encoding/json"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// piece forgets what the choice had as a whole: its pieces follow.
func (ch *choice) piece() {
	*ch = choice{index: ch.index, finish: ch.finish, probs: ch.probs, usage: ch.usage}
}

// usageIn finds the usage that Groq ends its streams with, asked for or not
// (https://console.groq.com/docs/api-reference: x_groq).
func usageIn(raw []byte) (usage []byte) {
	eachMember(raw, func(key []byte, c *cursor) {
		if v := c.value(); string(key) == "usage" {
			usage = v
		}
	})
	return usage
}

type citation struct {
	Type string `json:"type"`
	URL  struct {
		URL   string `json:"url"`
		Title string `json:"title"`
		Start int    `json:"start_index"`
		End   int    `json:"end_index"`
	} `json:"url_citation"`
}

// citations turns Perplexity's sources, objects or bare URLs, into annotations.
// They belong to the answer as a whole: both indexes are 0.
func citations(raw []byte) json.RawMessage {
	var out []citation
	c := cursor{b: raw}
	if !c.enter('[') {
		return nil
	}
	for c.item() {
		one := citation{Type: "url_citation"}
		v := c.value()
		if c.bad {
			break
		}
		if isString(v) {
			one.URL.URL = wire.Text(v)
		}
		eachMember(v, func(key []byte, c *cursor) {
			switch v := c.value(); string(key) {
			case "url":
				one.URL.URL = wire.Text(v)
			case "title":
				one.URL.Title = wire.Text(v)
			}
		})
		if one.URL.URL != "" {
			out = append(out, one)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return encodeJSON(out)
}

// cite keeps the sources, which every chunk may repeat, and gives them on before
// the end of the first choice.
func (d *decoder) cite(h head) {
	at := slices.IndexFunc(d.events, func(ev chat.Event) bool { return ev.Kind == chat.EventFinish && ev.Choice == 0 })
	if h.sources != nil && (d.sources == nil || at >= 0) {
		d.sources = citations(h.sources)
	}
	if at >= 0 && d.sources != nil {
		d.events = slices.Insert(d.events, at, chat.Event{Kind: chat.EventAnnotation, Raw: d.sources})
	}
}
