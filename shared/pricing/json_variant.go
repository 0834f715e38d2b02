package pricing

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// maxVariants bounds the variants read from JSON.
const maxVariants = 64

type variantJSON struct {
	Bucket  string `json:"bucket"`
	Quality string `json:"quality,omitempty"`
	Size    string `json:"size,omitempty"`
	Rate    string `json:"rate"`
}

func variantsOut(list []VariantPrice) []variantJSON {
	out := make([]variantJSON, len(list))
	for i, v := range list {
		out[i] = variantJSON{Bucket: v.Bucket.String(), Quality: v.Quality, Size: v.Size, Rate: v.Rate.String()}
	}
	return out
}

func (p *Prices) unmarshalVariants(data json.RawMessage) error {
	var list []variantJSON
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		return fmt.Errorf("variants: %w", err)
	}
	if len(list) > maxVariants {
		return fmt.Errorf("variants: %d are too many, %d is the most", len(list), maxVariants)
	}
	for _, in := range list {
		bucket, ok := hub.ParseBucket(in.Bucket)
		if !ok {
			return fmt.Errorf("variants: %q is not a bucket", in.Bucket)
		}
		rate, err := money.ParseRate(in.Rate)
		if err != nil {
			return fmt.Errorf("variants: %w", err)
		}
		p.Variants = append(p.Variants, VariantPrice{Bucket: bucket, Quality: in.Quality, Size: in.Size, Rate: rate})
	}
	return nil
}
