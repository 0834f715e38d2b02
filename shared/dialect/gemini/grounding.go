package gemini

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// citation is an annotation as OpenAI spells it, which is the canonical form.
// Places are counted in characters of the answer's text.
type citation struct {
	Type string `json:"type"`
	URL  struct {
		Start int    `json:"start_index"`
		End   int    `json:"end_index"`
		Title string `json:"title"`
		URL   string `json:"url"`
	} `json:"url_citation"`
}

// grounding is GroundingMetadata, with the citationMetadata beside it. Places
// are counted in bytes of a part's text.
type grounding struct {
	WebSearchQueries []json.RawMessage `json:"webSearchQueries"`
	Chunks           []struct {
		Web     source `json:"web"`
		Context source `json:"retrievedContext"`
		Maps    source `json:"maps"`
	} `json:"groundingChunks"`
	Supports []struct {
		Segment segment `json:"segment"`
		Chunks  []int   `json:"groundingChunkIndices"`
	} `json:"groundingSupports"`
}

type source struct {
	URI   string `json:"uri"`
	Title string `json:"title"`
}

type segment struct {
	PartIndex  int    `json:"partIndex,omitempty"`
	StartIndex int    `json:"startIndex"`
	EndIndex   int    `json:"endIndex"`
	Text       string `json:"text,omitempty"`
}

type citations struct {
	Sources []citedPlace `json:"citationSources"`
	Vertex  []citedPlace `json:"citations"` // Vertex's name for them
}

type citedPlace struct {
	segment
	source
}

// annotations makes citations of what the model's answer rests on. text is the
// text so far; parts are its pieces. A source that supports no certain place is
// cited without one.
func (g *grounding) annotations(cited citations, text string) json.RawMessage {
	var out []citation
	add := func(src source, seg segment) {
		if src.URI == "" {
			return
		}
		c := citation{Type: "url_citation"}
		c.URL.URL, c.URL.Title = src.URI, src.Title
		c.URL.Start, c.URL.End = seg.characters(text)
		out = append(out, c)
	}
	used := map[int]bool{}
	for _, s := range g.Supports {
		for _, i := range s.Chunks {
			if i >= 0 && i < len(g.Chunks) {
				used[i] = true
				add(g.source(i), s.Segment)
			}
		}
	}
	for i := range g.Chunks {
		if !used[i] {
			add(g.source(i), segment{})
		}
	}
	for _, s := range append(cited.Sources, cited.Vertex...) {
		add(s.source, s.segment)
	}
	if len(out) == 0 {
		return nil
	}
	return encodeJSON(out)
}

func (g *grounding) source(i int) source {
	c := &g.Chunks[i]
	for _, s := range []source{c.Web, c.Context, c.Maps} {
		if s.URI != "" {
			return s
		}
	}
	return source{}
}

// characters finds a segment in the whole text: its bytes count within a part,
// so its own text, where given, must stand there.
func (s segment) characters(text string) (start, end int) {
	from, to := s.StartIndex, s.EndIndex
	if from < 0 || to > len(text) || from >= to || s.Text != "" && text[from:to] != s.Text {
		if from = strings.Index(text, s.Text); s.Text == "" || from < 0 {
			return 0, 0
		}
		to = from + len(s.Text)
	}
	return utf8.RuneCountInString(text[:from]), utf8.RuneCountInString(text[:to])
}

type groundingOut struct {
	Chunks   []chunkOut   `json:"groundingChunks"`
	Supports []supportOut `json:"groundingSupports,omitempty"`
}

type chunkOut struct {
	Web source `json:"web"`
}

type supportOut struct {
	Segment segment `json:"segment"`
	Chunks  []int   `json:"groundingChunkIndices"`
}

// groundingFor is the way back, nil when there is nothing to cite.
func groundingFor(annotations json.RawMessage, text string) *groundingOut {
	var all []citation
	if !present(annotations) || json.Unmarshal(annotations, &all) != nil {
		return nil
	}
	var out groundingOut
	known := map[source]int{}
	for _, c := range all {
		src := source{URI: c.URL.URL, Title: c.URL.Title}
		if src.URI == "" {
			continue
		}
		i, seen := known[src]
		if !seen {
			i = len(out.Chunks)
			known[src] = i
			out.Chunks = append(out.Chunks, chunkOut{src})
		}
		if seg, ok := bytesOf(text, c.URL.Start, c.URL.End); ok {
			out.Supports = append(out.Supports, supportOut{seg, []int{i}})
		}
	}
	if len(out.Chunks) == 0 {
		return nil
	}
	return &out
}

func bytesOf(text string, start, end int) (segment, bool) {
	s := segment{StartIndex: -1, EndIndex: -1}
	n := 0
	for at := range text {
		if n == start {
			s.StartIndex = at
		}
		if n == end {
			s.EndIndex = at
		}
		n++
	}
	if n == end {
		s.EndIndex = len(text)
	}
	if s.StartIndex < 0 || s.EndIndex <= s.StartIndex {
		return s, false
	}
	s.Text = text[s.StartIndex:s.EndIndex]
	return s, true
}
