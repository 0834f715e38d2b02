package openai

import (
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/chat"
)

// openDetail is a thought that came in reasoning_details.
type openDetail struct {
	key    string
	index  int  // the canonical index of the thought
	signed bool // its signature or sealed form was given on
}

// details gives on thinking that came in reasoning_details. It reports whether
// there was text among it, which vendors send a second time as plain text.
func (d *decoder) details(all []detail) (said bool) {
	for i := range all {
		in := &all[i]
		words := in.Text + in.Summary
		if in.Type == detailEncrypted || words == "" {
			continue
		}
		said = true
		o := d.thoughtOf(in)
		d.emit(chat.Event{Kind: chat.EventThinking, Index: o.index, Text: words, ItemID: in.ID, SignedBy: signerOf(in.Format)})
	}
	return said
}

// seals gives on signatures and sealed thinking, once the text and the calls
// of the same frame are known.
func (d *decoder) seals(all []detail) {
	for i := range all {
		in := &all[i]
		switch {
		case in.Type == detailEncrypted && in.Data != "":
			d.seal(in)
		case in.Type != detailEncrypted && in.Signature != "":
			o := d.thoughtOf(in)
			o.signed = true
			d.emit(chat.Event{Kind: chat.EventSignature, Index: o.index, Text: in.Signature, ItemID: in.ID, SignedBy: signerOf(in.Format)})
		}
	}
}

func (d *decoder) seal(in *detail) {
	ev := chat.Event{Kind: chat.EventRedacted, Text: in.Data, ItemID: in.ID, SignedBy: signerOf(in.Format)}
	for i := range d.at.calls {
		if call := &d.at.calls[i]; in.ID != "" && call.id == in.ID && call.started && !call.text {
			d.emit(chat.Event{Kind: chat.EventSignature, Tool: true, Index: call.number, Text: in.Data, SignedBy: ev.SignedBy})
			return
		}
	}
	for i := range d.at.details {
		if o := &d.at.details[i]; o.key == detailKey(in) && !o.signed {
			o.signed = true
			ev.Kind, ev.Index = chat.EventSignature, o.index
			d.emit(ev)
			return
		}
	}
	ev.Index = d.at.thought
	d.at.thought++
	d.emit(ev)
}

// thoughtOf finds the thought a detail belongs to, or begins it. A signature
// without a thought of its own is that of the plain text before it.
func (d *decoder) thoughtOf(in *detail) *openDetail {
	key := detailKey(in)
	for i := range d.at.details {
		if o := &d.at.details[i]; o.key == key {
			return o
		}
	}
	o := openDetail{key: key, index: d.at.thought}
	if in.Text+in.Summary == "" && d.at.plain > 0 {
		o.index = d.at.plain - 1
		d.at.plain = 0
	} else {
		d.at.thought++
	}
	d.at.details = append(d.at.details, o)
	return &d.at.details[len(d.at.details)-1]
}

func detailKey(in *detail) string {
	if in.Index != nil {
		return strconv.Itoa(*in.Index)
	}
	return "id:" + in.ID
}
