// Package vault seals the secrets that the database holds: AES-256-GCM under
// data keys, which a master key wraps. It stores nothing (wrapped keys and
// sealed values are the caller's to keep) and knows nothing of what it seals.
package vault

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// The errors that callers tell apart. None holds key material, plain text or
// sealed text.
var (
	// ErrOtherMaster: a data key was wrapped by a master key that is not here.
	ErrOtherMaster = errors.New("this database was sealed with another master key")
	// ErrNoKey: the keyring is empty.
	ErrNoKey = errors.New("the vault has no data key")
	// ErrFormat: the text is not a sealed value, or was cut.
	ErrFormat = errors.New("not a sealed value, or a truncated one")
	// ErrUnknownKey: a value was sealed under a data key that is not in the keyring.
	ErrUnknownKey = errors.New("sealed under a data key that is not in this vault")
	// ErrChanged: the value, the row it is bound to, or its key is not what was sealed.
	ErrChanged = errors.New("sealed value was changed, or belongs to another row")
)

const (
	version = "v1"
	// overhead is what AES-256-GCM adds: a nonce of 12 bytes and a tag of 16.
	overhead = 28
)

// encoding has no dot, and Strict leaves each value exactly one spelling.
var encoding = base64.RawURLEncoding.Strict()

// WrappedKey is a data key as it is stored: useless without its master key.
type WrappedKey struct {
	ID       string // ULID: a later key has a greater id
	Wrapped  string // v1.<id>.<base64url of nonce, ciphertext, tag>
	MasterID string // Master.ID of the key that wrapped it
	Closed   bool   // it opens, and seals no more
}

// NewDataKey makes a data key and wraps it. now goes into its id, which decides
// which key of a keyring seals.
func NewDataKey(m *Master, now time.Time) (WrappedKey, error) {
	id, err := ulid.New(ulid.Timestamp(now), rand.Reader)
	if err != nil {
		return WrappedKey{}, fmt.Errorf("make data key id: %w", err)
	}
	key := make([]byte, keySize)
	rand.Read(key) // never fails: crypto/rand ends the process instead
	return wrap(m, id.String(), key), nil
}

// Rewrap wraps a data key anew under to; values sealed under it stay as they
// are. from lists the master keys it may be wrapped by now. A key that to wraps
// already is checked and comes back unchanged.
func Rewrap(to *Master, key WrappedKey, from ...*Master) (WrappedKey, error) {
	plain, err := unwrap(key, append([]*Master{to}, from...))
	if err != nil || key.MasterID == to.id {
		return key, err
	}
	again := wrap(to, key.ID, plain)
	again.Closed = key.Closed
	return again, nil
}

func wrap(m *Master, id string, key []byte) WrappedKey {
	return WrappedKey{ID: id, Wrapped: seal(m.aead, id, wrapAAD(id, m.id), key), MasterID: m.id}
}

func unwrap(key WrappedKey, masters []*Master) ([]byte, error) {
	for _, m := range masters {
		if m == nil || m.id != key.MasterID {
			continue
		}
		id, data, err := split(key.Wrapped)
		if err != nil {
			return nil, fmt.Errorf("data key %s: %w", key.ID, err)
		}
		plain, err := m.aead.Open(nil, nil, data, []byte(wrapAAD(key.ID, m.id)))
		if err != nil || id != key.ID || len(plain) != keySize {
			return nil, fmt.Errorf("data key %s: %w", key.ID, ErrChanged)
		}
		return plain, nil
	}
	return nil, fmt.Errorf("%w: data key %s needs master key %s, given is %s",
		ErrOtherMaster, key.ID, key.MasterID, masterIDs(masters))
}

func masterIDs(masters []*Master) string {
	var ids []string
	for _, m := range masters {
		if m != nil {
			ids = append(ids, m.id)
		}
	}
	return strings.Join(ids, ", ")
}

func wrapAAD(id, masterID string) string {
	return "aigne-hub vault key " + version + "\x00" + id + "\x00" + masterID
}

// Keyring seals and opens values. It is safe for concurrent use, and prints as
// "***". Keys change only together (Adopt), so that who holds a keyring need not
// ask for another one when the keys follow each other.
type Keyring struct {
	ring    atomic.Pointer[ring]
	unknown func() // called, outside of any lock, before a value is refused for want of its key
}

