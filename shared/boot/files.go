package boot

import (
	"path/filepath"

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
	b := a.Config.Blob
	switch {
	case b.Bucket != "":
		return &blob.S3{Endpoint: b.Endpoint, Bucket: b.Bucket, Prefix: b.Prefix, Region: b.Region, KeyID: b.KeyID, Secret: b.Secret,
			Session: b.Session, Now: a.Now}
	case a.Config.Data == "" || a.env.onLambda():
		return nil
	}
	return blob.Dir{Path: filepath.Join(a.Config.Data, "blobs")}
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
