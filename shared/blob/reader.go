package blob

import (
	"context"
	"crypto/cipher"
	"errors"
	"io"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// reader reads and deciphers a content from wherever it was sought to.
type reader struct {
	ctx    context.Context
	place  Place
	id     string
	secret hub.Secret
	size   int64
	at     int64
	src    io.ReadCloser // nil until something is read from at
	stream cipher.Stream
}

func (r *reader) open() (err error) {
	r.src, err = r.place.Get(r.ctx, r.id, r.at)
	r.stream = stream(r.secret.Reveal(), r.at)
	return err
}

// Read reads on.
func (r *reader) Read(p []byte) (int, error) {
	if r.at >= r.size {
		return 0, io.EOF
	}
	if r.src == nil {
		if err := r.open(); err != nil {
			return 0, err
		}
	}
	n, err := r.src.Read(p[:min(int64(len(p)), r.size-r.at)])
	r.stream.XORKeyStream(p[:n], p[:n])
	r.at += int64(n)
	if errors.Is(err, io.EOF) && r.at < r.size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Seek goes elsewhere; nothing is fetched before it is read.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning")
	}
	if offset != r.at {
		if err := r.Close(); err != nil {
			return 0, err
		}
		r.at = offset
	}
	return offset, nil
}

// Close ends reading.
func (r *reader) Close() error {
	if r.src == nil {
		return nil
	}
	err := r.src.Close()
	r.src = nil
	return err
}
