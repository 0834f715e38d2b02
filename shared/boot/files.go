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
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/jobs"
)

// place is where files lie: nil where there is none that lasts.
func (a *App) place() blob.Place {
	switch {
	case a.Config.Blob.Bucket != "":
		return bucket(a.Config.Blob, a.Now)
	case a.Config.Data == "" || a.env.onLambda():
		return nil
	}
	return blob.Dir{Path: filepath.Join(a.Config.Data, "blobs")}
}

// Places are where things lie beside the database.
type Places struct {
	Data    string // the folder
	Master  string // of the vault's keys: file, setting or kms
	KeyFile string // "" unless Master is file
	Files   string // folder or bucket; "": they are not kept
	Archive string // folder or bucket; "": calls stay
}

// Places tells where things lie.
func (a *App) Places() Places {
	p := Places{Data: a.Config.Data, Master: "file"}
	switch {
	case a.Config.KMSKeyID != "":
		p.Master = "kms"
	case a.Config.MasterKey != "":
		p.Master = "setting"
	default:
		p.KeyFile = a.Config.MasterKeyFile()
	}
	p.Files = placeName(a.place())
	if a.Config.Archive.After > 0 {
		if p.Archive = a.Archive.Folder; p.Archive == "" {
			p.Archive = placeName(a.Archive.Place)
		}
	}
	return p
}

// placeName is where a place is, as an operator calls it.
func placeName(place any) string {
	switch p := place.(type) {
	case blob.Dir:
		return p.Path
	case blob.Folder:
		return p.Path
	case *blob.S3:
		return "s3://" + p.Bucket + "/" + p.Prefix
	}
	return ""
}

// DatabaseFile is the path of an embedded database, "" for others.
func (a *App) DatabaseFile() string { return a.Config.DatabaseFile() }

func bucket(b BlobStore, now hub.Now) *blob.S3 {
	return &blob.S3{Endpoint: b.Endpoint, Bucket: b.Bucket, Prefix: b.Prefix, Region: b.Region, KeyID: b.KeyID, Secret: b.Secret,
		Session: b.Session, Now: now}
}

// archive is where old calls go: beside an embedded database, or as files to where
// they last.
func (a *App) archive() *archive.Keeper {
	c := a.Config.Archive
	k := &archive.Keeper{Store: a.Store, Settings: archive.Settings{After: c.After, Keep: c.Keep, Free: c.Free, Cache: c.Cache}, Now: a.Now, Log: a.Log}
	file := a.Config.DatabaseFile()
	switch {
	case file != "":
		folder, name := filepath.Split(file)
		k.Folder, k.Stem, k.Disk = filepath.Join(folder, "archive"), strings.TrimSuffix(name, filepath.Ext(name)), folder
	case !a.Store.Remote(): // in memory
	case c.Place.Bucket != "":
		k.Place = bucket(c.Place, a.Now)
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
