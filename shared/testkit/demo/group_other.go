//go:build !unix

package main

import "syscall"

// ownGroup keeps nothing from a child here.
func ownGroup() *syscall.SysProcAttr { return nil }
