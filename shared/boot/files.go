package boot

import (
	"path/filepath"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/arkmedia"
	"github.com/aigne-hub/aigne-hub/shared/dialect/geminimedia"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openaitasks"
	"github.com/aigne-hub/aigne-hub/shared/dialect/xaimedia"
	"github.com/aigne-hub/aigne-hub/shared/jobs"
)

// place is where files lie: nil where there is none that lasts.
func (a *App) place() blob.Place {
	switch {
	case a.Config.Blob.Bucket != "":
		return a.bucket(a.Config.Blob)
	case a.Config.Data == "" || a.env.onLambda():
		return nil
	}
	return blob.Dir{Path: filepath.Join(a.Config.Data, "blobs")}
}

func (a *App) bucket(b BlobStore) *blob.S3 {
	return &blob.S3{Endpoint: b.Endpoint, Bucket: b.Bucket, Prefix: b.Prefix, Region: b.Region, KeyID: b.KeyID, Secret: b.Secret,
		Session: b.Session, Now: a.Now}
}

// archive is where old calls go: beside an embedded database, or as files to where
// they last.
func (a *App) archive() *archive.Keeper {
	c := a.Config.Archive
	k := &archive.Keeper{Store: a.Store, Settings: archive.Settings{After: c.After, Keep: c.Keep, Free: c.Free, Cache: c.Cache}, Now: a.Now, Log: a.Log}
	file := a.Config.databaseFile()
	switch {
	case file != "":
		folder, name := filepath.Split(file)
		k.Folder, k.Stem, k.Disk = filepath.Join(folder, "archive"), strings.TrimSuffix(name, filepath.Ext(name)), folder
	case !a.Store.Remote(): // in memory
	case c.Place.Bucket != "":
		k.Place = a.bucket(c.Place)
	case a.Config.Data != "" && !a.env.onLambda():
		k.Place, k.Disk = blob.Folder{Path: filepath.Join(a.Config.Data, "archive")}, a.Config.Data
	}
	return k
}

// follower follows jobs in the languages that the hub speaks.
func (a *App) follower() *jobs.Follower {
	return &jobs.Follower{Store: a.Store, Gate: a.Gate, Upstream: a.Upstream, Fetch: a.Fetch, Routes: a.Routes, Log: a.Log, Now: a.Now,
		Clients: map[dialect.Name]dialect.JobClient{
			dialect.OpenAI:      openaitasks.Jobs{Client: openaitasks.Client{Now: a.Now}},
			dialect.GeminiMedia: geminimedia.Films{Client: geminimedia.Client{Now: a.Now}},
			dialect.Ark:         arkmedia.Films{Client: arkmedia.Client{Now: a.Now}},
			dialect.XAIMedia:    xaimedia.Films{Client: xaimedia.Client{Now: a.Now}},
		}}
}
