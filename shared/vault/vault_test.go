package vault_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

const (
	row   = "ai_credentials/01A/value"
	plain = hub.Secret("sk-plain-text-of-the-test")
)

var epoch = time.Unix(1_750_000_000, 0).UTC()

func newMaster(t *testing.T) *vault.Master {
	t.Helper()
	m, err := vault.ParseMaster(vault.GenerateMaster())
	require.NoError(t, err)
	return m
}

func newKey(t *testing.T, m *vault.Master, at time.Time) vault.WrappedKey {
	t.Helper()
	w, err := vault.NewDataKey(m, at)
	require.NoError(t, err)
	return w
}

func newRing(t *testing.T, m *vault.Master, keys ...vault.WrappedKey) *vault.Keyring {
	t.Helper()
	k, err := vault.New(m, keys)
	require.NoError(t, err)
	return k
}

func TestAValueComesBackForItsOwnRowOnly(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	w := newKey(t, m, epoch)
	k := newRing(t, m, w)
	for _, value := range []hub.Secret{plain, "", "ключ\x00", hub.Secret(strings.Repeat("x", 1<<16))} {
		sealed, id, err := k.Seal(row, value)
		require.NoError(t, err)
		assert.Equal(t, w.ID, id)
		assert.True(t, strings.HasPrefix(sealed, "v1."+w.ID+"."))
		got, err := k.Open(row, sealed)
		require.NoError(t, err)
		assert.Equal(t, value.Reveal(), got.Reveal())

		_, err = k.Open("ai_credentials/01B/value", sealed)
		require.ErrorIs(t, err, vault.ErrChanged)
	}
}

func TestEqualValuesAreSealedDifferently(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	k := newRing(t, m, newKey(t, m, epoch))
	a, _, err := k.Seal(row, plain)
	require.NoError(t, err)
	b, _, err := k.Seal(row, plain)
	require.NoError(t, err)
	assert.NotEqual(t, a, b)
	assert.NotContains(t, a, plain.Reveal())
}

func TestAValueWithoutARowIsNotSealed(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	_, _, err := newRing(t, m, newKey(t, m, epoch)).Seal("", plain)
	require.Error(t, err)
}

func TestEveryChangedOrCutCharacterIsNoticed(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	k := newRing(t, m, newKey(t, m, epoch))
	sealed, _, err := k.Seal(row, plain)
	require.NoError(t, err)
	for i := range sealed {
		other := byte('A')
		if sealed[i] == other {
			other = 'B'
		}
		_, err := k.Open(row, sealed[:i]+string(other)+sealed[i+1:])
		require.Error(t, err, "changed at %d", i)
		assertTellsNothing(t, err, sealed)
		_, err = k.Open(row, sealed[:i])
		require.Error(t, err, "cut at %d", i)
		assertTellsNothing(t, err, sealed)
	}
}

func assertTellsNothing(t *testing.T, err error, sealed string) {
	t.Helper()
	assert.NotContains(t, err.Error(), plain.Reveal())
	assert.NotContains(t, err.Error(), sealed[strings.LastIndex(sealed, ".")+1:][:12])
}

func TestTextThatIsNotSealedGivesAClearError(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	w := newKey(t, m, epoch)
	k := newRing(t, m, w)
	body := strings.Repeat("A", 60)
	tests := []struct {
		name, sealed string
		want         error
	}{
		{"nothing", "", vault.ErrFormat},
		{"plain text", "sk-live-1234", vault.ErrFormat},
		{"another version", "v2." + w.ID + "." + body, vault.ErrFormat},
		{"no key id", "v1.." + body, vault.ErrFormat},
		{"two parts", "v1." + w.ID, vault.ErrFormat},
		{"no base64", "v1." + w.ID + ".%%%", vault.ErrFormat},
		{"shorter than nonce and tag", "v1." + w.ID + ".AAAA", vault.ErrFormat},
		{"a key that is not here", "v1.01ZZZ." + body, vault.ErrUnknownKey},
		{"chance bytes", "v1." + w.ID + "." + body, vault.ErrChanged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := k.Open(row, tt.sealed)
			require.ErrorIs(t, err, tt.want)
			assert.Contains(t, err.Error(), row)
		})
	}
}

func TestTheNewestKeySealsAndAllOpen(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	older, newer := newKey(t, m, epoch), newKey(t, m, epoch.Add(time.Hour))
	before := newRing(t, m, older)
	sealed, _, err := before.Seal(row, plain)
	require.NoError(t, err)

	after := newRing(t, m, newer, older)
	assert.Equal(t, newer.ID, after.Active())
	got, err := after.Open(row, sealed)
	require.NoError(t, err)
	assert.Equal(t, plain.Reveal(), got.Reveal())
	_, id, err := after.Seal(row, plain)
	require.NoError(t, err)
	assert.Equal(t, newer.ID, id)
}

