package rollup

import (
	"math/bits"
	"slices"
	"strconv"
)

// Histogram counts times in milliseconds in fixed classes: each whole number below
// 32, then 16 of equal width for every doubling, up to 37 hours, where longer ones
// are counted as well. The middle of a class is at most 1/32 (3.125 %) away from
// any time in it, and so is every percentile from the true one. Histograms add up
// without loss. The zero value is empty.
type Histogram struct {
	// By class, none empty: most rows have a few. Of more than wide there is one for
	// every class, at its place.
	bins []bin
}

const wide = 48

type bin struct {
	class int32
	n     int64
}

const (
	exactBelow = 32
	perDouble  = 16
	maxBits    = 27
	numClasses = exactBelow + (maxBits-5)*perDouble
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
	if len(h.bins) == numClasses {
		h.bins[class].n += n
		return
	}
	at, found := slices.BinarySearchFunc(h.bins, int32(class), func(b bin, c int32) int { return int(b.class - c) })
	switch {
	case found:
		h.bins[at].n += n
	case n != 0:
		h.bins = slices.Insert(h.bins, at, bin{int32(class), n})
		h.widen()
	}
}

func (h *Histogram) widen() {
	if len(h.bins) <= wide {
		return
	}
	few := h.bins
	h.bins = make([]bin, numClasses)
	for c := range h.bins {
		h.bins[c].class = int32(c)
	}
	for _, b := range few {
		h.bins[b.class] = b
	}
}

// append writes the classes behind a text, each after prefix
// unless that is 0.
func (h *Histogram) append(out []byte, prefix byte) []byte {
	for _, b := range h.bins {
		c, n := b.class, b.n
		if n == 0 {
			continue
		}
		if prefix != 0 {
			out = append(out, prefix)
		}
		out = append(out, byte('a'+c/letters), byte('a'+c%letters))
		if n != 1 {
			out = strconv.AppendInt(out, n, 10)
		}
	}
	return out
}

// Count is how many times were counted.
func (h *Histogram) Count() int64 {
	var n int64
	for _, b := range h.bins {
		n += b.n
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
	for _, b := range h.bins {
		if rank -= b.n; rank <= 0 {
			return middle(int(b.class)), true
		}
	}
	return 0, false
}

func (h *Histogram) merge(o *Histogram) {
	for _, b := range o.bins {
		if b.n != 0 {
			h.add(int(b.class), b.n)
		}
	}
}
