// Package apps gets to know the applications that call: which ones calls name,
// and what their own pages say of them. It works beside the calls, never in
// their way.
package apps

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

const (
	batch      = 5000 // calls read at once
	batches    = 60   // in one run
	mostApps   = 10_000
	fetchesRun = 20 // pages asked in one run
	fetchTime  = 10 * time.Second
	maxPage    = 1 << 20
	// settled is how old calls are that are looked at: ids of younger ones need not
	// have come in their order.
	settled = time.Minute

	renewNamed   = 7 * 24 * time.Hour
	renewUnnamed = 2 * 24 * time.Hour

	maxName  = 100 // characters
	maxURL   = 1000
	maxError = 200
)

// horizonSetting names the last call that was looked at.
const horizonSetting = "apps_seen_through"

// Finder finds applications.
type Finder struct {
	Store *store.Store
	// Fetch gets a page; it must guard against addresses inside.
	Fetch func(ctx context.Context, url string, most int64, kinds ...string) (upstream.Fetched, error)
	// Domain is below which applications are found by their DIDs; "": none is asked.
	Domain string
	Now    hub.Now
	Log    *slog.Logger
}

// Run looks at the calls since the last run and asks the pages that are due.
func (f *Finder) Run(ctx context.Context) error {
	return errors.Join(f.notice(ctx), f.ask(ctx))
}

// notice stores the applications that calls named. Callers can make up names, so
// their number is bounded.
func (f *Finder) notice(ctx context.Context) error {
	after, err := f.Store.Setting(ctx, horizonSetting)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	known, err := f.Store.CountApps(ctx, mostApps)
	if err != nil {
		return err
	}
	noted := map[string]bool{}
	for range batches {
		calls, err := f.Store.CalledApps(ctx, after, f.Now().Add(-settled), batch)
		if err != nil || len(calls) == 0 {
			return err
		}
		var seen []store.SeenApp
		for _, c := range calls {
			if c.AppID == "" || noted[c.AppID] {
				continue
			}
			if known+len(noted) >= mostApps {
				f.Log.Warn("there are too many applications; new ones are not listed", "most", mostApps)
				break
			}
			noted[c.AppID] = true
			seen = append(seen, store.SeenApp{ID: c.AppID, At: c.At, Fetch: f.page(c.AppID) != ""})
		}
		if err := f.Store.NoteApps(ctx, seen); err != nil {
			return err
		}
		after = calls[len(calls)-1].CallID
		if err := f.Store.SetSetting(ctx, horizonSetting, after); err != nil {
			return err
		}
		if len(calls) < batch {
			return nil
		}
	}
	return nil
}

// page is where an application tells about itself, "" when that is not known: what
// is no DID could be anything.
func (f *Finder) page(id string) string {
	did, ok := blocklet.ParseDID(id)
	if !ok || f.Domain == "" {
		return ""
	}
	return "https://" + did.Domain() + "." + f.Domain + "/__blocklet__.js?type=json"
}

// ask asks the pages that are due.
func (f *Finder) ask(ctx context.Context) error {
	if f.Domain == "" {
		return nil
	}
	due, err := f.Store.DueApps(ctx, fetchesRun)
	if err != nil {
		return err
	}
	for _, a := range due {
		if err := ctx.Err(); err != nil {
			return err
		}
		next := renewNamed
		got, err := f.about(ctx, a.ID)
		if err != nil {
			got = store.App{FetchError: clean(err.Error(), maxError)}
		}
		if got.Name == "" {
			next = renewUnnamed
		}
		at := f.Now().Add(next)
		got.ID, got.FetchDueAt = a.ID, &at
		if err := f.Store.AppFetched(ctx, got); err != nil {
			return err
		}
	}
	return nil
}

// about reads an application's page: appName, appLogo and appUrl of
// /__blocklet__.js?type=json, as a Blocklet Server serves it.
func (f *Finder) about(ctx context.Context, id string) (store.App, error) {
	at := f.page(id)
	if at == "" {
		return store.App{}, errors.New("the application's id names no page")
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	got, err := f.Fetch(ctx, at, maxPage)
	if err != nil {
		return store.App{}, err
	}
	var page struct {
		Name string `json:"appName"`
		Logo string `json:"appLogo"`
		URL  string `json:"appUrl"`
	}
	if err := json.Unmarshal(got.Data, &page); err != nil {
		return store.App{}, errors.New("the application's page is not what a Blocklet Server serves")
	}
	return store.App{Name: clean(page.Name, maxName), Logo: Link(at, page.Logo), URL: Link(at, page.URL)}, nil
}

// clean makes a line of text of what a stranger wrote: nothing but what is seen,
// and not much of it.
func clean(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	runes := []rune(strings.Join(strings.Fields(s), " "))
	return strings.TrimSpace(string(runes[:min(len(runes), most)]))
}

// Link is a link of a page as an absolute URL, "" for one that no browser should
// follow: only http and https, without a user.
func Link(page, link string) string {
	if link == "" || len(link) > maxURL {
		return ""
	}
	base, err := url.Parse(page)
	if err != nil {
		return ""
	}
	u, err := base.Parse(link)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil {
		return ""
	}
	if s := u.String(); len(s) <= maxURL {
		return s
	}
	return ""
}
