package anthropic

import (
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Ender ends a native stream: the block that is open is closed before the end.
func (Server) Ender(v *dialect.View) dialect.Ender { return &ender{view: v} }

type ender struct {
	view  *dialect.View
	open  bool
	index int
}

// Saw notes which block is open.
func (e *ender) Saw(frame []byte) {
	data := dataOf(frame)
	if deltaOf(data) != nil {
		return
	}
	switch string(wire.Member(data, "type")) {
	case `"content_block_start"`:
		e.open = true
		e.index, _ = strconv.Atoi(string(wire.Member(data, "index"))) // 0 where there is none
	case `"content_block_stop"`:
		e.open = false
	}
}

// End closes the stream as one that reached max_tokens.
func (e *ender) End(dst []byte, c dialect.Closing) []byte {
	enc := encoder{view: e.view, started: true, index: e.index, finish: chat.Event{Finish: chat.FinishLength}}
	if e.open {
		enc.open = textBlock
	}
	return enc.Close(dst, c)
}
