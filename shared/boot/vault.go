package boot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// keyStore holds the keyring of a process. It has a lock of its own: the keyring
// asks for newer keys while the configuration is being loaded.
type keyStore struct {
	opened atomic.Pointer[vault.Keyring] // ring, for those who need not wait for a look

	mu      sync.Mutex
	ring    *vault.Keyring
	have    string                   // what the keys were when ring was made
	looked  time.Time                // when they were last compared
	masters map[string]*vault.Master // opened so far: a key service is asked once
}

// lookEvery is how old what is known of the data keys can be: from then on a
// process seals under a key that was added, and no longer under one that was
// closed. A process that serves looks more often, so that no call waits for it.
const lookEvery = 2 * time.Second

// Vault returns the keyring, making the first data key where there is none. It
// is the same keyring as long as the process lives, whatever becomes of its
// keys.
func (a *App) Vault(ctx context.Context) (*vault.Keyring, error) {
	k := &a.keys
	if ring := k.opened.Load(); ring != nil {
		if !k.mu.TryLock() { // somebody looks already
			return ring, nil
		}
	} else {
		k.mu.Lock()
	}
	defer k.mu.Unlock()
	if now := a.Now(); k.ring != nil && now.Sub(k.looked) < lookEvery && !now.Before(k.looked) {
		return k.ring, nil
	}
	err := a.openVault(ctx)
	if err != nil && k.ring != nil { // what was opened stays open
		a.Log.Warn("vault keys not refreshed", "error", err)
		return k.ring, nil
	}
	return k.ring, err
}

// openVault makes or refreshes the keyring; its lock is held.
func (a *App) openVault(ctx context.Context) error {
	rows, err := a.Store.VaultKeys(ctx)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		if rows, err = a.firstKey(ctx); err != nil {
			return err
		}
	}
	used, have := inUse(rows, a.Now())
	if a.keys.ring != nil && have == a.keys.have {
		a.keys.looked = a.Now()
		return nil
	}
	masters, err := a.mastersOf(ctx, used)
	if err != nil {
		return err
	}
	next, err := vault.New(nil, used, masters...)
	if errors.Is(err, vault.ErrOtherMaster) {
		return fmt.Errorf("%w; give the former master key by AIGNE_HUB_MASTER_KEY_OLD, or the right one by AIGNE_HUB_MASTER_KEY", err)
	}
	if err != nil {
		return err
	}
	if a.keys.ring == nil {
		next.OnUnknown(a.lookAgain)
		a.keys.ring = next
		a.keys.opened.Store(next)
	} else {
		a.keys.ring.Adopt(next)
	}
	a.keys.have, a.keys.looked = have, a.Now()
	return nil
}

// watchKeys refreshes the keyring, if there is one.
func (a *App) watchKeys(ctx context.Context) error {
	if a.keys.opened.Load() == nil {
		return nil
	}
	_, err := a.freshVault(ctx)
	return err
}

// lookAgain fetches data keys that other processes have added.
func (a *App) lookAgain() {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	a.keys.mu.Lock()
	defer a.keys.mu.Unlock()
	if err := a.openVault(ctx); err != nil {
		a.Log.Warn("vault keys not refreshed", "error", err)
	}
}

// inUse are the data keys that may seal something, or did until a moment ago,
// for what was read before it was sealed anew; and a text that differs when they
// do.
func inUse(rows []store.VaultKey, now time.Time) (used []vault.WrappedKey, have string) {
	const moment = 10 * time.Minute
	for _, r := range rows {
		if r.EmptiedAt == nil || now.Sub(*r.EmptiedAt) < moment {
			used = append(used, vault.WrappedKey{ID: r.ID, Wrapped: r.Wrapped, MasterID: r.MasterID, Closed: r.ClosedAt != nil})
			have += fmt.Sprintf("%s %t ", r.ID, r.ClosedAt != nil)
		}
	}
	return used, have
}

func (a *App) firstKey(ctx context.Context) ([]store.VaultKey, error) {
	master, err := a.newMaster(ctx)
	if err != nil {
		return nil, err
	}
	k, err := vault.NewDataKey(master, a.Now())
	if err != nil {
		return nil, err
	}
	return a.Store.AddFirstVaultKey(ctx, store.VaultKey{ID: k.ID, Wrapped: k.Wrapped, MasterID: k.MasterID})
}

