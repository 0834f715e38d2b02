package aigne

import (
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

// The lifetimes of a prompt cache.
const (
	ttlShort = "5m"
	ttlLong  = "1h"
)

// secondsPerHour is from where on a lifetime in seconds is the long one.
const secondsPerHour = 3600

// cacheControl reads {type: "ephemeral", ttl} beside a message, a part or a
// tool, nil when absent. REST callers may spell it in snake_case.
func cacheControl(f *fields) *chat.Cache {
	o := f.object("cacheControl")
	if o == nil {
		return nil
	}
	if kind := o.str("type"); kind != "" && kind != "ephemeral" {
		f.r.fail(o.at("type"), "must be ephemeral")
	}
	return &chat.Cache{TTL: ttl(o)}
}

// ttl reads "5m", "1h" or a number of seconds; the short one when absent.
func ttl(o *fields) string {
	raw, at := o.raw("ttl")
	if raw == nil {
		return ttlShort
	}
	if raw[0] == '"' {
		word := o.str("ttl")
		if word != ttlShort && word != ttlLong {
			o.r.fail(at, "must be 5m, 1h or a number of seconds")
		}
		return word
	}
	seconds, ok := dialect.Whole(raw)
	if !ok || seconds < 0 {
		o.r.fail(at, "must be 5m, 1h or a number of seconds")
	}
	if seconds >= secondsPerHour {
		return ttlLong
	}
	return ttlShort
}

// cache turns modelOptions.cacheConfig into breakpoints: by default after the
// last tool, the last system message and the last message; only those that the
// caller set with strategy manual, none with enabled false. Without a
// cacheConfig the caller's own breakpoints stand and none is added, since
// writing a cache costs more than plain input.
func (d *decoder) cache(options *fields) {
	config := options.object("cacheConfig")
	if config == nil {
		return
	}
	enabled := config.boolean("enabled")
	strategy := config.str("strategy")
	life := ttl(config)
	switch {
	case enabled != nil && !*enabled:
		d.forgetCaches()
		return
	case strategy == "manual":
		return
	case strategy != "" && strategy != "auto":
		d.r.fail(config.at("strategy"), "must be auto or manual")
		return
	}
	d.forgetCaches()
	points := config.object("autoBreakpoints")
	on := func(name string) bool {
		if points == nil {
			return true
		}
		b := points.boolean(name)
		return b == nil || *b
	}
	if n := len(d.req.Tools); n > 0 && on("tools") {
		d.req.Tools[n-1].Cache = &chat.Cache{TTL: life}
	}
	if on("system") {
		d.markLast(life, func(m chat.Message) bool { return m.Role == chat.System || m.Role == chat.Developer })
	}
	if on("lastMessage") {
		d.markLast(life, func(chat.Message) bool { return true })
	}
}

// markLast puts a breakpoint after the last message of a kind.
func (d *decoder) markLast(life string, is func(chat.Message) bool) {
	for _, m := range slices.Backward(d.req.Messages) {
		if is(m) {
			m.Parts[len(m.Parts)-1].Cache = &chat.Cache{TTL: life}
			return
		}
	}
}

func (d *decoder) forgetCaches() {
	for i := range d.req.Tools {
		d.req.Tools[i].Cache = nil
	}
	for _, m := range d.req.Messages {
		for i := range m.Parts {
			m.Parts[i].Cache = nil
		}
	}
}
