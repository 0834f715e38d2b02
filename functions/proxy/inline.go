package proxy

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const (
	maxInlined      = 20       // files of a conversation that are fetched
	maxInlinedBytes = 20 << 20 // of each of them
)

// typesOf are the media types that a part may hold.
var typesOf = map[chat.PartKind][]string{
	chat.Image: {"image/"},
	chat.Audio: {"audio/", "video/"},
	chat.File:  {"application/pdf", "text/", "application/json", "image/", "audio/", "video/"},
}

// inlined returns the conversation with the content of files that the client side
// cannot pass on by URL. The caller's is not changed: other targets may take it
// as it is.
func (h *handler) inlined(ctx context.Context, client dialect.Client, req *chat.Request) (*chat.Request, error) {
	taker, ok := client.(dialect.MediaTaker)
	if !ok {
		return req, nil
	}
	type found struct {
		at   string
		part *chat.Part
	}
	var fetch []found
	out := *req
	out.Messages = append([]chat.Message(nil), req.Messages...)
	var look func(at string, parts []chat.Part) []chat.Part
	look = func(at string, parts []chat.Part) []chat.Part {
		parts = append([]chat.Part(nil), parts...)
		for i := range parts {
			p, here := &parts[i], fmt.Sprintf("%s.content[%d]", at, i)
			switch {
			case p.ToolResult != nil:
				r := *p.ToolResult
				r.Parts = look(here, r.Parts)
				p.ToolResult = &r
			case p.Media != nil && p.Media.Data == "" && foreign(p.Media.URL) && !taker.TakesURL(p.Kind, p.Media):
				fetch = append(fetch, found{here, p})
			}
		}
		return parts
	}
	for i := range out.Messages {
		out.Messages[i].Parts = look(fmt.Sprintf("messages[%d]", i), out.Messages[i].Parts)
	}
	if len(fetch) == 0 {
		return req, nil
	}
	if len(fetch) > maxInlined {
		return nil, hub.Invalid("messages", "The conversation names %d URLs that the hub would have to fetch for this model; %d is the most.", len(fetch), maxInlined)
	}
	err := inTurn(len(fetch), func(i int) error {
		p := fetch[i].part
		got, err := h.Fetch.Get(ctx, p.Media.URL, maxInlinedBytes, typesOf[p.Kind]...)
		if err != nil {
			return blame(err, fetch[i].at)
		}
		m := *p.Media
		m.URL, m.Data = "", base64.StdEncoding.EncodeToString(got.Data)
		if m.MIME == "" {
			m.MIME = got.Type
		}
		p.Media = &m
		return nil
	})
	if err != nil {
		return nil, hub.AsError(err)
	}
	return &out, nil
}

// foreign reports a URL that leads elsewhere, not to content within itself.
func foreign(url string) bool { return url != "" && !strings.HasPrefix(url, "data:") }
