package boot

import (
	"errors"
	"path/filepath"
	"strings"
	"time"
)

// Backup says where backups go and when they are taken.
type Backup struct {
	Folder string        // of backups; "" when Place is set, or there is no data folder
	Place  BlobStore     // Bucket is "" for the folder
	Every  time.Duration // 0: by command only
	Keep   int64         // how many stay of those that were taken by themselves; 0: all
}

func backupSettings() []Setting {
	const (
		hour = time.Hour
		year = 366 * 24 * time.Hour
	)
	return []Setting{
		{
			Name: "AIGNE_HUB_BACKUP_URL", Flag: "backup-url",
			Doc:   "where backups go: a folder, or an S3-compatible store like AIGNE_HUB_BLOB_URL and with the same keys; unset: backups in the data folder",
			parse: parseBackup,
		},
		{
			Name: "AIGNE_HUB_BACKUP_EVERY", Flag: "backup-every", Default: "off",
			Doc:   "how often a hub that serves from a database file takes a backup by itself, 1h at least; off: only `aigne-hub backup` does",
			parse: durationOrOff(func(c *Config) *time.Duration { return &c.Backup.Every }, hour, year),
		},
		{
			Name: "AIGNE_HUB_BACKUP_KEEP", Flag: "backup-keep", Default: "7",
			Doc:   "how many backups stay when the hub takes them by itself; 0: all",
			parse: count(func(c *Config) *int64 { return &c.Backup.Keep }, 0, 10_000),
		},
	}
}

func parseBackup(c *Config, v string) error {
	if strings.HasPrefix(v, "s3:") {
		return parseS3URL(&c.Backup.Place, v)
	}
	if !filepath.IsAbs(v) || strings.Contains(v, "://") {
		return errors.New("must be the whole path of a folder, or such as s3://bucket/prefix?region=eu-central-1")
	}
	c.Backup.Folder = filepath.Clean(v)
	return nil
}