func TestAnotherMasterKeyIsNamed(t *testing.T) {
	t.Parallel()
	m, other := newMaster(t), newMaster(t)
	_, err := vault.New(other, []vault.WrappedKey{newKey(t, m, epoch)})
	require.ErrorIs(t, err, vault.ErrOtherMaster)
	assert.Contains(t, err.Error(), m.ID())
	assert.Contains(t, err.Error(), other.ID())
}

func TestAnEmptyVaultIsRefused(t *testing.T) {
	t.Parallel()
	_, err := vault.New(newMaster(t), nil)
	require.ErrorIs(t, err, vault.ErrNoKey)
}

func TestAWrappedKeyThatWasTamperedWithIsRefused(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	a, b := newKey(t, m, epoch), newKey(t, m, epoch)
	tests := []struct {
		name string
		key  vault.WrappedKey
		want error
	}{
		{"another key's text", vault.WrappedKey{ID: a.ID, Wrapped: b.Wrapped, MasterID: m.ID()}, vault.ErrChanged},
		{"another id", vault.WrappedKey{ID: b.ID, Wrapped: a.Wrapped, MasterID: m.ID()}, vault.ErrChanged},
		{"cut text", vault.WrappedKey{ID: a.ID, Wrapped: a.Wrapped[:40], MasterID: m.ID()}, vault.ErrFormat},
		{"no text", vault.WrappedKey{ID: a.ID, MasterID: m.ID()}, vault.ErrFormat},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := vault.New(m, []vault.WrappedKey{tt.key})
			require.ErrorIs(t, err, tt.want)
		})
	}
}

func TestAMasterKeyCanBeRotated(t *testing.T) {
	t.Parallel()
	old, fresh := newMaster(t), newMaster(t)
	w := newKey(t, old, epoch)
	sealed, _, err := newRing(t, old, w).Seal(row, plain)
	require.NoError(t, err)

	during, err := vault.New(fresh, []vault.WrappedKey{w}, old, nil)
	require.NoError(t, err, "the old master key still unwraps")
	_, err = during.Open(row, sealed)
	require.NoError(t, err)

	moved, err := vault.Rewrap(fresh, w, old)
	require.NoError(t, err)
	assert.Equal(t, fresh.ID(), moved.MasterID)
	assert.Equal(t, w.ID, moved.ID)
	got, err := newRing(t, fresh, moved).Open(row, sealed)
	require.NoError(t, err)
	assert.Equal(t, plain.Reveal(), got.Reveal())
	_, err = vault.New(old, []vault.WrappedKey{moved})
	require.ErrorIs(t, err, vault.ErrOtherMaster)

	again, err := vault.Rewrap(fresh, moved, old)
	require.NoError(t, err)
	assert.Equal(t, moved, again, "a second run changes nothing")
	_, err = vault.Rewrap(newMaster(t), moved)
	require.ErrorIs(t, err, vault.ErrOtherMaster)
}

func TestKeysNeverPrint(t *testing.T) {
	t.Parallel()
	secret := vault.GenerateMaster()
	m, err := vault.ParseMaster(secret)
	require.NoError(t, err)
	k := newRing(t, m, newKey(t, m, epoch))
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "master", m, "ring", k)
	for _, v := range []any{secret, m, k} {
		fmt.Fprintf(&out, "%v %+v %#v %s\n", v, v, v, v)
		b, err := json.Marshal(v)
		require.NoError(t, err)
		out.Write(b)
	}
	assert.NotContains(t, out.String(), secret.Reveal())
	assert.NotContains(t, out.String(), "0x", "not even addresses")
	assert.Contains(t, out.String(), m.ID())
}

func FuzzOpenNeverPanics(f *testing.F) {
	m, err := vault.ParseMaster(vault.GenerateMaster())
	require.NoError(f, err)
	w, err := vault.NewDataKey(m, epoch)
	require.NoError(f, err)
	k, err := vault.New(m, []vault.WrappedKey{w})
	require.NoError(f, err)
	sealed, _, err := k.Seal(row, plain)
	require.NoError(f, err)
	f.Add(sealed + "A")
	f.Add("v1." + w.ID + ".")
	f.Add("...")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := k.Open(row, text); err == nil && text != sealed {
			t.Errorf("opened %q to %d bytes", text, len(got.Reveal()))
		}
	})
}
