package admin

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/aigne-hub/aigne-hub/shared/boot"
)

// systemOf is what only an open hub knows of what runs.
func systemOf(a *boot.App) func(context.Context) (systemView, error) {
	return func(context.Context) (systemView, error) {
		v := systemView{Version: a.Observe.Version(), StartedAt: a.Observe.Started().UTC()}
		if built, ok := debug.ReadBuildInfo(); ok {
			for _, s := range built.Settings {
				switch s.Key {
				case "vcs.revision":
					v.Revision = s.Value
				case "vcs.time":
					v.BuiltAt = s.Value
				}
			}
		}
		v.Places = placesView(a.Places())
		d := &v.Database
		d.URL, d.Kind = a.Config.Database, "server"
		if a.Store.Remote() {
			return v, nil
		}
		d.Kind, d.Synchronous = "file", a.Config.Synchronous
		if room := a.Watcher().Room; room != nil {
			var err error
			if d.DiskFree, d.DiskSize, err = room(); err != nil {
				return v, err
			}
		}
		if log, err := os.Stat(a.DatabaseFile() + "-wal"); err == nil {
			d.WAL = log.Size()
		}
		return v, nil
	}
}
