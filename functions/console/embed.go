package console

import (
	"embed"
	"io/fs"
)

// dist is the built console; in a tree where it was not built it holds .keep only.
//
//go:embed all:dist
var dist embed.FS

// fallback are the pages of a hub that was built without the console.
//
//go:embed fallback
var fallback embed.FS

// Built reports whether the application is in this binary.
func Built() bool {
	_, err := fs.Stat(dist, "dist"+homePage)
	return err == nil
}
