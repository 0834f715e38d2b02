package openaitasks

import (
	"encoding/json"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// PictureMeter reads a stream of pictures from the side
// (image_generation.partial_image, image_generation.completed and their like for
// edits). The zero value is ready.
type PictureMeter struct {
	result task.Result
}

// Frame looks at one frame; an error event gives its fault.
func (m *PictureMeter) Frame(frame []byte) *hub.Error {
	event, data := wire.Data(frame)
	if len(data) == 0 || data[0] != '{' {
		return nil
	}
	var in struct {
		Type    string          `json:"type"`
		Quality string          `json:"quality"`
		Size    string          `json:"size"`
		Usage   *imageUse       `json:"usage"`
		Error   json.RawMessage `json:"error"`
	}
	if json.Unmarshal(data, &in) != nil {
		return nil
	}
	if in.Type == "" {
		in.Type = event
	}
	switch {
	case in.Type == "error", len(in.Error) > 0 && string(in.Error) != "null":
		return faults.Read(0, nil, data, nil)
	case strings.HasSuffix(in.Type, ".completed"):
		m.result.Variant = task.Variant{Quality: in.Quality, Size: in.Size}
		m.result.Usage[hub.Images]++
		in.Usage.add(&m.result.Usage)
	}
	return nil
}

// Pictures is how many pictures are complete.
func (m *PictureMeter) Pictures() int64 { return m.result.Usage[hub.Images] }

// Result is what was made so far, without the pictures themselves.
func (m *PictureMeter) Result() *task.Result {
	res := m.result
	return &res
}
