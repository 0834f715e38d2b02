package pricing

import (
	"fmt"
	"math/bits"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

// The buckets that make up a prompt and a completion.
var (
	inputSide = [...]hub.Bucket{
		hub.Input, hub.CacheRead, hub.CacheWrite5m, hub.CacheWrite1h, hub.InputAudio, hub.InputImage,
	}
	outputSide = [...]hub.Bucket{hub.Output, hub.Reasoning, hub.OutputAudio, hub.OutputImage}
)

// Bound is the most that a call can use, known before it is made.
type Bound struct {
	Input  int64 `json:"input,omitempty"`  // tokens of the prompt, whatever bucket they end in
	Output int64 `json:"output,omitempty"` // tokens of one answer, thinking included
	N      int64 `json:"n,omitempty"`      // answers asked for; less than 1 means 1

	Images      int64 `json:"images,omitempty"`
	Seconds     int64 `json:"seconds,omitempty"`
	Characters  int64 `json:"characters,omitempty"`
	WebSearches int64 `json:"web_searches,omitempty"` // searches of the provider's own tools; 0 when they are off
	Requests    int64 `json:"requests,omitempty"`     // flat fees; less than 1 means 1

	// Never marks token buckets that the call cannot touch, e.g. input_audio when
	// the prompt holds no audio, or the cache writes when caching is impossible.
	// The zero value rules nothing out, which is always safe.
	Never [hub.NumBuckets]bool `json:"-"`
}

// Covers reports whether usage u stays within the bound.
func (b *Bound) Covers(u *hub.Usage) bool {
	for i, never := range b.Never {
		if u[i] < 0 || (never && u[i] > 0) {
			return false
		}
	}
	in, errIn := total(u, inputSide[:])
	out, errOut := total(u, outputSide[:])
	hi, most := bits.Mul64(uint64(max(b.Output, 0)), uint64(max(b.N, 1)))
	return errIn == nil && in <= b.Input && errOut == nil && (hi > 0 || uint64(out) <= most) &&
		u[hub.Images] <= b.Images && u[hub.Seconds] <= b.Seconds && u[hub.Characters] <= b.Characters &&
		u[hub.WebSearches] <= b.WebSearches && u[hub.Requests] <= max(b.Requests, 1)
}

// Hold is an upper bound of what any call within b can be charged, rounded up to
// nano-credits: every prompt token at the dearest input-side rate and every
// generated one at the dearest output-side rate, over the base and all tiers
// that a prompt of that size can reach, plus the other units and fees. It fails
// with ErrUnpriced when a bucket that the call may use has no rate.
func (p *Prices) Hold(b Bound) (money.Credits, error) {
	var sum money.Sum
	if err := p.holdTokens(&sum, &b, inputSide[:], b.Input, 1); err != nil {
		return 0, err
	}
	if err := p.holdTokens(&sum, &b, outputSide[:], b.Output, max(b.N, 1)); err != nil {
		return 0, err
	}
	units := [hub.NumBuckets]int64{
		hub.Images: b.Images, hub.Seconds: b.Seconds, hub.Characters: b.Characters,
		hub.WebSearches: b.WebSearches, hub.Requests: max(b.Requests, 1),
	}
	for bucket, n := range units {
		if n == 0 {
			continue
		}
		rate, err := p.dearest(hub.Bucket(bucket), b.Input)
		if err != nil {
			return 0, err
		}
		if err := sum.Add(n, rate); err != nil {
			return 0, fmt.Errorf("%s: %w", hub.Bucket(bucket), err)
		}
	}
	return sum.Hold()
}

// holdTokens adds tokens × times at the dearest rate of one side.
func (p *Prices) holdTokens(sum *money.Sum, b *Bound, side []hub.Bucket, tokens, times int64) error {
	if tokens == 0 {
		return nil
	}
	if tokens < 0 {
		return fmt.Errorf("%s: negative bound: %w", side[0], money.ErrOverflow)
	}
	var dearest money.Rate
	for _, bucket := range side {
		if b.Never[bucket] {
			continue
		}
		rate, err := p.dearest(bucket, b.Input)
		if err != nil {
			return err
		}
		dearest = max(dearest, rate)
	}
	hi, total := bits.Mul64(uint64(tokens), uint64(times))
	if hi != 0 || total > 1<<63-1 {
		return fmt.Errorf("%s: %d × %d tokens: %w", side[0], tokens, times, money.ErrOverflow)
	}
	return sum.Add(int64(total), dearest)
}

// dearest is the highest rate of a bucket over the base and the tiers that a
// prompt of at most that many tokens can reach. The base counts even where a
// tier applies for certain, since the real prompt may be shorter than its bound.
func (p *Prices) dearest(b hub.Bucket, prompt int64) (money.Rate, error) {
	best, _, ok := p.rate(b, nil)
	if !ok {
		return 0, unpriced(b)
	}
	for i := range p.Tiers {
		if prompt <= p.Tiers[i].AbovePrompt {
			continue
		}
		rate, _, _ := p.rate(b, &p.Tiers[i])
		best = max(best, rate)
	}
	return best, nil
}
