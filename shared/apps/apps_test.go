package apps_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/apps"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

const (
	shop = "zNKXaK3UuYfDW4vV6PmkscF8X2w9VzNu5b48"
	page = "https://bbqaquwn7yijt5oye4kjdgi2ha3qkcns3m42g5ulhxu.did.test/__blocklet__.js?type=json"
)

type lab struct {
	*apps.Finder
	t     *testing.T
	user  store.User
	lease string
	at    time.Time
	pages map[string]string // by URL; none: an error
	asked []string
}

func each(t *testing.T, test func(l *lab)) {
	t.Helper()
	run := func(t *testing.T, o store.Options) {
		t.Helper()
		ctx := t.Context()
		l := &lab{t: t, at: time.Now(), pages: map[string]string{}}
		o.Now = func() time.Time { return l.at }
		s, err := store.Open(ctx, o)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		_, err = s.Migrate(ctx)
		require.NoError(t, err)
		l.user, err = (&identity.Users{Store: s}).Create(ctx, "m@example.com", hub.RoleMember, "")
		require.NoError(t, err)
		l.lease, err = s.OpenLease(ctx)
		require.NoError(t, err)
		l.Finder = &apps.Finder{Store: s, Domain: "did.test", Now: o.Now, Log: slog.New(slog.DiscardHandler), Fetch: l.fetch}
		test(l)
	}
	t.Run("embedded file", func(t *testing.T) {
		t.Parallel()
		run(t, store.Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db")})
	})
	t.Run("libSQL server", func(t *testing.T) {
		t.Parallel()
		url, token := hrana.Start(t)
		run(t, store.Options{URL: url, Token: hub.Secret(token)})
	})
}

func (l *lab) fetch(_ context.Context, url string, _ int64, _ ...string) (upstream.Fetched, error) {
	l.asked = append(l.asked, url)
	text, ok := l.pages[url]
	if !ok {
		return upstream.Fetched{}, errors.New("its server cannot be reached\x1b[2J")
	}
	return upstream.Fetched{Data: []byte(text)}, nil
}

// call records a call that names an application, and lets time go by.
func (l *lab) call(app string) {
	l.t.Helper()
	v, err := l.Store.ConfigVersion(l.t.Context())
	require.NoError(l.t, err)
	require.NoError(l.t, l.Store.Do(l.t.Context(), l.Store.AdmitUnit(store.Admission{CallID: l.Store.NewID(), Owner: l.lease, ConfigVersion: v,
		Caller: hub.Caller{UserID: l.user.ID, AccountID: l.user.AccountID, AppID: app}, Type: hub.TypeChat, PlanJSON: "{}"})))
}

func (l *lab) run() {
	l.t.Helper()
	l.at = l.at.Add(2 * time.Minute)
	require.NoError(l.t, l.Run(l.t.Context()))
}

func (l *lab) app(id string) store.App {
	l.t.Helper()
	a, err := l.Store.AppByID(l.t.Context(), id)
	require.NoError(l.t, err)
	return a
}

func TestApplicationsThatCallsNamedAreFoundAndAsked(t *testing.T) {
	t.Parallel()
	each(t, func(l *lab) {
		l.pages[page] = `{"appName":" My\u0000 \u202eShop\n ","appLogo":"/logo.png","appUrl":"https://shop.example.com/","theme":{}}`
		l.call("")
		l.call(shop)
		l.call("@aigne/cli:laptop")
		require.NoError(l.t, l.Run(l.t.Context()))
		_, err := l.Store.AppByID(l.t.Context(), shop)
		require.ErrorIs(l.t, err, store.ErrNotFound, "calls so young may still be joined by older ones")
		l.run()
		a := l.app(shop)
		assert.Equal(l.t, "My Shop", a.Name, "what cannot be seen is left out")
		assert.Equal(l.t, strings.TrimSuffix(page, "/__blocklet__.js?type=json")+"/logo.png", a.Logo)
		assert.Equal(l.t, "https://shop.example.com/", a.URL)
		assert.Equal(l.t, store.AppFetched, a.Source)
		assert.WithinDuration(l.t, l.at.Add(7*24*time.Hour), *a.FetchDueAt, time.Second)
		b := l.app("@aigne/cli:laptop")
		assert.Equal(l.t, store.AppSeen, b.Source)
		assert.Nil(l.t, b.FetchDueAt, "what is no DID has no page")
		assert.Equal(l.t, []string{page}, l.asked)

		l.call(shop)
		l.run()
		assert.Len(l.t, l.asked, 1, "it is not asked again for a week")
		l.at = l.at.Add(8 * 24 * time.Hour)
		delete(l.pages, page)
		l.run()
		assert.Len(l.t, l.asked, 2)
		a = l.app(shop)
		assert.Equal(l.t, "My Shop", a.Name, "a page that is away takes nothing")
		assert.Equal(l.t, "its server cannot be reached[2J", a.FetchError)
		assert.WithinDuration(l.t, l.at.Add(2*24*time.Hour), *a.FetchDueAt, time.Second)
	})
}

func TestWhatAPageSaysIsBounded(t *testing.T) {
	t.Parallel()
	each(t, func(l *lab) {
		l.pages[page] = fmt.Sprintf(`{"appName":%q,"appLogo":"javascript:alert(1)","appUrl":"https://me:secret@x.test/"}`, strings.Repeat("é", 5000))
		l.call(shop)
		l.run()
		a := l.app(shop)
		assert.Len(l.t, []rune(a.Name), 100)
		assert.Empty(l.t, a.Logo)
		assert.Empty(l.t, a.URL)
	})
}

func TestWhatAnOperatorSaysStays(t *testing.T) {
	t.Parallel()
	each(t, func(l *lab) {
		l.pages[page] = `{"appName":"Theirs"}`
		require.NoError(l.t, l.Store.SetApp(l.t.Context(), store.App{ID: shop, Name: "Ours", Source: store.AppOperator}))
		l.call(shop)
		l.run()
		a := l.app(shop)
		assert.Equal(l.t, "Ours", a.Name)
		assert.NotNil(l.t, a.FirstSeenAt)
		assert.Empty(l.t, l.asked)
		require.NoError(l.t, l.Store.AppFetched(l.t.Context(), store.App{ID: shop, Name: "Theirs"}))
		assert.Equal(l.t, "Ours", l.app(shop).Name, "also when the page was asked before")
	})
}

func TestWithoutADomainNobodyIsAsked(t *testing.T) {
	t.Parallel()
	each(t, func(l *lab) {
		l.Domain = ""
		l.call(shop)
		l.run()
		assert.Equal(l.t, store.AppSeen, l.app(shop).Source)
		assert.Empty(l.t, l.asked)
	})
}

func TestLinksThatNoBrowserShouldFollow(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://a.test/x": "https://a.test/x", "/logo.svg": "https://p.test/logo.svg", "logo.svg": "https://p.test/d/logo.svg", "//b.test/x": "https://b.test/x",
		"javascript:alert(1)": "", "data:text/html,x": "", "file:///etc/passwd": "", "https://u@a.test/": "", "": "", "https:///x": "", strings.Repeat("a", 1001): "",
	} {
		assert.Equal(t, want, apps.Link("https://p.test/d/page", in), in)
	}
}
