package archive

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// sumUp is what rows come to. It fails on calls without a row of usage: they are
// not fit to be moved.
func sumUp(rows store.CallRows) (store.ArchiveSums, error) {
	s := store.ArchiveSums{Calls: int64(len(rows.Calls.Values)), Credits: rows.Calls.Sum("credits_nano"), Cost: rows.Calls.Sum("cost_nano"),
		Usages: int64(len(rows.Usage.Values)), Attempts: int64(len(rows.Attempts.Values)), Slices: int64(len(rows.Slices.Values))}
	if s.Usages != s.Calls {
		return s, fmt.Errorf("%d calls have %d rows of usage", s.Calls, s.Usages)
	}
	billing, credits := rows.Calls.Column("billing"), rows.Calls.Column("credits_nano")
	for _, v := range rows.Calls.Values {
		if v[billing] == int64(1) {
			s.Billed++
			n, _ := v[credits].(int64)
			s.Charged += n
		}
	}
	for _, r := range rows.Tables() {
		addDigest(&s.Digest, r)
	}
	return s, nil
}

// addDigest adds each row's SHA-256, taken apart into 32-bit words. It covers the
// columns by their names and leaves out what is NULL, 0 or empty: a column that a
// later version adds changes nothing, as long as it defaults to one of these.
func addDigest(sum *[8]int64, r *store.Rows) {
	order := make([]int, len(r.Columns))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if r.Columns[a] < r.Columns[b] {
			return -1
		}
		return 1
	})
	h := sha256.New()
	var buf []byte
	for _, row := range r.Values {
		h.Reset()
		buf = append(append(buf[:0], r.Table...), 0)
		for _, i := range order {
			buf = appendValue(buf, r.Columns[i], row[i])
		}
		h.Write(buf)
		addWords(sum, h)
	}
}

// appendValue writes a column so that no two rows look alike: texts have their
// lengths before them.
func appendValue(buf []byte, column string, value any) []byte {
	switch v := value.(type) {
	case int64:
		if v == 0 {
			return buf
		}
		buf = append(append(buf, column...), '=')
		buf = strconv.AppendInt(buf, v, 10)
	case string:
		if v == "" {
			return buf
		}
		buf = append(append(buf, column...), ':')
		buf = append(strconv.AppendInt(buf, int64(len(v)), 10), ':')
		buf = append(buf, v...)
	default:
		return buf
	}
	return append(buf, 0)
}

func addWords(sum *[8]int64, h hash.Hash) {
	var out [sha256.Size]byte
	h.Sum(out[:0])
	for i := range sum {
		sum[i] += int64(binary.BigEndian.Uint32(out[i*4:]))
	}
}