// newMaster is the master key that data keys are wrapped under from now on, as
// the settings say: one of the environment, one that KMS makes, or that of the
// key file, which is made if it is not there.
func (a *App) newMaster(ctx context.Context) (*vault.Master, error) {
	switch {
	case a.Config.KMSKeyID != "":
		m, kept, err := a.kms().Generate(ctx, a.Config.KMSKeyID)
		if err != nil {
			return nil, err
		}
		// Stored before anything is wrapped under it.
		err = a.Store.AddVaultMaster(ctx, store.VaultMaster{ID: m.ID(), Key: kept.Key, Asked: a.Config.KMSKeyID, Wrapped: kept.Wrapped})
		a.keep(m)
		return m, err
	case a.Config.MasterKey != "":
		return vault.ParseMaster(a.Config.MasterKey)
	}
	m, created, err := vault.EnsureMasterFile(a.Config.MasterKeyFile())
	if created {
		a.Log.Info("master key made", "file", a.Config.MasterKeyFile())
	}
	return m, err
}

func (a *App) keep(m *vault.Master) {
	if a.keys.masters == nil {
		a.keys.masters = map[string]*vault.Master{}
	}
	a.keys.masters[m.ID()] = m
}

func (a *App) kms() vault.KMS { return a.env.aws("KMS", a.Now) }

// aws is how a service of AWS is asked, as the environment says.
func (e Env) aws(service string, now hub.Now) vault.KMS {
	region := cmp.Or(e.get("AWS_REGION"), e.get("AWS_DEFAULT_REGION"))
	endpoint := cmp.Or(e.get("AWS_ENDPOINT_URL_"+service), e.get("AWS_ENDPOINT_URL"))
	return vault.KMS{Region: region, Endpoint: endpoint, KeyID: e.get("AWS_ACCESS_KEY_ID"), Secret: secretField(e.get("AWS_SECRET_ACCESS_KEY")),
		Session: secretField(e.get("AWS_SESSION_TOKEN")), Now: now}
}

// mastersOf opens the master keys that wrap some data keys, as far as they are
// here: those of the settings, that of the key file, those that KMS keeps. Each
// is opened once in the life of a process.
func (a *App) mastersOf(ctx context.Context, keys []vault.WrappedKey) ([]*vault.Master, error) {
	for _, text := range []secretField{a.Config.MasterKey, a.Config.MasterKeyOld} {
		if text == "" {
			continue
		}
		m, err := vault.ParseMaster(text)
		if err != nil {
			return nil, err
		}
		a.keep(m)
	}
	var noFile error
	if a.Config.MasterKey == "" && a.Config.KMSKeyID == "" {
		m, err := vault.ReadMasterFile(a.Config.MasterKeyFile())
		switch {
		case err == nil:
			a.keep(m)
		case errors.Is(err, fs.ErrNotExist):
			noFile = err
		default:
			return nil, err
		}
	}
	if err := a.kmsMasters(ctx, keys); err != nil {
		return nil, err
	}
	var out []*vault.Master
	for _, k := range keys {
		m := a.keys.masters[k.MasterID]
		if m == nil && noFile != nil {
			return nil, fmt.Errorf("the database holds sealed secrets, but their master key is not here: %w", noFile)
		}
		if m != nil {
			out = append(out, m)
		}
	}
	if len(out) == 0 { // so that the error names what is here
		for _, m := range a.keys.masters {
			out = append(out, m)
		}
	}
	return out, nil
}

// kmsMasters has KMS open the master keys that it keeps and data keys need.
func (a *App) kmsMasters(ctx context.Context, keys []vault.WrappedKey) error {
	missing := map[string]bool{}
	for _, k := range keys {
		if a.keys.masters[k.MasterID] == nil {
			missing[k.MasterID] = true
		}
	}
	if len(missing) == 0 {
		return nil
	}
	kept, err := a.Store.VaultMasters(ctx)
	if err != nil {
		return err
	}
	for _, k := range kept {
		if !missing[k.ID] {
			continue
		}
		m, err := a.kms().Open(ctx, vault.KMSMaster{Key: k.Key, Wrapped: k.Wrapped})
		if err != nil {
			return fmt.Errorf("the vault cannot be opened: %w", err)
		}
		if m.ID() != k.ID {
			return fmt.Errorf("the vault cannot be opened: AWS KMS gave another master key than %s", k.ID)
		}
		a.keep(m)
	}
	return nil
}
