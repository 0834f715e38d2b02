//go:build remote

package store

// embedded: a build with the tag remote is for servers only, and several megabytes
// smaller for it.
const embedded = false
