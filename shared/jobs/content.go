package jobs

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Content is what a job made, to be read and closed.
type Content struct {
	Status int         // 200, or 206 for a part
	Header http.Header // type, length and range
	Body   io.ReadCloser
}

// Open begins to read the film of a job that succeeded. header may hold a Range;
// variant, other than "" and "video", asks for what only some providers keep
// beside the film (OpenAI: thumbnail, spritesheet).
func (f *Follower) Open(ctx context.Context, row store.Job, header http.Header, variant string) (*Content, error) {
	s, err := f.side(&row)
	if err != nil {
		return nil, err
	}
	state, err := f.state(ctx, &s, &row)
	if err != nil {
		return nil, err
	}
	if len(state.Films) == 0 {
		return nil, hub.Errorf(hub.CodeNotFound, "The provider no longer keeps this video.")
	}
	film := state.Films[0]
	enc, below := s.client.Content(row.ProviderJob, film, s.to)
	if variant != "" && variant != "video" {
		if !below || film.URL != "" {
			return nil, hub.Invalid("variant", "This video's provider keeps the video only.")
		}
		enc.Path += "?variant=" + url.QueryEscape(variant)
	}
	if len(film.Data) > 0 {
		return &Content{Status: http.StatusOK, Body: io.NopCloser(bytes.NewReader(film.Data)), Header: http.Header{
			"Content-Type": {film.MIME}, "Content-Length": {strconv.Itoa(len(film.Data))}}}, nil
	}
	res, err := f.download(ctx, &s, enc, below, film.URL, header) //nolint:bodyclose // whoever reads the content closes it
	if err != nil {
		return nil, err
	}
	c := &Content{Status: res.StatusCode, Header: http.Header{}, Body: res.Body}
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Range", "Accept-Ranges"} {
		if v := res.Header.Get(name); v != "" {
			c.Header.Set(name, v)
		}
	}
	return c, nil
}

// download gets the film below the provider's base URL, or at its own URL.
func (f *Follower) download(ctx context.Context, s *side, enc dialect.TaskEncoded, below bool, at string, header http.Header) (*http.Response, error) {
	if below {
		req := request(enc)
		if part := header.Get("Range"); part != "" {
			req.Header = http.Header{"Range": {part}}
		}
		return f.Upstream.Download(ctx, f.Fetch, s.target, s.key, req, s.fault)
	}
	res, err := f.Fetch.Open(ctx, at, header)
	if err != nil { // not the caller's URL, and not the caller's fault
		return nil, &hub.Error{Code: hub.CodeUpstream, Status: http.StatusBadGateway, Cause: err, Message: "The provider's file cannot be read."}
	}
	return res, nil
}
