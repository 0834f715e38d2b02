//go:build linux || darwin

package alert

import "syscall"

// DiskRoom is how many bytes are free on the disk of a path for those who are not
// root, and of how many.
func DiskRoom(path string) (free, all uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, 0, err
	}
	size := uint64(s.Bsize)
	return s.Bavail * size, s.Blocks * size, nil
}
