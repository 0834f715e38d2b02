// Command pack makes a release archive: the same bytes for the same files, whatever
// the machine, its user and the day, in a tar file compressed with gzip. With -sums it
// lists digests of files in the form of sha256sum.
package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const usage = `usage: pack OUTPUT FOLDER FILE...   packs files into FOLDER of an archive; SOURCE_DATE_EPOCH is their time
       pack -sums OUTPUT FILE...   writes digests`

func main() {
	args := os.Args[1:]
	if len(args) < 3 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	var err error
	if args[0] == "-sums" {
		err = sums(args[1], args[2:])
	} else {
		err = pack(args[0], args[1], args[2:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// stamp is the time of all files: SOURCE_DATE_EPOCH in seconds, else one that is always
// the same.
func stamp() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH must be seconds, not %q", text)
	}
	return time.Unix(n, 0).UTC(), nil
}

// adder adds a file to an archive.
type adder func(name string, mode os.FileMode, data []byte) error

func pack(output, folder string, files []string) (err error) {
	at, err := stamp()
	if err != nil {
		return err
	}
	out, err := os.Create(output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	add, end := tarball(out, at)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if base := filepath.Base(file); strings.HasPrefix(base, "aigne-hub") && !strings.Contains(base, ".service") {
			mode = 0o755
		}
		if err := add(folder+"/"+filepath.Base(file), mode, data); err != nil {
			return err
		}
	}
	return end()
}

func tarball(w io.Writer, at time.Time) (adder, func() error) {
	z, _ := gzip.NewWriterLevel(w, gzip.BestCompression) // the level is valid
	t := tar.NewWriter(z)
	add := func(name string, mode os.FileMode, data []byte) error {
		err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: int64(mode), Size: int64(len(data)), ModTime: at, Format: tar.FormatUSTAR})
		if err != nil {
			return err
		}
		_, err = t.Write(data)
		return err
	}
	return add, func() error { return errors.Join(t.Close(), z.Close()) }
}

func sums(output string, files []string) error {
	slices.Sort(files)
	var b strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(data), filepath.Base(file))
	}
	const public = 0o644
	return os.WriteFile(output, []byte(b.String()), public)
}
