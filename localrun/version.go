package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/aigne-hub/aigne-hub/functions/console"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func versionSpec() spec {
	return spec{name: "version", usage: "print what this binary was built from", run: showVersion}
}

// buildView is what a binary says of itself.
type buildView struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Console  bool   `json:"console"` // the web console is in it
	Schema   string `json:"schema"`  // the newest migration that it knows
	Revision string `json:"revision,omitempty"`
	Modules  int    `json:"modules"` // of others
}

func build() buildView {
	v := buildView{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Console: console.Built(), Schema: store.NewestSchema()}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.Modules = len(info.Deps)
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Revision = s.Value
			}
		}
	}
	return v
}

func showVersion(j *job) error {
	v := build()
	with := "without"
	if v.Console {
		with = "with"
	}
	return j.show(v, fmt.Sprintf("aigne-hub %s, %s %s, %s the console, schema %s.\n", v.Version, v.Go, v.Platform, with, v.Schema))
}
