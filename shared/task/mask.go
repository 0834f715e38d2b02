package task

import (
	"bytes"
	"image"
	"image/color"
	_ "image/jpeg" // masks come as PNG, and as JPEG from callers who know no better
	"image/png"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// maxMask bounds the pixels of a mask: a small file can unpack to gigabytes.
const maxMask = 4096 * 4096

// BlackMask rewrites OpenAI's mask, which is transparent where the picture is to
// be changed, as vendors with black and white ones want it: black where it is to
// be changed. A mask without transparency is one already and stays.
func BlackMask(data []byte) ([]byte, error) {
	c, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, hub.Wrap(hub.CodeInvalid, err, "The mask is no PNG or JPEG picture.")
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > maxMask/c.Height {
		return nil, hub.Errorf(hub.CodeInvalid, "The mask has more than %d pixels.", maxMask)
	}
	src, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, hub.Wrap(hub.CodeInvalid, err, "The mask cannot be read.")
	}
	if o, ok := src.(interface{ Opaque() bool }); ok && o.Opaque() {
		return data, nil
	}
	const half = 0x8000
	bounds := src.Bounds()
	out := image.NewGray(bounds)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			if _, _, _, alpha := src.At(x, y).RGBA(); alpha >= half {
				out.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	var buf bytes.Buffer
	err = png.Encode(&buf, out)
	return buf.Bytes(), err
}
