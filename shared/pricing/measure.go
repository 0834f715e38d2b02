package pricing

import "github.com/aigne-hub/aigne-hub/shared/hub"

// units are the buckets that count work itself. Vendors charge for pictures,
// sound and films either by these or by tokens, and report both.
var units = [...]hub.Bucket{hub.Images, hub.Seconds, hub.Characters}

// Measured is the part of u that these prices charge for, where the same work
// was counted twice: units without a rate are left out when tokens were used
// that have one, and tokens without a rate when units were used that have one,
// or where the request as such has a rate and no token has.
// What neither measure can price stays, so that Charge refuses it.
func (p *Prices) Measured(u hub.Usage) hub.Usage {
	var byUnit, byToken, made bool
	for b, n := range u {
		bucket := hub.Bucket(b)
		if n <= 0 || !p.priced(bucket) {
			continue
		}
		byUnit = byUnit || isUnit(bucket)
		byToken = byToken || isToken(bucket)
		made = made || isWork(bucket)
	}
	flat := p.Buckets[hub.Requests].Set && u[hub.Requests] > 0 && !byToken
	for b := range u {
		bucket := hub.Bucket(b)
		switch {
		case p.priced(bucket):
		case isToken(bucket) && (byUnit || flat), bucket == hub.Characters && byToken, isUnit(bucket) && made:
			u[b] = 0
		}
	}
	return u
}

// isWork reports tokens that stand for a picture, a film or a recording: those
// of a text prompt do not.
func isWork(b hub.Bucket) bool {
	switch b {
	case hub.Output, hub.OutputAudio, hub.OutputImage, hub.InputAudio:
		return true
	}
	return false
}

// MeasuredBound does the same with the most that a call can use.
func (p *Prices) MeasuredBound(b Bound) Bound {
	in, out := p.stand(inputSide[:]), p.stand(outputSide[:])
	u := hub.Usage{hub.Images: b.Images, hub.Seconds: b.Seconds, hub.Characters: b.Characters, hub.Requests: max(1, b.Requests)}
	u[in], u[out] = b.Input, b.Output
	m := p.Measured(u)
	b.Input, b.Output, b.Images, b.Seconds, b.Characters = m[in], m[out], m[hub.Images], m[hub.Seconds], m[hub.Characters]
	for bucket := range b.Never {
		if isToken(hub.Bucket(bucket)) && !p.priced(hub.Bucket(bucket)) {
			b.Never[bucket] = true
		}
	}
	return b
}

// stand is the bucket that stands for one side's tokens: the first with a rate.
func (p *Prices) stand(side []hub.Bucket) hub.Bucket {
	for _, b := range side {
		if p.priced(b) {
			return b
		}
	}
	return side[0]
}

// priced reports whether a bucket has a rate, its own or by fallback.
func (p *Prices) priced(b hub.Bucket) bool {
	_, _, ok := p.rate(b, nil)
	return ok
}

func isUnit(b hub.Bucket) bool {
	for _, unit := range units {
		if b == unit {
			return true
		}
	}
	return false
}

func isToken(b hub.Bucket) bool { return !isUnit(b) && !optional(b) }
