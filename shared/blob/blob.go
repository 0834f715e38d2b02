// Package blob keeps files that are read by links: in a folder or an
// S3-compatible store. A file's name is a secret of 130 bits and the key to its
// content: what is stored is enciphered under it and found by a digest of it, so
// neither the database nor the place alone shows anything. It serves no HTTP.
package blob

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"path"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Place is where contents lie. Ids are hexadecimal.
type Place interface {
	Put(ctx context.Context, id string, data []byte) error
	// Get reads from an offset on. ErrGone: there is no such content.
	Get(ctx context.Context, id string, offset int64) (io.ReadCloser, error)
	// Delete removes a content; one that is not there is no error.
	Delete(ctx context.Context, id string) error
}

// ErrGone says that a content is not there.
var ErrGone = errors.New("no such content")

// Keeper keeps files for a while. A nil Keeper keeps none.
type Keeper struct {
	Place Place
	Store *store.Store
	Life  time.Duration
	Now   hub.Now
}

// Ready reports whether files can be kept.
func (k *Keeper) Ready() bool { return k != nil && k.Place != nil }

// secretLength is that of crypto/rand's Text.
const secretLength = 26

var errUnknown = hub.Errorf(hub.CodeNotFound, "There is no such file here, or its time is over.")

// Put keeps a file and returns its name, which is all that a reader needs.
func (k *Keeper) Put(ctx context.Context, userID, callID, kind string, data []byte) (name string, err error) {
	if k == nil || k.Place == nil {
		return "", hub.Errorf(hub.CodeUnavailable, "This hub has no place for files; ask for the content itself instead of a URL.")
	}
	secret := rand.Text()
	now := k.Now()
	b := store.Blob{ID: idOf(secret), UserID: userID, CallID: callID, Type: kind, Size: int64(len(data)), CreatedAt: now, ExpiresAt: now.Add(k.Life)}
	if err := k.Store.AddBlob(ctx, b); err != nil {
		return "", fmt.Errorf("record a file: %w", err)
	}
	sealed := make([]byte, len(data))
	stream(secret, 0).XORKeyStream(sealed, data)
	if err := k.Place.Put(ctx, b.ID, sealed); err != nil {
		return "", fmt.Errorf("keep a file: %w", err) // its row expires with nothing behind it
	}
	return secret + extension(kind), nil
}

func idOf(secret string) string {
	sum := sha256.Sum256([]byte("id\x00" + secret))
	return hex.EncodeToString(sum[:16])
}

// stream is the cipher of a file from an offset on. Its key is used for one
// content only, so the counter may begin at nought.
func stream(secret string, offset int64) cipher.Stream {
	key := sha256.Sum256([]byte("key\x00" + secret))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // of a key of the wrong length only
	}
	var iv [aes.BlockSize]byte
	binary.BigEndian.PutUint64(iv[8:], uint64(offset/aes.BlockSize))
	s := cipher.NewCTR(block, iv[:])
	skip := make([]byte, offset%aes.BlockSize)
	s.XORKeyStream(skip, skip)
	return s
}

// extension is what a name ends in for the sake of those who save the file.
func extension(kind string) string {
	switch kind {
	case "image/jpeg":
		return ".jpg"
	case "audio/mpeg":
		return ".mp3"
	case "text/csv; charset=utf-8":
		return ".csv"
	case "application/x-ndjson":
		return ".ndjson"
	case "image/png", "image/webp", "image/gif", "video/mp4", "video/webm", "audio/wav", "audio/flac", "application/pdf":
		return "." + path.Base(kind)
	}
	return ""
}

// secretOf takes the secret out of a name.
func secretOf(name string) (string, bool) {
	secret, _, _ := strings.Cut(name, ".")
	if len(secret) != secretLength {
		return "", false
	}
	return secret, strings.Trim(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// File is a kept file, to be read and closed.
type File struct {
	store.Blob
	*reader
}

// Open finds a file by its name. hub.CodeNotFound: there is none, or its time is
// over.
func (k *Keeper) Open(ctx context.Context, name string) (*File, error) {
	secret, ok := secretOf(name)
	if k == nil || k.Place == nil || !ok {
		return nil, errUnknown
	}
	b, err := k.Store.BlobByID(ctx, idOf(secret))
	if errors.Is(err, store.ErrNotFound) || err == nil && !k.Now().Before(b.ExpiresAt) {
		return nil, errUnknown
	}
	if err != nil {
		return nil, hub.Wrap(hub.CodeUnavailable, err, "The file cannot be looked up now.")
	}
	r := &reader{ctx: ctx, place: k.Place, id: b.ID, secret: hub.Secret(secret), size: b.Size}
	if err := r.open(); errors.Is(err, ErrGone) {
		return nil, errUnknown
	} else if err != nil {
		return nil, hub.Wrap(hub.CodeUnavailable, err, "The file cannot be read now.")
	}
	return &File{Blob: b, reader: r}, nil
}

// Delete removes a user's own file.
func (k *Keeper) Delete(ctx context.Context, name, userID string) error {
	secret, ok := secretOf(name)
	if k == nil || k.Place == nil || !ok {
		return errUnknown
	}
	b, err := k.Store.BlobByID(ctx, idOf(secret))
	if errors.Is(err, store.ErrNotFound) || err == nil && b.UserID != userID {
		return errUnknown
	}
	if err != nil {
		return err
	}
	return k.drop(ctx, b.ID)
}

// drop removes the content first: a row without content is forgotten later, a
// content without a row would stay for ever.
func (k *Keeper) drop(ctx context.Context, id string) error {
	if err := k.Place.Delete(ctx, id); err != nil {
		return err
	}
	return k.Store.DropBlob(ctx, id)
}

// Expire removes files whose time is over.
func (k *Keeper) Expire(ctx context.Context) error {
	const batch = 200
	if k == nil || k.Place == nil {
		return nil
	}
	for {
		due, err := k.Store.ExpiredBlobs(ctx, batch)
		if err != nil {
			return err
		}
		for _, b := range due {
			if err := k.drop(ctx, b.ID); err != nil {
				return err
			}
		}
		if len(due) < batch {
			return nil
		}
	}
}

// Header is how a file of a type is shown safely: pictures, films and sounds of
// known types as such, everything else as bytes to save.
func Header(kind string) (contentType, disposition string) {
	bare, _, err := mime.ParseMediaType(kind)
	if err == nil {
		switch bare {
		case "image/png", "image/jpeg", "image/webp", "image/gif", "image/avif", "video/mp4", "video/webm", "video/quicktime",
			"audio/mpeg", "audio/wav", "audio/x-wav", "audio/flac", "audio/aac", "audio/ogg", "audio/mp4", "audio/opus":
			return bare, "inline"
		}
	}
	return "application/octet-stream", "attachment"
}
