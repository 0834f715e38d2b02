package capture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// piece is a string of JSON in a stream that a longer text is made of.
type piece struct {
	from, to int // in the stream, quotes included
	meant    string
	hidden   string // what takes its place
}

// flowing are names of fields by which streams of all languages bring texts piece
// by piece.
var flowing = []string{"content", "text", "delta", "arguments", "partial_json", "thinking", "reasoning", "reasoning_content", "refusal", "signature"}

// stream takes out what is spread over several events of a stream: models write
// keys and addresses in pieces. The first piece says what was there.
func (r *redactor) stream(b []byte) []byte {
	texts := map[string][]*piece{}
	for at := 0; at < len(b); {
		end := len(b)
		if i := bytes.IndexByte(b[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if bytes.HasPrefix(b[at:end], []byte("data:")) {
			pieces(texts, string(b[at:end]), at)
		}
		at = end
	}
	var changed []*piece
	for _, name := range flowing {
		changed = append(changed, r.spread(texts[name])...)
	}
	if len(changed) == 0 {
		return b
	}
	slices.SortFunc(changed, func(a, b *piece) int { return cmp.Compare(a.from, b.from) })
	var out []byte
	at := 0
	for _, p := range changed {
		out = append(append(out, b[at:p.from]...), quote(p.hidden)...)
		at = p.to
	}
	return append(out, b[at:]...)
}

// pieces finds the strings of flowing fields in an event at an offset.
func pieces(texts map[string][]*piece, s string, offset int) {
	name := ""
	for i := 0; i < len(s); {
		open := strings.IndexByte(s[i:], '"')
		if open < 0 {
			return
		}
		i += open
		size := quoted(s[i:])
		var meant string
		if size == 0 || json.Unmarshal([]byte(s[i:i+size]), &meant) != nil {
			return
		}
		end := i + size
		if strings.HasPrefix(strings.TrimLeft(s[end:], " \t"), ":") {
			name = meant
		} else if slices.Contains(flowing, name) {
			texts[name] = append(texts[name], &piece{from: offset + i, to: offset + end, meant: meant})
			name = ""
		}
		i = end
	}
}

// spread takes out what the text of several pieces has, and returns the pieces that
// are others now.
func (r *redactor) spread(all []*piece) (changed []*piece) {
	if len(all) < 2 {
		return nil
	}
	var text strings.Builder
	starts := make([]int, len(all))
	for i, p := range all {
		starts[i] = text.Len()
		text.WriteString(p.meant)
	}
	joined := text.String()
	gone := make([]string, len(joined)) // by byte: what it is part of
	lower, digits := strings.ToLower(joined), countDigits(joined)
	for i := range patterns {
		p := &patterns[i]
		if !r.kinds[p.kind] || !p.possible(lower, digits) {
			continue
		}
		for _, m := range p.re.FindAllStringSubmatchIndex(joined, -1) {
			from, to := m[2*p.group], m[2*p.group+1]
			if gone[from] != "" || p.is != nil && !p.is(joined[from:to]) {
				continue
			}
			r.found[p.kind]++
			for i := from; i < to; i++ {
				gone[i] = p.kind
			}
			gone[from] = "[" + p.kind + "]"
		}
	}
	for i, p := range all {
		var out strings.Builder
		for j := range len(p.meant) {
			switch what := gone[starts[i]+j]; {
			case what == "":
				out.WriteByte(p.meant[j])
			case what[0] == '[':
				out.WriteString(what)
			}
		}
		if p.hidden = out.String(); p.hidden != p.meant {
			changed = append(changed, p)
		}
	}
	return changed
}

// quote is a string as JSON.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
