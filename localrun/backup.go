package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/backup"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

func backupSpec() spec {
	return spec{
		name: "backup", usage: "copy the data while the hub runs, and prove the copy", run: takeBackup,
		flags: []cli.Flag{toggle("include-key", "put the master key file in; who has such a backup can open its secrets")},
		about: "Goes to AIGNE_HUB_BACKUP_URL (--backup-url), a folder or an S3-compatible store; to backups in the data folder when\n" +
			"it is unset. The copy holds the database as it is at one instant, its archives and the files behind links. SQLite's\n" +
			"check and that of the books must pass on it, and what was written is read back. The master key stays out unless\n" +
			"it is asked for: keep it elsewhere, without it sealed secrets are lost. A database server is backed up where it runs.",
	}
}

func backupSpecs() []spec {
	return []spec{
		{name: "list", usage: "list backups, newest first", run: listBackups},
		{
			name: "verify", usage: "read a whole backup and prove that it is what was written", run: verifyBackup, arg: "name",
			flags: []cli.Flag{text("name", "the backup's `NAME`; the newest when not given")},
		},
	}
}

func restoreSpec() spec {
	return spec{
		name: "restore", usage: "put a backup in the place of the data", run: restore, arg: "name",
		flags: []cli.Flag{
			text("name", "the backup's `NAME`; the newest when not given"),
			toggle("replace", "there is a database: move it aside, into a folder of the data folder"),
		},
		about: "Stop the hub first: a database in use is not replaced. Everything is fetched and checked before anything is touched.\n" +
			"Interrupted, it is finished by the next restore, and until then no hub starts on the data. What happened after the\n" +
			"backup is lost with it: calls, charges, and that keys were revoked.",
	}
}

// backupView is a backup as it is shown.
type backupView struct {
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	Version   string    `json:"version"`
	Files     int       `json:"files"`
	Bytes     int64     `json:"bytes"`
	Stored    int64     `json:"stored_bytes"`
	HasKey    bool      `json:"has_master_key"`
	Removed   []string  `json:"removed,omitempty"` // older backups
}

func viewBackup(m backup.Manifest) backupView {
	plain, stored := m.Bytes()
	return backupView{Name: m.Name, CreatedAt: m.CreatedAt, Version: m.Version, Files: len(m.Files), Bytes: plain, Stored: stored, HasKey: m.HasKey}
}

func (v backupView) words(verb string) string {
	const mega = 1e6
	key := "It does not hold the master key; keep that elsewhere.\n"
	if v.HasKey {
		key = "It holds the master key: who has it can open its secrets.\n"
	}
	return fmt.Sprintf("%s %s: %d file(s), %.1f MB, stored in %.1f MB.\n", verb, v.Name, v.Files, float64(v.Bytes)/mega, float64(v.Stored)/mega) + key
}

func takeBackup(j *job) error {
	return j.withHub(func(a *boot.App) error {
		at, err := boot.BackupPlace(a.Config, a.Now)
		if err != nil {
			return err
		}
		m, err := a.Backups(version).Take(j.ctx, at, j.c.Bool("include-key"))
		if err != nil {
			return err
		}
		if err := a.Desk.Note(j.ctx, actor, "backup.take", m.Name, nil, map[string]any{"has_master_key": m.HasKey}); err != nil {
			return err
		}
		v := viewBackup(m)
		return j.show(v, v.words("Took"))
	})
}

// backups is where backups lie, and those that are there. It needs no database.
func (j *job) backups() (backup.Place, []backup.Manifest, error) {
	cfg, err := j.config()
	if err != nil {
		return nil, nil, err
	}
	at, err := boot.BackupPlace(cfg, time.Now)
	if err != nil {
		return nil, nil, err
	}
	all, err := backup.List(j.ctx, at)
	return at, all, err
}

