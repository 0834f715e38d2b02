package admission

import "github.com/aigne-hub/aigne-hub/shared/hub"

// What a picture and a second of film come to in tokens where a rate knows only
// tokens and the provider reports none.
const (
	typicalPicture    = 1056   // OpenAI's 1024x1024 of medium quality
	typicalFilmSecond = 21_600 // 720p at 24 frames a second, by Volcano Engine's formula
)

// inTokens estimates the tokens of work that was counted in pieces only. ok is
// false where there is nothing to estimate.
func inTokens(kind hub.CallType, u hub.Usage) (hub.Usage, bool) {
	if u.Completion() > 0 {
		return u, false
	}
	switch {
	case kind == hub.TypeImage && u[hub.Images] > 0:
		u[hub.OutputImage] = u[hub.Images] * typicalPicture
	case kind == hub.TypeVideo && u[hub.Seconds] > 0:
		u[hub.Output] = u[hub.Seconds] * typicalFilmSecond
	default:
		return u, false
	}
	return u, true
}
