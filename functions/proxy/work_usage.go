package proxy

import (
	"math"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// What a second of sound comes to where a provider did not say, after the rates
// and the prices a minute that OpenAI publishes side by side.
const (
	heardTokens  = 10 // tokens of a recording
	spokenTokens = 20 // tokens of speech that was made
	spokenPace   = 15 // characters spoken in a second
)

// workUsage is what the provider reported, else an estimate of what went in and
// came out. Units that can be counted (characters, seconds, searches) always
// are: the rate decides which measure is charged.
func (h *handler) workUsage(r *task.Request, res *task.Result) (hub.Usage, hub.UsageSource) {
	u, source := res.Usage, hub.UsageReported
	if !res.UsageKnown {
		source = hub.UsageEstimated
		h.estimate(r, res, &u)
	}
	countUnits(r, &u)
	return u, source
}

// estimate fills in the tokens of work whose provider reported none.
func (h *handler) estimate(r *task.Request, res *task.Result, u *hub.Usage) {
	switch {
	case r.Embed != nil:
		for _, in := range r.Embed.Inputs {
			u[hub.Input] += int64(len(in.Tokens)) + h.tokens.Count(in.Text)
		}
		u[hub.Input] += h.tokens.Count(r.Embed.Title)
	case r.Moderate != nil:
		for _, text := range r.Moderate.Texts {
			u[hub.Input] += h.tokens.Count(text)
		}
		u[hub.InputImage] = r.Moderate.Images * mediaTokens
	case r.Listen != nil:
		seconds := admission.RecordingSeconds(r.Listen.Audio.Data)
		u[hub.Input] = h.tokens.Count(r.Listen.Prompt)
		u[hub.InputAudio] = seconds * heardTokens
		if res.Transcript != nil {
			u[hub.Output] = h.tokens.Count(res.Transcript.Text)
		}
	case r.Speak != nil:
		u[hub.Input] = h.tokens.Count(r.Speak.Input) + h.tokens.Count(r.Speak.Instructions)
		seconds := res.Seconds
		if seconds == 0 {
			seconds = float64(utf8.RuneCountInString(r.Speak.Input)) / spokenPace
		}
		u[hub.OutputAudio] = int64(math.Ceil(seconds * spokenTokens))
	case r.Rank != nil:
		// Each document is read together with the query.
		u[hub.Input] = h.tokens.Count(r.Rank.Query) * int64(len(r.Rank.Documents))
		for _, d := range r.Rank.Documents {
			u[hub.Input] += h.tokens.Count(d)
		}
	}
}

// countUnits adds the units that the request itself tells, where the provider
// did not.
func countUnits(r *task.Request, u *hub.Usage) {
	set := func(b hub.Bucket, n int64) {
		if u[b] == 0 {
			u[b] = n
		}
	}
	switch {
	case r.Listen != nil && u[hub.Seconds] == 0:
		set(hub.Seconds, admission.RecordingSeconds(r.Listen.Audio.Data))
	case r.Speak != nil:
		set(hub.Characters, int64(utf8.RuneCountInString(r.Speak.Input)))
	case r.Rank != nil:
		set(hub.Requests, admission.Searches(r.Rank))
	}
}
