//go:build !linux && !darwin

package archive

// FreeDisk is not known here.
func FreeDisk(string) (int64, bool, error) { return 0, false, nil }
