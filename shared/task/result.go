package task

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Result is a finished piece of work.
type Result struct {
	ID      string
	Model   string // as the provider named it
	Created int64  // Unix seconds; 0 when the wire has none

	Vectors     []Vector
	Pictures    []Picture
	Transcript  *Transcript
	Sound       *File
	Seconds     float64         // of the sound that was made; 0 when unknown
	Moderations json.RawMessage // OpenAI's results array
	Ranking     []Ranked
	Films       []File

	Usage      hub.Usage
	UsageKnown bool
	Variant    Variant // of the pictures or the film, for its price
}

// Variant is what decides the price of a picture or a film beside their number.
type Variant struct {
	Quality string // "" when unknown
	Size    string // WxH or a resolution such as 1080p; "" when unknown
}

// String is quality/size, "" when neither is known.
func (v Variant) String() string {
	if v == (Variant{}) {
		return ""
	}
	return v.Quality + "/" + v.Size
}

// Vector is one embedding.
type Vector struct {
	Index  int
	Values []float32
}

// Picture is one generated image.
type Picture struct {
	File
	RevisedPrompt string
}

// Transcript is the text of a recording.
type Transcript struct {
	Text     string
	Language string
	Seconds  float64         // of the recording; 0 when unknown
	Raw      json.RawMessage // segments, words and the like, as OpenAI's verbose_json spells them; nil when there are none
}

// Ranked is a document with its score.
type Ranked struct {
	Index int
	Score float64
	Text  string // only when it was asked for
}
