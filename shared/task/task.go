// Package task is the canonical form of what models are asked for beside
// conversations: embeddings, pictures, speech, transcripts, moderation, ranking
// and films. It knows no wire format; where vocabularies meet, parameters carry
// OpenAI's names.
package task

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Kind names one sort of work.
type Kind string

// The kinds.
const (
	Embedding       Kind = "embedding"
	ImageGeneration Kind = "image"
	ImageEdit       Kind = "image_edit"
	Transcription   Kind = "transcription"
	Translation     Kind = "translation" // of speech to English text
	Speech          Kind = "speech"
	Moderation      Kind = "moderation"
	Rerank          Kind = "rerank"
	Video           Kind = "video"
)

// Kinds lists all kinds in the order in which tables show them.
func Kinds() []Kind {
	return []Kind{Embedding, ImageGeneration, ImageEdit, Transcription, Translation, Speech, Moderation, Rerank, Video}
}

// CallType is the type under which work of a kind is priced and recorded.
func (k Kind) CallType() hub.CallType {
	switch k {
	case Embedding:
		return hub.TypeEmbedding
	case ImageGeneration, ImageEdit:
		return hub.TypeImage
	case Transcription, Translation, Speech:
		return hub.TypeAudio
	case Moderation:
		return hub.TypeModeration
	case Rerank:
		return hub.TypeRerank
	case Video:
		return hub.TypeVideo
	}
	return ""
}

// Request is one piece of work. The member of its kind is set: Embed for
// Embedding, Image for ImageGeneration and ImageEdit, Listen for Transcription
// and Translation, and so on.
type Request struct {
	Kind   Kind
	Model  string
	Stream bool
	User   string // an opaque id of the caller's end user

	Embed    *Embed
	Image    *Image
	Listen   *Listen
	Speak    *Speak
	Moderate *Moderate
	Rank     *Rank
	Film     *Film

	// Extra holds parameters without a canonical meaning, by the caller's names. A
	// client side must forward, refuse or ignore each of them by name.
	Extra map[string]json.RawMessage
	// Names maps a canonical parameter name to the caller's, where the two differ.
	Names map[string]string
}

// ParamName returns the caller's name for a canonical parameter.
func (r *Request) ParamName(canonical string) string {
	if n, ok := r.Names[canonical]; ok {
		return n
	}
	return canonical
}

// Embed asks for vectors.
type Embed struct {
	Inputs     []EmbedInput
	Single     bool // the caller sent one input, not a list of one
	Dimensions *int64
	Base64     bool   // vectors as base64 of little-endian float32
	Purpose    string // Gemini's taskType or Cohere's input_type, as its vendor spells it; "" when not said
	Title      string // of a document (Gemini)
}

// EmbedInput is a text, or a text as token ids.
type EmbedInput struct {
	Text   string
	Tokens []int64 // nil for a text
}

// File is content that came with a request or an answer: inline or by a URL.
type File struct {
	Name string
	MIME string // "" when unknown
	Data []byte
	URL  string
	ID   string // of a file kept at the provider
}

// Image asks for pictures. Pointers are nil where the caller said nothing.
type Image struct {
	Prompt         string
	Inputs         []File // pictures to work from (ImageEdit)
	Mask           *File
	N              int64 // at least 1
	Size           string
	Quality        string
	Style          string
	Background     string
	Moderation     string
	OutputFormat   string // png, jpeg, webp
	Compression    *int64 // percent
	URL            bool   // the answer is wanted as URLs, not inline
	Seed           *int64
	Negative       string // what must not be in the picture
	AspectRatio    string // "16:9"; "" when Size says it
	PartialImages  *int64
	InputFidelity  string
	SafetyLevel    string
	PersonsAllowed string
	Strength       *float64 // how far Inputs are followed or changed, 0 to 1
	Variation      bool     // of the one input, without a prompt
}

// Listen asks for the text of a recording.
type Listen struct {
	Audio       File
	Language    string // ISO 639-1; "" lets the model find out
	Prompt      string
	Format      string // json, text, srt, verbose_json, vtt, diarized_json; "" is json
	Temperature *float64
	Timestamps  []string // word, segment
	Include     []string
	Chunking    json.RawMessage
}

// Speak asks for the sound of a text.
type Speak struct {
	Input        string
	Voice        string
	Format       string // mp3, opus, aac, flac, wav, pcm; "" is mp3
	Speed        *float64
	Instructions string
	Events       bool // the answer as server-sent events instead of bytes
}

// Moderate asks whether content is harmful.
type Moderate struct {
	Inputs json.RawMessage // a text, texts, or parts, as OpenAI spells them
	Texts  []string        // the texts in it
	Images int64           // the pictures in it
}

// Rank asks which documents fit a query best.
type Rank struct {
	Query     string
	Documents []string
	TopN      *int64
	Return    bool // documents are wanted back
}

// Film asks for a video, which takes minutes: the work is a job.
type Film struct {
	Prompt      string
	Seconds     int64 // 0: the model's own choice
	Size        string
	AspectRatio string
	Resolution  string // 720p, 1080p
	First       *File  // picture the film begins with
	Last        *File
	References  []File
	Negative    string
	Seed        *int64
	Persons     string // who may be shown, as Google spells it
	Camera      *bool  // the camera stands still
	Sound       *bool
	URL         bool // the result is wanted as a URL
}
