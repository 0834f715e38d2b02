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

// details gives on thinking that came in reasoning_details, in order, and leaves
// what may belong to a call of the same frame. Vendors send its text a second
// time as plain text, which counts only where it stands alone.
func (d *decoder) details(all []detail, plain []byte) {
	said := false
	for i := range all {
		said = said || all[i].Text != "" || all[i].Summary != ""
	}
	if !said {
		pieces(plain, true, d.piece)
	}
	for i := range all {
		switch in := &all[i]; {
		case in.ofCall():
		case in.Type == detailEncrypted:
			d.seal(in)
		default:
			d.words(in)
		}
	}
}

// ofCall reports whether a sealed thought can be a call's signature, which only
// Google's models make: it is named after the call.
func (d *detail) ofCall() bool {
	return d.Type == detailEncrypted && d.ID != "" && signerOf(d.Format) == chat.SignedGoogle
}

// callSeals gives on what details left, once the calls of the frame are known.
func (d *decoder) callSeals(all []detail) {
	for i := range all {
		if all[i].ofCall() {
			d.seal(&all[i])
		}
	}
}

func (d *decoder) words(in *detail) {
	words := in.Text + in.Summary
	if words == "" && in.Signature == "" {
		return
	}
	o := d.thoughtOf(in)
	ev := chat.Event{Kind: chat.EventThinking, Index: o.index, Text: words, ItemID: in.ID, SignedBy: signerOf(in.Format)}
	if words != "" {
		d.emit(ev)
	}
	if in.Signature != "" {
		o.signed = true
		ev.Kind, ev.Text = chat.EventSignature, in.Signature
		d.emit(ev)
	}
}

func (d *decoder) seal(in *detail) {
	if in.Data == "" {
		return
	}
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
