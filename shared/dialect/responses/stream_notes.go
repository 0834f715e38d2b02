package responses

import (
	"encoding/json"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// place is where a text stands in an answer.
type place struct {
	item            string
	output, content int
	part            *partOut
}

// noted is the text that a citation or a probability is about: the one in hand,
// else the last that was closed. Vendors tell both when they have them, which may
// be after a call has begun.
func (e *encoder) noted() place {
	if e.part != nil && e.part.Annotations != nil {
		return place{e.open.ID, e.openAt, len(*e.open.Content), e.part}
	}
	return e.said
}

// annotate adds citations to a text.
func (e *encoder) annotate(dst []byte, raw json.RawMessage) []byte {
	at := e.noted()
	if at.part == nil {
		return dst
	}
	for _, note := range annotations(raw) {
		*at.part.Annotations = append(*at.part.Annotations, note)
		dst = e.frame(dst, "response.output_text.annotation.added", map[string]any{
			"item_id": at.item, "output_index": at.output, "content_index": at.content,
			"annotation_index": len(*at.part.Annotations) - 1, "annotation": note,
		})
	}
	return dst
}

// probabilities keeps what chat completions say of tokens; the form of an entry
// is the same here.
func (e *encoder) probabilities(raw json.RawMessage) {
	var all []json.RawMessage
	wire.EachElement(wire.Member(raw, "content"), func(entry []byte) bool {
		all = append(all, json.RawMessage(slices.Clone(entry)))
		return true
	})
	if e.part == nil && e.said.part != nil {
		*e.said.part.Logprobs = append(*e.said.part.Logprobs, all...)
		return
	}
	e.logprobs = append(e.logprobs, all...)
}
