package boot

import (
	"fmt"
	"strings"
	"time"
)

// Archive says which calls leave the database, and where they go.
type Archive struct {
	After time.Duration // a call's age; 0: none leaves
	Keep  time.Duration // of archives, after the end of their quarter; 0: for ever
	Free  int64         // bytes of free disk below which nothing moves
	Cache int64         // bytes of disk for exported calls that are read back; 0: none are
	Place BlobStore     // of exports from a database server; Bucket is "" for the data folder
}

func archiveSettings() []Setting {
	const (
		week  = 7 * 24 * time.Hour
		years = 100 * 366 * 24 * time.Hour
	)
	return []Setting{
		{
			Name: "AIGNE_HUB_ARCHIVE_AFTER", Flag: "archive-after", Default: "2208h",
			Doc:   "age at which calls move from the database to an archive, 168h at least; off: they stay",
			parse: durationOrOff(func(c *Config) *time.Duration { return &c.Archive.After }, week, years),
		},
		{
			Name: "AIGNE_HUB_ARCHIVE_KEEP", Flag: "archive-keep", Default: "off",
			Doc:   "how long archives are kept after their quarter, 168h at least; then they are deleted; off: for ever",
			parse: durationOrOff(func(c *Config) *time.Duration { return &c.Archive.Keep }, week, years),
		},
		{
			Name: "AIGNE_HUB_ARCHIVE_FREE", Flag: "archive-free", Default: "2GB",
			Doc:   "free disk below which nothing is archived; 0: the disk is not looked at",
			parse: size(func(c *Config) *int64 { return &c.Archive.Free }, 0, 1<<50, "at most 1PB"),
		},
		{
			Name: "AIGNE_HUB_ARCHIVE_CACHE", Flag: "archive-cache", Default: "1GB",
			Doc:   "temporary disk for what is read back of the calls that left a database server, at most half of what is free; 0: they are not shown",
			parse: size(func(c *Config) *int64 { return &c.Archive.Cache }, 0, 1<<50, "at most 1PB"),
		},
		{
			Name: "AIGNE_HUB_ARCHIVE_URL",
			Doc:  "S3-compatible store for what leaves a database server, like AIGNE_HUB_BLOB_URL and with the same keys; unset: the data folder. A database file is archived beside itself",
			parse: func(c *Config, v string) error {
				return parseS3URL(&c.Archive.Place, v)
			},
		},
	}
}

// durationOrOff is duration with off for 0.
func durationOrOff(field func(*Config) *time.Duration, least, most time.Duration) parser {
	return func(c *Config, v string) error {
		if strings.EqualFold(v, "off") {
			*field(c) = 0
			return nil
		}
		if duration(field, least, most)(c, v) != nil {
			return fmt.Errorf("must be off or a duration such as 2208h, at least %s, not %q", least, v)
		}
		return nil
	}
}
