package hub

// Bucket names one kind of billable unit. Buckets never overlap: a token is
// counted in exactly one of them (the provider's own overlapping figures are
// translated once, by its dialect's meter).
type Bucket int

// The buckets.
const (
	Input        Bucket = iota // prompt tokens neither read from nor written to a cache, text
	CacheRead                  // prompt tokens read from a cache
	CacheWrite5m               // prompt tokens written to a cache kept five minutes
	CacheWrite1h               // prompt tokens written to a cache kept an hour
	Output                     // visible generated tokens, text
	Reasoning                  // thinking tokens
	InputAudio                 // audio tokens of the prompt
	OutputAudio                // generated audio tokens
	InputImage                 // image tokens of the prompt
	OutputImage                // generated image tokens
	Images                     // pictures produced
	Seconds                    // seconds of audio or video
	Characters                 // characters of speech input
	WebSearches                // searches made by the provider's server-side tool
	Requests                   // flat fee per request
	NumBuckets
)

var bucketNames = [NumBuckets]string{
	"input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning",
	"input_audio", "output_audio", "input_image", "output_image",
	"images", "seconds", "characters", "web_searches", "requests",
}

// String returns the name used in JSON, SQL and the CLI.
func (b Bucket) String() string { return bucketNames[b] }

// ParseBucket finds a bucket by its name.
func ParseBucket(name string) (Bucket, bool) {
	for i, n := range bucketNames {
		if n == name {
			return Bucket(i), true
		}
	}
	return 0, false
}

// Usage counts units per bucket. The zero value is "nothing used".
type Usage [NumBuckets]int64

// Prompt is the number of tokens the prompt had, caches and modalities included.
func (u *Usage) Prompt() int64 {
	return u[Input] + u[CacheRead] + u[CacheWrite5m] + u[CacheWrite1h] + u[InputAudio] + u[InputImage]
}

// Completion is the number of tokens generated, thinking and modalities included.
func (u *Usage) Completion() int64 {
	return u[Output] + u[Reasoning] + u[OutputAudio] + u[OutputImage]
}

// IsZero reports whether nothing was used.
func (u *Usage) IsZero() bool { return *u == Usage{} }

// Clamp replaces negative counts, which only a lying provider reports, by zero.
func (u *Usage) Clamp() {
	for i := range u {
		if u[i] < 0 {
			u[i] = 0
		}
	}
}
