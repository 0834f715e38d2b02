package console

import "embed"

// dist is the built console.
//
//go:embed dist
var dist embed.FS
