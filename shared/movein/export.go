package movein

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Export is where things lie in the folder that `blocklet export` writes.
type Export struct {
	Database string
	AppDID   string
	AppEK    hub.Secret // "": there is no blocklet.json
}

// The original hub as a component of an application.
const (
	hubDID  = "z8ia3xzq2tMq8CRHfaXj1BTYJyYnEcHbqP8cJ"
	hubName = "ai-kit" // also of its folder
	hubFile = "aikit.db"
)

// FindExport finds the database in a folder: one that `blocklet export` wrote, which
// also tells the key, or the component's data folder.
func FindExport(folder string) (Export, error) {
	var e Export
	for _, path := range []string{filepath.Join(folder, "data", hubName, hubFile), filepath.Join(folder, hubName, hubFile), filepath.Join(folder, hubFile)} {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			e.Database = path
			break
		}
	}
	if e.Database == "" {
		return e, hub.Invalid("from", "There is no %s in %s.", filepath.Join("data", hubName, hubFile), folder)
	}
	content, err := os.ReadFile(filepath.Join(folder, "blocklet.json"))
	if err != nil {
		return e, nil //nolint:nilerr // the database alone is enough, with the key from elsewhere
	}
	var app struct {
		Meta struct {
			DID string `json:"did"`
		} `json:"meta"`
		Children []struct {
			Meta struct {
				DID  string `json:"did"`
				Name string `json:"name"`
			} `json:"meta"`
			AppEK hub.Secret `json:"appEk"`
		} `json:"children"`
	}
	if json.Unmarshal(content, &app) != nil {
		return e, hub.Invalid("from", "The file blocklet.json in %s cannot be read.", folder)
	}
	e.AppDID = app.Meta.DID
	for _, c := range app.Children {
		if c.Meta.DID == hubDID || (e.AppEK == "" && c.Meta.Name == hubName) {
			e.AppEK = c.AppEK
		}
	}
	return e, nil
}
