package boot

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// BlobStore is an S3-compatible store for files.
type BlobStore struct {
	Endpoint string // origin; "" when files lie in the data folder
	Bucket   string
	Prefix   string // "" or ending in /
	Region   string
	KeyID    string
	Secret   hub.Secret
	Session  hub.Secret // of temporary credentials
}

// fileSettings: files that are kept for their links, and what is fetched.
func fileSettings() []Setting {
	const (
		hour = time.Hour
		year = 366 * 24 * time.Hour
	)
	return []Setting{
		{
			Name:  "AIGNE_HUB_BLOB_URL",
			Doc:   "S3-compatible store for files, s3://bucket/prefix?region=R&endpoint=https://host; unset: the data folder",
			parse: func(c *Config, v string) error { return parseS3URL(&c.Blob, v) },
		},
		{
			Name: "AIGNE_HUB_BLOB_ACCESS_KEY_ID", Doc: "access key of the store for files; unset: AWS_ACCESS_KEY_ID and its companions",
			parse: func(c *Config, v string) error { c.Blob.KeyID = v; return nil },
		},
		{
			Name: "AIGNE_HUB_BLOB_SECRET_ACCESS_KEY", Doc: "secret of that access key",
			parse: secret(func(c *Config) *secretField { return &c.Blob.Secret }),
		},
		{
			Name: "AIGNE_HUB_BLOB_LIFE", Flag: "blob-life", Default: "720h",
			Doc:   "how long files are kept for their links",
			parse: duration(func(c *Config) *time.Duration { return &c.BlobLife }, hour, year),
		},
		{
			List: ",",
			Name: "AIGNE_HUB_FETCH_ALLOW", Flag: "fetch-allow",
			Doc:   "comma-separated address ranges (CIDR) that are not public and may be fetched from anyway when a request names a URL",
			parse: ranges(func(c *Config) *[]netip.Prefix { return &c.FetchAllow }),
		},
		{
			Name: "AIGNE_HUB_APP_DOMAIN", Flag: "app-domain", Default: "did.abtnet.io",
			Doc:   "domain below which applications that call are found by their DIDs, for their names and logos; off: none is asked",
			parse: parseAppDomain,
		},
	}
}

var domainName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

func parseAppDomain(c *Config, v string) error {
	if v == "off" {
		v = ""
	} else if !domainName.MatchString(v) || len(v) > 200 {
		return errors.New("must be a domain such as did.abtnet.io, or off")
	}
	c.AppDomain = v
	return nil
}

// parseS3URL never repeats the URL, which may hold what it must not.
func parseS3URL(b *BlobStore, v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.Port() != "" || u.Fragment != "" {
		return errors.New("must be such as s3://bucket/prefix?region=eu-central-1")
	}
	if u.User != nil {
		return errors.New("must not hold a key; give it by AIGNE_HUB_BLOB_ACCESS_KEY_ID and AIGNE_HUB_BLOB_SECRET_ACCESS_KEY")
	}
	q := u.Query()
	for name := range q {
		if name != "region" && name != "endpoint" {
			return errors.New("knows the parameters region and endpoint only")
		}
	}
	endpoint, prefix := strings.TrimRight(q.Get("endpoint"), "/"), strings.Trim(u.Path, "/")
	if strings.Contains(prefix, "..") {
		return errors.New("must name a plain prefix")
	}
	if endpoint != "" {
		e, err := url.Parse(endpoint)
		if err != nil || (e.Scheme != "https" && e.Scheme != "http") || e.Host == "" || e.Path != "" || e.User != nil || e.RawQuery != "" {
			return errors.New("must have as endpoint an origin such as https://minio.example.com")
		}
	}
	if prefix != "" {
		prefix += "/"
	}
	b.Bucket, b.Region, b.Endpoint, b.Prefix = u.Host, q.Get("region"), endpoint, prefix
	return nil
}

// completePlaces fills in what the stores for files, archives and backups take from AWS's own
// variables. They share their keys.
func (c *Config) completePlaces(e Env, blame func(name, format string, args ...any)) {
	b, a, k := &c.Blob, &c.Archive.Place, &c.Backup.Place
	if b.Bucket == "" && a.Bucket == "" && k.Bucket == "" {
		switch {
		case b.Secret != "":
			blame("AIGNE_HUB_BLOB_SECRET_ACCESS_KEY", "is set, but there is no store of files; set AIGNE_HUB_BLOB_URL")
		case b.KeyID != "":
			blame("AIGNE_HUB_BLOB_ACCESS_KEY_ID", "is set, but there is no store of files; set AIGNE_HUB_BLOB_URL")
		}
		return
	}
	b.complete("AIGNE_HUB_BLOB_URL", e, blame)
	a.complete("AIGNE_HUB_ARCHIVE_URL", e, blame)
	k.complete("AIGNE_HUB_BACKUP_URL", e, blame)
	if b.KeyID == "" && b.Secret == "" {
		b.KeyID, b.Secret, b.Session = e.get("AWS_ACCESS_KEY_ID"), hub.Secret(e.get("AWS_SECRET_ACCESS_KEY")), hub.Secret(e.get("AWS_SESSION_TOKEN"))
	}
	if b.KeyID == "" || b.Secret == "" {
		blame("AIGNE_HUB_BLOB_ACCESS_KEY_ID", "and AIGNE_HUB_BLOB_SECRET_ACCESS_KEY must both be set for the store of files")
	}
	for _, other := range []*BlobStore{a, k} {
		if other.Bucket != "" {
			other.KeyID, other.Secret, other.Session = b.KeyID, b.Secret, b.Session
		}
	}
	if b.Bucket == "" {
		*b = BlobStore{}
	}
}

func (b *BlobStore) complete(name string, e Env, blame func(name, format string, args ...any)) {
	if b.Bucket == "" {
		return
	}
	if b.Region == "" {
		b.Region = e.get("AWS_REGION")
	}
	switch {
	case b.Region == "" && b.Endpoint != "":
		b.Region = "us-east-1" // what servers without regions expect
	case b.Region == "":
		blame(name, "must name the region or the endpoint")
	}
	if b.Endpoint == "" {
		b.Endpoint = fmt.Sprintf("https://s3.%s.amazonaws.com", b.Region)
	}
}
