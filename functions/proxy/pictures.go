package proxy

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

const (
	maxPicture    = 20 << 20 // bytes of a picture that is fetched
	fetchesAtOnce = 4
)

// inTurn does n things, a few at once, and returns the first error.
func inTurn(n int, do func(i int) error) error {
	var all sync.WaitGroup
	free := make(slots, fetchesAtOnce)
	failed := make([]error, n)
	for i := range n {
		free <- struct{}{}
		all.Go(func() {
			defer free.give()
			failed[i] = do(i)
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// withFiles returns the request as a client side can express it: files that came
// by URL are fetched where it takes none. What the caller sent is not changed.
func (h *handler) withFiles(ctx context.Context, client any, req *task.Request, t dialect.Target) (*task.Request, error) {
	takes := func(f *task.File) bool {
		c, ok := client.(dialect.URLTaker)
		return ok && c.TakesURL(req.Kind, f, t)
	}
	var fetch []*task.File
	note := func(f *task.File) {
		if f != nil && f.URL != "" && len(f.Data) == 0 && !takes(f) {
			fetch = append(fetch, f)
		}
	}
	out := *req
	name := "image"
	switch {
	case req.Image != nil:
		image := *req.Image
		image.Inputs = append([]task.File(nil), image.Inputs...)
		image.Mask = clone(image.Mask)
		for i := range image.Inputs {
			note(&image.Inputs[i])
		}
		note(image.Mask)
		out.Image = &image
	case req.Film != nil:
		film := *req.Film
		film.References = append([]task.File(nil), film.References...)
		film.First, film.Last = clone(film.First), clone(film.Last)
		for i := range film.References {
			note(&film.References[i])
		}
		note(film.First)
		note(film.Last)
		out.Film, name = &film, "input_reference"
	}
	err := inTurn(len(fetch), func(i int) error {
		got, err := h.Fetch.Get(ctx, fetch[i].URL, maxPicture, "image/")
		fetch[i].Data, fetch[i].MIME = got.Data, got.Type
		return err
	})
	if err != nil {
		return nil, blame(err, req.ParamName(name))
	}
	return &out, nil
}

func clone(f *task.File) *task.File {
	if f == nil {
		return nil
	}
	c := *f
	return &c
}

// blame names the field whose URL could not be fetched.
func blame(err error, param string) error {
	e := *hub.AsError(err)
	if e.Code == hub.CodeInvalid {
		e.Param = param
	}
	return &e
}

// canLink refuses links where the hub has no place for the files behind them.
func (h *handler) canLink(req *task.Request) error {
	wants := req.Image != nil && req.Image.URL || req.Film != nil && req.Film.URL
	if wants && (h.Blobs == nil || h.Blobs.Place == nil) {
		name := req.ParamName("response_format")
		return hub.Invalid(name, "%s: this hub has no place for files, so it cannot answer with URLs; ask for the content itself.", name)
	}
	return nil
}

// deliver brings pictures into the form that was asked for: content that is only
// linked is fetched, since providers' links end soon and name them, and content
// that is to be linked is kept.
func (x *errand) deliver(res *task.Result) *hub.Error {
	if x.view.Request.Image == nil {
		return nil
	}
	link := x.view.Request.Image.URL
	err := inTurn(len(res.Pictures), func(i int) error { return x.deliverOne(&res.Pictures[i].File, link) })
	if err != nil {
		return hub.AsError(err)
	}
	return nil
}

func (x *errand) deliverOne(f *task.File, link bool) error {
	if len(f.Data) == 0 {
		got, err := x.h.Fetch.Get(x.upstream, f.URL, maxPicture, "image/")
		switch {
		case err == nil:
			f.Data, f.MIME = got.Data, got.Type
		case link:
			return nil // the provider's own link is better than nothing
		default:
			return brokenAnswer(err)
		}
	}
	if !link {
		return nil
	}
	var err error
	f.URL, err = x.h.keep(x.r, x.caller.UserID, x.ticket.CallID, f)
	return err
}

// keep stores a file and returns a link to it.
func (h *handler) keep(r *http.Request, userID, callID string, f *task.File) (string, error) {
	name, err := h.Blobs.Put(context.WithoutCancel(r.Context()), userID, callID, f.Type(), f.Data)
	if err != nil {
		return "", hub.Wrap(hub.CodeUnavailable, err, "The file could not be kept; try again, or ask for the content itself.")
	}
	return h.origin(r) + mediaPath + name, nil
}

// origin is what links begin with: the hub's public URL, where it is known; else
// the address that the caller used.
func (h *handler) origin(r *http.Request) string {
	if h.PublicURL != "" {
		return h.PublicURL
	}
	scheme := "http"
	if r.TLS != nil || strings.EqualFold(r.URL.Scheme, "https") {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
