package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of /proc/PID/stat on Linux: USER_HZ is 100 everywhere.
const clockTick = 10 * time.Millisecond

// Process is what a process has used, from /proc (Linux).
type Process struct {
	CPU  time.Duration `json:"cpu_ns"`  // user and system time of all its threads, in steps of 10 ms
	RSS  int64         `json:"rss_kb"`  // resident memory now, KiB
	Peak int64         `json:"peak_kb"` // the most since the start or the last resetPeak, KiB
}

func readProcess(pid int) (p Process, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p, err
	}
	// The second field is the command in parentheses and may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return p, fmt.Errorf("/proc/%d/stat: %d fields", pid, len(fields))
	}
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return p, err
		}
		ticks += n
	}
	p.CPU = time.Duration(ticks) * clockTick
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return p, err
	}
	p.RSS, p.Peak = field(status, "VmRSS:"), field(status, "VmHWM:")
	return p, nil
}

// field reads a line such as "VmRSS:   1234 kB"; 0 when there is none.
func field(status []byte, name string) int64 {
	_, rest, ok := bytes.Cut(status, []byte("\n"+name))
	if !ok {
		return 0
	}
	words := bytes.Fields(rest)
	if len(words) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(string(words[0]), 10, 64)
	return n
}

// resetPeak makes Peak count from now (proc(5), clear_refs).
func resetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}