// chosen is the backup that --name names, or the newest.
func (j *job) chosen() (backup.Place, backup.Manifest, error) {
	at, all, err := j.backups()
	if err != nil {
		return nil, backup.Manifest{}, err
	}
	name := j.text("name")
	for _, m := range all {
		if name == "" || m.Name == name {
			return at, m, nil
		}
	}
	if name == "" {
		return nil, backup.Manifest{}, hub.Errorf(hub.CodeNotFound, "there is no backup")
	}
	return nil, backup.Manifest{}, hub.Errorf(hub.CodeNotFound, "there is no backup %s", name)
}

func listBackups(j *job) error {
	_, all, err := j.backups()
	if err != nil {
		return err
	}
	views, rows := make([]backupView, len(all)), make([][]string, len(all))
	for i, m := range all {
		v := viewBackup(m)
		key := "no"
		if v.HasKey {
			key = "yes"
		}
		const mega = 1e6
		views[i], rows[i] = v, []string{v.Name, v.Version, fmt.Sprint(v.Files), fmt.Sprintf("%.1f", float64(v.Bytes)/mega), fmt.Sprintf("%.1f", float64(v.Stored)/mega), key}
	}
	return j.show(views, table("NAME VERSION FILES MB STORED-MB MASTER-KEY", rows))
}

func verifyBackup(j *job) error {
	at, m, err := j.chosen()
	if err != nil {
		return err
	}
	if err := backup.Check(j.ctx, at, m); err != nil {
		return err
	}
	v := viewBackup(m)
	return j.show(v, v.words("Whole:"))
}

type restoreView struct {
	backupView
	Aside   string `json:"aside,omitempty"`
	Resumed bool   `json:"resumed,omitempty"`
}

func restore(j *job) error {
	cfg, err := j.config()
	if err != nil {
		return err
	}
	target, err := boot.RestoreTarget(cfg, time.Now)
	if err != nil {
		return err
	}
	at, m, err := j.chosen()
	if err != nil {
		return err
	}
	out, err := backup.Restore(j.ctx, at, m.Name, target, j.c.Bool("replace"))
	if err != nil {
		return err
	}
	v := restoreView{viewBackup(out.Manifest), out.Aside, out.Resumed}
	human := v.words("Put back")
	if out.Resumed {
		human += "An interrupted restore was brought to its end.\n"
	}
	if out.Aside != "" {
		human += "What was there before lies in " + out.Aside + ".\n"
	}
	return j.show(v, human+"`aigne-hub doctor` says whether its secrets can be opened.\n")
}

// backupJobs take backups by themselves, where the settings say so.
func backupJobs(a *boot.App) []schedule.Job {
	every := a.Config.Backup.Every
	if every == 0 || a.Store.Remote() {
		return nil
	}
	const look, longest = 10 * time.Minute, 2 * time.Hour
	return []schedule.Job{{Name: "localrun.backup", Every: look, Timeout: longest, Run: func(ctx context.Context) error {
		return backUp(ctx, a, every)
	}}}
}

// backUp takes a backup when the newest is old enough, and thins old ones out.
func backUp(ctx context.Context, a *boot.App, every time.Duration) error {
	at, err := boot.BackupPlace(a.Config, a.Now)
	if err != nil {
		return err
	}
	all, err := backup.List(ctx, at)
	if err != nil {
		return err
	}
	if age, known := backup.Age(all, a.Now()); known && age < every {
		return nil
	}
	m, err := a.Backups(version).Take(ctx, at, false)
	if err != nil {
		return err
	}
	plain, stored := m.Bytes()
	a.Log.InfoContext(ctx, "backup taken", "backup", m.Name, "bytes", plain, "stored_bytes", stored)
	if a.Config.Backup.Keep == 0 {
		return nil
	}
	removed, err := backup.Thin(ctx, at, int(a.Config.Backup.Keep))
	if len(removed) > 0 {
		a.Log.InfoContext(ctx, "old backups removed", "backups", removed)
	}
	return errors.Join(err, ctx.Err())
}
