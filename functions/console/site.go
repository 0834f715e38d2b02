package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// file is one embedded file, ready to be sent.
type file struct {
	body   []byte
	kind   string // media type
	etag   string
	zipped bool // body is gzipped
}

// site is what the console consists of.
type site struct {
	built bool            // the application; otherwise pages that say how to do without
	files map[string]file // by path, with a slash at the front
}

const (
	homePage    = "/index.html"
	missingPage = "/404.html"
	assets      = "/assets/"
	icon        = assets + "mark.svg"
)

// kinds are the media types of files, so that they do not depend on the machine.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2",
	".txt": "text/plain; charset=utf-8",
}

// open reads the application where it was built, and the pages that a hub has
// without it.
func open(built, fallback fs.FS) (site, error) {
	files, err := load(fallback)
	if err != nil {
		return site{}, err
	}
	for _, page := range []string{homePage, missingPage} {
		if _, ok := files[page]; !ok {
			return site{}, fmt.Errorf("there is no %s", page)
		}
	}
	if _, err := fs.Stat(built, "index.html"); errors.Is(err, fs.ErrNotExist) {
		return site{files: files}, nil
	}
	missing := files[missingPage]
	if files, err = load(built); err != nil {
		return site{}, err
	}
	files[missingPage] = missing
	return site{built: true, files: files}, nil
}

// load reads all files of a folder. The build zips what is worth it, and such a
// file stands under its own name without the .gz.
func load(folder fs.FS) (map[string]file, error) {
	files := map[string]file{}
	err := fs.WalkDir(folder, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		body, err := fs.ReadFile(folder, name)
		if err != nil {
			return err
		}
		plain, zipped := strings.CutSuffix(name, ".gz")
		kind, ok := kinds[path.Ext(plain)]
		if !ok {
			return fmt.Errorf("%s is of an unknown kind", name)
		}
		files["/"+plain] = file{body: body, kind: kind, etag: etag(body), zipped: zipped}
		return nil
	})
	return files, err
}

func etag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// unzipped is the file for a client that takes no gzip.
func (f file) unzipped() (file, error) {
	if !f.zipped {
		return f, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(f.body))
	if err != nil {
		return f, err
	}
	body, err := io.ReadAll(r)
	return file{body: body, kind: f.kind, etag: strings.TrimSuffix(f.etag, `"`) + `-plain"`}, err
}

// home is the first page with the address that its links start from: the hub may
// be mounted below a path, which only the request tells, and the application is
// the same page at every depth. On a Blocklet Server it says so, for the script that
// chooses the theme before anything is painted.
func (s site) home(prefix string, blocklet bool) file {
	f := s.files[homePage]
	if !s.built {
		return f
	}
	base := `<head><base href="` + html.EscapeString(prefix+"/") + `">`
	f.body = bytes.Replace(f.body, []byte("<head>"), []byte(base), 1)
	if blocklet {
		f.body = bytes.Replace(f.body, []byte("<html "), []byte(`<html data-host="blocklet" `), 1)
	}
	f.etag = etag(f.body)
	return f
}

// hashed are names that the build gives: another content has another name.
var hashed = regexp.MustCompile(`-[A-Za-z0-9_-]{8}\.[a-z0-9]+$`)

// caching lets assets rest, for a year where their name says what they hold; the
// pages are asked for each time, and answered with 304 while they are the same.
func caching(p string) string {
	switch {
	case !strings.HasPrefix(p, assets):
		return "no-cache"
	case hashed.MatchString(p):
		return "public, max-age=31536000, immutable"
	}
	return "public, max-age=3600"
}
