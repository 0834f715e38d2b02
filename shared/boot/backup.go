package boot

import (
	"os"
	"path/filepath"

	"github.com/aigne-hub/aigne-hub/shared/backup"
	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// BackupPlace is where backups lie. It needs no open hub.
func BackupPlace(c Config, now hub.Now) (backup.Place, error) {
	switch {
	case c.Backup.Place.Bucket != "":
		return bucket(c.Backup.Place, now), nil
	case c.Backup.Folder != "":
		return blob.Folder{Path: c.Backup.Folder}, nil
	case c.Data != "":
		return blob.Folder{Path: filepath.Join(c.Data, "backups")}, nil
	}
	return nil, hub.Invalid("backup-url", "there is neither a data folder nor AIGNE_HUB_BACKUP_URL, so there is no place for backups")
}

// Backups takes backups of an open hub.
func (a *App) Backups(version string) *backup.Taker {
	t := &backup.Taker{Store: a.Store, Archive: a.Archive, Data: a.Config.Data, File: a.Config.DatabaseFile(), Version: version, Now: a.Now, Log: a.Log}
	if path := keyFile(a.Config); path != "" {
		if _, err := os.Stat(path); err == nil {
			t.KeyFile = path
		}
	}
	return t
}

// RestoreTarget is where a backup is put back to.
func RestoreTarget(c Config, now hub.Now) (backup.Target, error) {
	t := backup.Target{Data: c.Data, File: c.DatabaseFile(), KeyFile: keyFile(c), Now: now}
	if t.File == "" || t.Data == "" {
		return t, hub.Errorf(hub.CodeInvalid, "A backup is put back as a database file in a data folder; the settings name a database server.")
	}
	return t, nil
}

// keyFile is where the master key lies, "" when the settings have it elsewhere.
func keyFile(c Config) string {
	if c.MasterKey != "" || c.KMSKeyID != "" || c.Data == "" {
		return ""
	}
	return c.MasterKeyFile()
}
