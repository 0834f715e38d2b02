package openai

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// audio of an answer, as raw values.
type audio struct{ id, data, transcript, expires []byte }

func audioIn(raw []byte) (a audio) {
	eachMember(raw, func(key []byte, c *cursor) {
		switch v := c.value(); string(key) {
		case "id":
			a.id = v
		case "data":
			a.data = v
		case "transcript":
			a.transcript = v
		case "expires_at":
			a.expires = v
		}
	})
	return a
}

// media gives sound and pictures on. Neither says its format; streams are
// always PCM (https://platform.openai.com/docs/guides/audio), whole answers
// what the request asked for, which is taken to be WAV.
func (d *decoder) media(ch *choice) {
	if ch.audio != nil {
		a := audioIn(ch.audio)
		m := &chat.Media{MIME: "audio/pcm", Data: wire.Text(a.data), FileID: wire.Text(a.id), Transcript: wire.Text(a.transcript)}
		m.ExpiresAt, _ = count(a.expires)
		if d.whole {
			m.MIME = "audio/wav"
		}
		d.emit(chat.Event{Kind: chat.EventMedia, Media: m})
	}
	c := cursor{b: ch.images}
	if !c.enter('[') {
		return
	}
	for c.item() {
		eachMember(c.value(), func(key []byte, c *cursor) {
			v := c.value()
			if string(key) != "image_url" {
				return
			}
			eachMember(v, func(key []byte, c *cursor) {
				if u := c.value(); string(key) == "url" && isString(u) {
					d.emit(chat.Event{Kind: chat.EventMedia, Media: mediaAt(wire.Text(u))})
				}
			})
		})
		if c.bad {
			return
		}
	}
}

// mediaAt reads a URL that may hold the content itself (RFC 2397).
func mediaAt(link string) *chat.Media {
	rest, ok := cutScheme(link, "data:")
	if !ok {
		return &chat.Media{URL: link}
	}
	head, data, _ := strings.Cut(rest, ",")
	mime, params, _ := strings.Cut(head, ";")
	if params == "base64" || strings.HasSuffix(params, ";base64") {
		return &chat.Media{MIME: mime, Data: data}
	}
	if plain, err := url.PathUnescape(data); err == nil {
		data = plain
	}
	if mime == "" {
		mime = "text/plain"
	}
	return &chat.Media{MIME: mime, Data: base64.StdEncoding.EncodeToString([]byte(data))}
}

func cutScheme(s, scheme string) (string, bool) {
	if len(s) < len(scheme) || !strings.EqualFold(s[:len(scheme)], scheme) {
		return s, false
	}
	return s[len(scheme):], true
}

func isHTTP(link string) bool {
	_, plain := cutScheme(link, "http://")
	_, tls := cutScheme(link, "https://")
	return plain || tls
}

func dataURL(m *chat.Media, fallback string) string {
	mime := m.MIME
	if mime == "" {
		mime = fallback
	}
	return "data:" + mime + ";base64," + m.Data
}
