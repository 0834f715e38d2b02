package operator

import (
	"context"
	"encoding/json"
)

// NoteCallExport records that somebody exports calls, with what was asked for.
func (d *Desk) NoteCallExport(ctx context.Context, actor string, asked any) error {
	text, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "calls.export", "", nil, map[string]any{"asked": json.RawMessage(text)})
}
