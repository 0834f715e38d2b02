package admission

import (
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/audiofile"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// The most that one unit of work can come to, where the vendors' documents say
// or show it; holds are made of these.
const (
	tokensPerPicture      = 8192   // the dearest documented picture has 6,240 (OpenAI, high, 1536x1024)
	tokensPerInputPicture = 16384  // a picture to work from, at high fidelity
	tokensPerAudioSecond  = 64     // Gemini counts 32, OpenAI fewer
	wordsPerSecond        = 30     // tokens of text spoken in a second
	leastTranscript       = 512    // tokens of the shortest transcript
	bytesPerSecond        = 1000   // of the most compressed recording (8 kbit/s)
	tokensPerCharacter    = 16     // of speech for a character of its text, slowly spoken
	tokensPerFilmSecond   = 50_000 // 1080p at 24 frames a second, by Volcano Engine's formula
	longestFilm           = 20     // seconds held where the caller leaves the length to the model: the longest that any makes unasked
	documentsPerSearch    = 100    // Cohere's search unit: one query and this many documents …
	bytesPerDocument      = 500    // … of 500 tokens each; a token is at least one byte
)

// WorkBound is the most that a piece of work can use. bytes is the size of its
// request. opaque says that its prompt has no bound of its own, so that the
// model's context window is held.
func WorkBound(r *task.Request, bytes int64) (b pricing.Bound, opaque bool) {
	b.Input, b.N = bytes, 1
	switch {
	case r.Embed != nil:
		b.Input = embedBound(r.Embed)
	case r.Image != nil:
		n := max(1, r.Image.N)
		pictures := int64(len(r.Image.Inputs))
		if r.Image.Mask != nil {
			pictures++
		}
		b.Input = int64(len(r.Image.Prompt)+len(r.Image.Negative)) + pictures*tokensPerInputPicture
		b.Images, b.Output = n, n*tokensPerPicture
	case r.Listen != nil:
		b.Seconds = RecordingSeconds(r.Listen.Audio.Data)
		b.Input = b.Seconds*tokensPerAudioSecond + int64(len(r.Listen.Prompt))
		b.Output = b.Seconds*wordsPerSecond + leastTranscript
		return b, r.Listen.Audio.Data == nil
	case r.Speak != nil:
		b.Characters = int64(utf8.RuneCountInString(r.Speak.Input))
		b.Input = int64(len(r.Speak.Input) + len(r.Speak.Instructions))
		b.Output = b.Characters * tokensPerCharacter
	case r.Moderate != nil:
		b.Input = bytes + r.Moderate.Images*tokensPerInputPicture
	case r.Rank != nil:
		b.Input, b.Requests = rankBound(r.Rank), Searches(r.Rank)
	case r.Film != nil:
		b.Seconds = r.Film.Seconds
		if b.Seconds <= 0 {
			b.Seconds = longestFilm
		}
		pictures := int64(len(r.Film.References))
		for _, f := range []*task.File{r.Film.First, r.Film.Last} {
			if f != nil {
				pictures++
			}
		}
		b.Input = int64(len(r.Film.Prompt)+len(r.Film.Negative)) + pictures*tokensPerInputPicture
		b.Output = b.Seconds * tokensPerFilmSecond
	}
	return b, false
}

func embedBound(e *task.Embed) (tokens int64) {
	const special = 8 // tokens that models put around each input
	for _, in := range e.Inputs {
		if in.Tokens != nil {
			tokens += int64(len(in.Tokens)) + special
		} else {
			tokens += int64(len(in.Text)) + special
		}
	}
	return tokens + int64(len(e.Title))
}

// rankBound counts the query with each document, since models read them in pairs.
func rankBound(r *task.Rank) (tokens int64) {
	const special = 8 // tokens that models put around each pair
	for _, d := range r.Documents {
		tokens += int64(len(d)+len(r.Query)) + special
	}
	return tokens
}

// Searches is the most search units that ranking can cost: one for a query with
// 100 documents, of which a long one counts once for every 500 tokens.
func Searches(r *task.Rank) int64 {
	var chunks int64
	for _, d := range r.Documents {
		chunks += (int64(len(d)+len(r.Query)) + bytesPerDocument) / bytesPerDocument
	}
	return max(1, (chunks+documentsPerSearch-1)/documentsPerSearch)
}

// RecordingSeconds is the most seconds that a recording can last: by its frames
// and packets, which decoders go by whatever its head claims; what is no known
// container is taken for the most compressed sound of that size.
func RecordingSeconds(data []byte) int64 {
	if n, ok := audiofile.Seconds(data); ok {
		return max(1, n)
	}
	return int64(len(data))/bytesPerSecond + 1
}