type ring struct {
	keys   map[string]cipher.AEAD
	active string
}

// New unwraps all data keys, with master or, during a rotation, one of the old
// master keys (nil ones are skipped). Of those that are not closed the key with
// the greatest id seals; all of them open. It fails with ErrNoKey,
// ErrOtherMaster or ErrChanged.
func New(master *Master, wrapped []WrappedKey, old ...*Master) (*Keyring, error) {
	if len(wrapped) == 0 {
		return nil, ErrNoKey
	}
	masters := append([]*Master{master}, old...)
	r := &ring{keys: make(map[string]cipher.AEAD, len(wrapped))}
	last := ""
	for _, w := range wrapped {
		key, err := unwrap(w, masters)
		if err != nil {
			return nil, err
		}
		aead, err := newAEAD(key)
		if err != nil {
			return nil, fmt.Errorf("prepare data key %s: %w", w.ID, err)
		}
		r.keys[w.ID] = aead
		last = max(last, w.ID)
		if !w.Closed {
			r.active = max(r.active, w.ID)
		}
	}
	if r.active == "" {
		r.active = last
	}
	k := &Keyring{}
	k.ring.Store(r)
	return k, nil
}

// OnUnknown sets what is called when a value's data key is not in the keyring,
// to Adopt newer keys. It must be set before the keyring is shared.
func (k *Keyring) OnUnknown(f func()) { k.unknown = f }

// Adopt takes over the keys of another keyring.
func (k *Keyring) Adopt(other *Keyring) { k.ring.Store(other.ring.Load()) }

// Active is the id of the data key that seals.
func (k *Keyring) Active() string { return k.ring.Load().active }

// Seal encrypts plain and binds it to aad, which names the row and the column
// that hold it, such as "ai_credentials/<id>/value"; it must not be empty. The
// sealed text is v1.<keyID>.<base64url>; equal values give different texts.
func (k *Keyring) Seal(aad string, plain hub.Secret) (sealed, keyID string, err error) {
	if aad == "" {
		return "", "", errors.New("seal: the name of the row is missing")
	}
	r := k.ring.Load()
	return seal(r.keys[r.active], r.active, valueAAD(r.active, aad), []byte(plain)), r.active, nil
}

// Open decrypts what Seal made for the same aad. It fails with ErrFormat,
// ErrUnknownKey or ErrChanged.
func (k *Keyring) Open(aad, sealed string) (hub.Secret, error) {
	id, data, err := split(sealed)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", aad, err)
	}
	aead, ok := k.ring.Load().keys[id]
	if !ok && k.unknown != nil {
		k.unknown()
		aead, ok = k.ring.Load().keys[id]
	}
	if !ok {
		return "", fmt.Errorf("open %s: %w", aad, ErrUnknownKey)
	}
	plain, err := aead.Open(nil, nil, data, []byte(valueAAD(id, aad)))
	if err != nil {
		return "", fmt.Errorf("open %s: %w", aad, ErrChanged)
	}
	return hub.Secret(plain), nil
}

// String hides the keys.
func (*Keyring) String() string { return "***" }

// GoString hides the keys from %#v.
func (*Keyring) GoString() string { return "***" }

// LogValue shows only the id of the key that seals.
func (k *Keyring) LogValue() slog.Value { return slog.StringValue("keyring " + k.Active()) }

func valueAAD(keyID, aad string) string {
	return "aigne-hub vault value " + version + "\x00" + keyID + "\x00" + aad
}

func seal(aead cipher.AEAD, id, aad string, plain []byte) string {
	return version + "." + id + "." + encoding.EncodeToString(aead.Seal(nil, nil, plain, []byte(aad)))
}

func split(sealed string) (id string, data []byte, err error) {
	head, rest, _ := strings.Cut(sealed, ".")
	id, text, ok := strings.Cut(rest, ".")
	if head != version || !ok || id == "" {
		return "", nil, ErrFormat
	}
	data, err = encoding.DecodeString(text)
	if err != nil || len(data) < overhead {
		return "", nil, ErrFormat
	}
	return id, data, nil
}

// KeyID returns the id of the data key that sealed a value, without opening it.
func KeyID(sealed string) (string, error) {
	id, _, err := split(sealed)
	return id, err
}
