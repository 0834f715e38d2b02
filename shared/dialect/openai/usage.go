package openai

import (
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// counts are a usage object's figures as they stand on the wire, where they
// overlap (https://platform.openai.com/docs/api-reference/chat/object).
type counts struct {
	prompt, completion, total       int64
	cached, written, audioIn, imgIn int64
	reasoning, audioOut, imgOut     int64
	hit, miss, searches             int64
	sources                         int64 // Perplexity: tokens of what was found, beside the prompt
	known                           bool
}

// readUsage turns a raw usage object into disjoint buckets. ok is false when it
// holds no token figure (null, {}).
func readUsage(raw []byte, q dialect.Quirks) (u hub.Usage, ok bool) {
	var n counts
	c := cursor{b: raw}
	if !c.enter('{') {
		return u, false
	}
	for {
		key, more := c.key()
		if !more {
			break
		}
		switch string(key) {
		case "prompt_tokens":
			n.known = c.count(&n.prompt) || n.known
		case "completion_tokens":
			n.known = c.count(&n.completion) || n.known
		case "total_tokens":
			n.known = c.count(&n.total) || n.known
		case "prompt_tokens_details":
			n.promptDetails(c.value())
		case "completion_tokens_details":
			n.completionDetails(c.value())
		case "prompt_cache_hit_tokens": // DeepSeek
			c.count(&n.hit)
		case "prompt_cache_miss_tokens": // DeepSeek
			c.count(&n.miss)
		case "cached_tokens": // Moonshot
			c.count(&n.hit)
		case "num_search_queries": // Perplexity
			c.count(&n.searches)
		case "citation_tokens": // Perplexity
			c.count(&n.sources)
		case "reasoning_tokens": // Perplexity, Together
			c.count(&n.reasoning)
		case "server_tool_use": // OpenRouter
			n.serverTools(c.value())
		default:
			c.value()
		}
	}
	if c.bad || !n.known {
		return u, false
	}
	return n.buckets(q), true
}

func (c *cursor) count(into *int64) bool {
	n, ok := count(c.value())
	if ok {
		*into = n
	}
	return ok
}

func (n *counts) promptDetails(raw []byte) {
	eachMember(raw, func(key []byte, c *cursor) {
		switch string(key) {
		case "cached_tokens":
			c.count(&n.cached)
		case "cache_write_tokens": // OpenRouter
			c.count(&n.written)
		case "audio_tokens":
			c.count(&n.audioIn)
		case "image_tokens": // xAI
			c.count(&n.imgIn)
		default:
			c.value()
		}
	})
}

func (n *counts) completionDetails(raw []byte) {
	eachMember(raw, func(key []byte, c *cursor) {
		switch string(key) {
		case "reasoning_tokens":
			c.count(&n.reasoning)
		case "audio_tokens":
			c.count(&n.audioOut)
		case "image_tokens": // OpenRouter
			c.count(&n.imgOut)
		default:
			c.value()
		}
	})
}

func (n *counts) serverTools(raw []byte) {
	eachMember(raw, func(key []byte, c *cursor) {
		if string(key) == "web_search_requests" {
			c.count(&n.searches)
			return
		}
		c.value()
	})
}

// eachMember calls f for every member of a raw object; f must step over the
// value. Anything but an object has no members.
func eachMember(raw []byte, f func(key []byte, c *cursor)) {
	c := cursor{b: raw}
	if !c.enter('{') {
		return
	}
	for {
		key, more := c.key()
		if !more {
			return
		}
		f(key, &c)
	}
}

// buckets parts the overlapping figures. Details never exceed what they are
// part of: a lying provider's sums stay what it bills.
func (n *counts) buckets(q dialect.Quirks) (u hub.Usage) {
	if n.prompt == 0 {
		n.prompt = n.hit + n.miss
	}
	take := func(rest *int64, want int64) int64 {
		got := min(want, *rest)
		*rest -= got
		return got
	}
	rest := n.prompt
	u[hub.CacheRead] = take(&rest, max(n.cached, n.hit))
	u[hub.CacheWrite5m] = take(&rest, n.written)
	u[hub.InputAudio] = take(&rest, n.audioIn)
	u[hub.InputImage] = take(&rest, n.imgIn)
	u[hub.Input] = rest + n.sources // read at the price of a prompt

	rest = n.completion
	if n.reasoningExtra(q) {
		rest += n.reasoning
	}
	u[hub.Reasoning] = take(&rest, n.reasoning)
	u[hub.OutputAudio] = take(&rest, n.audioOut)
	u[hub.OutputImage] = take(&rest, n.imgOut)
	u[hub.Output] = rest
	u[hub.WebSearches] = n.searches
	return u
}

// reasoningExtra tells whether reasoning stands beside completion_tokens. The
// total, where it is given, decides over what is known of the vendor.
// Thinking that is more than the completion, or stands beside counted sources
// (Perplexity's deep research), is no part of it whatever the total says.
func (n *counts) reasoningExtra(q dialect.Quirks) bool {
	if n.reasoning > n.completion || n.sources > 0 {
		return true
	}
	switch n.total {
	case n.prompt + n.completion:
		return false
	case n.prompt + n.completion + n.reasoning:
		return true
	}
	return q.ReasoningExtra
}

// usageOut is usage as callers of this language read it: prompt and completion
// include their parts.
type usageOut struct {
	PromptTokens     int64 `json:"prompt_tokens"`
	CompletionTokens int64 `json:"completion_tokens"`
	TotalTokens      int64 `json:"total_tokens"`
	PromptDetails    struct {
		Cached  int64 `json:"cached_tokens"`
		Written int64 `json:"cache_write_tokens,omitempty"`
		Audio   int64 `json:"audio_tokens"`
		Image   int64 `json:"image_tokens,omitempty"`
	} `json:"prompt_tokens_details"`
	CompletionDetails struct {
		Reasoning int64 `json:"reasoning_tokens"`
		Audio     int64 `json:"audio_tokens"`
		Image     int64 `json:"image_tokens,omitempty"`
	} `json:"completion_tokens_details"`
	ServerTools *serverToolsOut `json:"server_tool_use,omitempty"`
}

// serverToolsOut is OpenRouter's count of searches that were billed.
type serverToolsOut struct {
	WebSearches int64 `json:"web_search_requests"`
}

func usageFor(u hub.Usage) usageOut {
	var o usageOut
	o.PromptTokens, o.CompletionTokens = u.Prompt(), u.Completion()
	o.TotalTokens = o.PromptTokens + o.CompletionTokens
	o.PromptDetails.Cached = u[hub.CacheRead]
	o.PromptDetails.Written = u[hub.CacheWrite5m] + u[hub.CacheWrite1h]
	o.PromptDetails.Audio = u[hub.InputAudio]
	o.CompletionDetails.Reasoning = u[hub.Reasoning]
	o.CompletionDetails.Audio = u[hub.OutputAudio]
	o.PromptDetails.Image, o.CompletionDetails.Image = u[hub.InputImage], u[hub.OutputImage]
	if n := u[hub.WebSearches]; n > 0 {
		o.ServerTools = &serverToolsOut{n}
	}
	return o
}
