package gemini

import (
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// tokens is UsageMetadata. Each frame of a stream carries the sums so far.
//
// promptTokenCount contains cachedContentTokenCount; candidatesTokenCount does
// not contain thoughtsTokenCount; toolUsePromptTokenCount stands beside the
// prompt (ai.google.dev/api/generate-content, UsageMetadata).
type tokens struct {
	prompt, cached, toolUse, candidates, thoughts int64

	promptAudio, promptImage         int64
	cachedAudio, cachedImage         int64
	candidatesAudio, candidatesImage int64
	toolUseAudio, toolUseImage       int64

	tier string // of the service, in lower case; "" when not said
}

// usage splits the overlapping counts into buckets. Whatever a provider
// reports, prompt buckets add up to prompt + toolUse and output buckets to
// candidates + thoughts.
func (t tokens) usage() hub.Usage {
	var u hub.Usage
	cached := min(t.cached, t.prompt)
	left := t.prompt - cached
	u[hub.CacheRead] = cached
	u[hub.InputAudio] = min(max(t.promptAudio-t.cachedAudio, 0), left)
	left -= u[hub.InputAudio]
	u[hub.InputImage] = min(max(t.promptImage-t.cachedImage, 0), left)
	left -= u[hub.InputImage]
	audio := min(t.toolUseAudio, t.toolUse)
	image := min(t.toolUseImage, t.toolUse-audio)
	u[hub.InputAudio] += audio
	u[hub.InputImage] += image
	u[hub.Input] = left + t.toolUse - audio - image

	left = t.candidates
	u[hub.OutputAudio] = min(t.candidatesAudio, left)
	left -= u[hub.OutputAudio]
	u[hub.OutputImage] = min(t.candidatesImage, left)
	u[hub.Output] = left - u[hub.OutputImage]
	u[hub.Reasoning] = t.thoughts
	u.Clamp()
	return u
}

// readTokens reads a usageMetadata value; ok is false when it is no object.
func readTokens(c *cursor) (t tokens, ok bool) {
	if !c.open('{') {
		return t, false
	}
	for first := true; c.next('}', first); first = false {
		switch string(c.key()) {
		case "promptTokenCount":
			t.prompt = c.number()
		case "cachedContentTokenCount":
			t.cached = c.number()
		case "toolUsePromptTokenCount":
			t.toolUse = c.number()
		case "candidatesTokenCount":
			t.candidates = c.number()
		case "thoughtsTokenCount":
			t.thoughts = c.number()
		case "serviceTier":
			t.tier = strings.TrimPrefix(strings.ToLower(string(c.str())), "service_tier_")
		case "promptTokensDetails":
			t.promptAudio, t.promptImage = readModalities(c)
		case "cacheTokensDetails":
			t.cachedAudio, t.cachedImage = readModalities(c)
		case "toolUsePromptTokensDetails":
			t.toolUseAudio, t.toolUseImage = readModalities(c)
		case "candidatesTokensDetails":
			t.candidatesAudio, t.candidatesImage = readModalities(c)
		default:
			c.skip()
		}
	}
	return t, !c.bad
}

// readModalities reads a list of ModalityTokenCount. Video and documents are
// priced as text and need no bucket.
func readModalities(c *cursor) (audio, image int64) {
	if !c.open('[') {
		return 0, 0
	}
	for first := true; c.next(']', first); first = false {
		if !c.open('{') {
			continue
		}
		var (
			modality []byte
			count    int64
		)
		for first := true; c.next('}', first); first = false {
			switch string(c.key()) {
			case "modality":
				modality = c.str()
			case "tokenCount":
				count = c.number()
			default:
				c.skip()
			}
		}
		switch string(modality) {
		case "AUDIO":
			audio += count
		case "IMAGE":
			image += count
		}
	}
	return audio, image
}

// searches counts the web searches of each candidate. A later frame repeats
// earlier queries, so the longest list counts.
type searches map[int64]int64

func (s *searches) see(candidate, queries int64) {
	if queries == 0 {
		return
	}
	if *s == nil {
		*s = searches{}
	}
	(*s)[candidate] = max((*s)[candidate], queries)
}

func (s searches) total() (n int64) {
	for _, q := range s {
		n += q
	}
	return n
}
