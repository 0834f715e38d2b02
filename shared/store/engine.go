//go:build !remote

package store

import _ "modernc.org/sqlite" // the engine behind libsql-client-go's file: URLs

// embedded says that the build has an engine for files.
const embedded = true
