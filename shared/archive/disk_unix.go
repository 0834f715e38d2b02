//go:build linux || darwin

package archive

import "syscall"

// FreeDisk is how many bytes are free on the disk of a folder, for this user.
func FreeDisk(path string) (int64, bool, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, false, err
	}
	return int64(s.Bavail * uint64(s.Bsize)), true, nil
}
