package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Fetcher gets files from URLs that callers, or providers' answers, name. Each
// connection, redirects included, goes to an address that was checked when it was
// dialled, so neither DNS nor a redirect leads inside. It sends no credentials
// and no cookies, and knows no proxy: one would resolve names for it.
type Fetcher struct {
	allow  []netip.Prefix
	client *http.Client
}

// The limits of fetching.
const (
	maxRedirects  = 3
	maxURL        = 8 << 10
	fetchTime     = 60 * time.Second // of one file, when it is read whole
	lowestPort    = 1024             // ports below are services' own, but for the web's
	fetchDialTime = 10 * time.Second
)

var (
	errInside    = errors.New("the address is not public")
	errPort      = errors.New("the port is none of the web's")
	errScheme    = errors.New("only http and https are fetched, and no https page leads to http")
	errRedirects = errors.New("there are too many redirects")
)

// NewFetcher makes a fetcher. allow are ranges inside that may be reached anyway.
func NewFetcher(allow []netip.Prefix) *Fetcher {
	f := &Fetcher{allow: slices.Clone(allow)}
	dialer := &net.Dialer{Timeout: fetchDialTime, ControlContext: f.control}
	f.client = &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: fetchDialTime, ResponseHeaderTimeout: fetchTime,
			MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, DisableCompression: true, ForceAttemptHTTP2: true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: follow,
	}
	return f
}

// Close drops idle connections.
func (f *Fetcher) Close() { f.client.CloseIdleConnections() }

// control sees the very address that a connection is about to be made to.
func (f *Fetcher) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !reachable(at.Addr(), f.allow) {
		return errInside
	}
	if p := at.Port(); p < lowestPort && p != 80 && p != 443 {
		return errPort
	}
	return nil
}

func follow(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errRedirects
	}
	r.Header.Del("Referer")
	if via[len(via)-1].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return errScheme
	}
	return acceptable(r.URL)
}

func acceptable(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return errScheme
	case u.User != nil:
		return errors.New("it holds a user or a password")
	}
	return nil
}

// Fetched is a file.
type Fetched struct {
	Type string // media type without parameters
	Data []byte
}

// Get reads a file of at most most bytes. Its type must begin with one of kinds,
// "image/" for example; a server that names none, or octet-stream, is judged by
// the content. Errors are hub.CodeInvalid, in words for whoever named the URL.
func (f *Fetcher) Get(ctx context.Context, rawURL string, most int64, kinds ...string) (Fetched, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	res, err := f.Open(ctx, rawURL, nil)
	if err != nil {
		return Fetched{}, err
	}
	defer res.Body.Close()
	if res.ContentLength > most {
		return Fetched{}, tooLong(most)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	switch {
	case err != nil:
		return Fetched{}, hub.Wrap(hub.CodeInvalid, err, "The URL cannot be fetched: the file broke off.")
	case int64(len(data)) > most:
		return Fetched{}, tooLong(most)
	case len(data) == 0:
		return Fetched{}, hub.Errorf(hub.CodeInvalid, "The URL cannot be fetched: the file is empty.")
	}
	kind := bareType(res.Header.Get("Content-Type"))
	if kind == "" || kind == "application/octet-stream" || kind == "binary/octet-stream" {
		kind = bareType(http.DetectContentType(data))
	}
	if len(kinds) > 0 && !slices.ContainsFunc(kinds, func(k string) bool { return strings.HasPrefix(kind, k) }) {
		return Fetched{}, hub.Errorf(hub.CodeInvalid, "The URL leads to a file of another type than %s.", strings.Join(kinds, " or "))
	}
	return Fetched{Type: kind, Data: data}, nil
}

func tooLong(most int64) error {
	return hub.Errorf(hub.CodeInvalid, "The URL cannot be fetched: the file has more than %d bytes.", most)
}

func bareType(s string) string {
	kind, _, _ := strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// Open begins to read a file; the answer is 200, or 206 where header asks for a
// range. Only Range is taken from header. The body must be closed.
func (f *Fetcher) Open(ctx context.Context, rawURL string, header http.Header) (*http.Response, error) {
	if len(rawURL) > maxURL {
		return nil, hub.Errorf(hub.CodeInvalid, "The URL is longer than %d characters.", maxURL)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, hub.Errorf(hub.CodeInvalid, "The URL cannot be fetched: it is no URL.")
	}
	if err := acceptable(u); err != nil {
		return nil, unfetched(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, unfetched(err)
	}
	r.Header.Set("User-Agent", "aigne-hub")
	if part := header.Get("Range"); part != "" {
		r.Header.Set("Range", part)
	}
	res, err := f.client.Do(r)
	if err != nil {
		return nil, unfetched(err)
	}
	if res.StatusCode != http.StatusOK && (res.StatusCode != http.StatusPartialContent || r.Header.Get("Range") == "") {
		res.Body.Close()
		return nil, hub.Errorf(hub.CodeInvalid, "The URL cannot be fetched: its server answered with status %d.", res.StatusCode)
	}
	return res, nil
}

// unfetched tells no more of the inside than that it is not reached.
func unfetched(err error) error {
	why := "its server cannot be reached"
	for _, known := range []error{errInside, errPort, errScheme, errRedirects} {
		if errors.Is(err, known) {
			why = known.Error()
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		why = "it took too long"
	}
	return hub.Wrap(hub.CodeInvalid, err, "The URL cannot be fetched: %s.", why)
}
