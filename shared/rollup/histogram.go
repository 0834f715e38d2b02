package rollup

import (
	"math/bits"
	"strconv"
)

// Histogram counts times in milliseconds in fixed classes: each whole number below
// 32, then 16 of equal width for every doubling, up to 37 hours, where longer ones
// are counted as well. The middle of a class is at most 1/32 (3.125 %) away from
// any time in it, and so is every percentile from the true one. Histograms add up
// without loss. The zero value is empty.
//
// As text each class that is not empty is two letters, followed by the count
// unless that is 1. Texts put one after another are the text of the sum.
type Histogram struct {
	counts []int64 // by class; as long as needed
}

const (
	exactBelow = 32
	perDouble  = 16
	maxBits    = 27
	numClasses = exactBelow + (maxBits-5)*perDouble
	letters    = 24 // of the second letter, A to X; the first is a to p
)

// class is where a time is counted.
func class(ms int64) int {
	ms = min(max(ms, 0), 1<<maxBits-1)
	if ms < exactBelow {
		return int(ms)
	}
	shift := bits.Len64(uint64(ms)) - 5
	return exactBelow + (shift-1)*perDouble + int(ms>>shift) - perDouble
}

// middle is the time that a class stands for.
func middle(class int) int64 {
	if class < exactBelow {
		return int64(class)
	}
	shift := (class-exactBelow)/perDouble + 1
	low := int64((class-exactBelow)%perDouble+perDouble) << shift
	return low + (1<<shift-1)/2
}

// Add counts a time.
func (h *Histogram) Add(ms int64) { h.add(class(ms), 1) }

func (h *Histogram) add(class int, n int64) {
	if class >= len(h.counts) {
		h.counts = append(h.counts, make([]int64, class+1-len(h.counts))...)
	}
	h.counts[class] += n
}

// AddText adds a histogram that was written as text. What is no such text is left
// out.
func (h *Histogram) AddText(text string) {
	for i := 0; i+1 < len(text); {
		first, second := int(text[i])-'a', int(text[i+1])-'A'
		i += 2
		n, digits := int64(0), false
		for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
			n, digits = 10*n+int64(text[i]-'0'), true
		}
		if !digits {
			n = 1
		}
		if c := first*letters + second; first >= 0 && second >= 0 && second < letters && c < numClasses {
			h.add(c, n)
		}
	}
}

// String is the histogram as text, always the same of the same counts.
func (h *Histogram) String() string {
	var out []byte
	for c, n := range h.counts {
		if n == 0 {
			continue
		}
		out = append(out, byte('a'+c/letters), byte('A'+c%letters))
		if n != 1 {
			out = strconv.AppendInt(out, n, 10)
		}
	}
	return string(out)
}

// Count is how many times were counted.
func (h *Histogram) Count() int64 {
	var n int64
	for _, c := range h.counts {
		n += c
	}
	return n
}

// Percentile is the time that so many of a thousand did not exceed (nearest rank);
// ok is false when there are none.
func (h *Histogram) Percentile(perMille int64) (ms int64, ok bool) {
	n := h.Count()
	if n == 0 {
		return 0, false
	}
	const all = 1000
	rank := max(1, (n*perMille+all-1)/all)
	for c, count := range h.counts {
		if rank -= count; rank <= 0 {
			return middle(c), true
		}
	}
	return 0, false
}

func (h *Histogram) merge(o *Histogram) {
	for c, n := range o.counts {
		if n != 0 {
			h.add(c, n)
		}
	}
}
