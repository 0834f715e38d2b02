//go:build !linux && !darwin

package alert

// DiskRoom knows nothing on this system.
func DiskRoom(string) (free, all uint64, err error) { return 0, 0, nil }
