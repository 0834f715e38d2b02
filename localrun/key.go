package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func keySpecs() []spec {
	id := text("id", "`ID` of the key, as listed")
	return []spec{
		{
			name: "create", usage: "make an API key and print it, this once", run: keyCreate, needs: []string{"user", "name"}, arg: "name",
			flags: append([]cli.Flag{
				text("user", "e-mail `ADDRESS` of the owner"), text("name", "`NAME` to tell it apart by"),
				text("expires", "`WHEN` it ends: a time (RFC 3339) or how long from now (720h)"),
				text("wallet", "the shared `WALLET` that pays for its calls; its owner must be a member"),
				text("app", "make a service key of the application `ID`: its calls count as the application's, its owner answers for it"),
			}, keyTermFlags("")...),
			about: "The key stands alone on standard output. Only its hash is kept, so it cannot be shown again.\n" +
				"Its limits can be changed later with \"key edit\" or \"limit set --scope key\".",
		},
		{
			name: "list", usage: "list API keys, without the keys themselves", run: keyList,
			flags: []cli.Flag{text("user", "only those of the user with the e-mail `ADDRESS`")},
		},
		{
			name: "show", usage: "show an API key with its restrictions, limits and use", run: keyShow, needs: []string{"id"}, arg: "id",
			flags: []cli.Flag{id, number("days", "use of the last `N` days (30, at most 31)")},
		},
		{
			name: "edit", usage: "change an API key's name, end, restrictions or limits", run: keyEdit, needs: []string{"id"}, arg: "id",
			flags: append([]cli.Flag{
				id, text("name", "its new `NAME`"), text("expires", "`WHEN` it ends: a time (RFC 3339), how long from now (720h), or never"),
			}, keyTermFlags("; none takes it away")...),
			about: "What is not named stays. A change works within two seconds, also in calls that are about to begin elsewhere.",
		},
		{
			name: "rotate", usage: "give an API key another secret and print it, this once", run: keyRotate, needs: []string{"id"}, arg: "id",
			flags: []cli.Flag{id, text("grace", "how `LONG` the secret in use stays good beside the new one, such as 24h (0s, at most 2160h)")},
			about: "It stays the same key: use, limits, wallet and restrictions go on, whichever secret a call comes with.\n" +
				"A secret that an earlier rotation left good ends at once.",
		},
		{
			name: "wallet", usage: "choose the shared wallet that pays for a key's calls; without --wallet its user's own pays", run: keyWallet,
			needs: []string{"id"}, arg: "id", flags: []cli.Flag{id, text("wallet", "the shared `WALLET`")},
		},
		{
			name: "revoke", usage: "end an API key; from then on it admits nothing", run: keyRevoke, needs: []string{"id"}, arg: "id",
			flags: []cli.Flag{id},
		},
	}
}

// newKeyView is a key as it is shown once.
type newKeyView struct {
	ID        string     `json:"id"`
	Key       string     `json:"key"`
	Name      string     `json:"name"`
	User      string     `json:"user"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

func keyCreate(j *job) error {
	expires, err := j.moment("expires")
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		terms, err := j.keyTerms()
		if err != nil {
			return err
		}
		key, row, err := a.Desk.CreateLimitedKey(j.ctx, actor, j.text("user"), j.text("name"), expires, terms)
		if err != nil {
			return err
		}
		return j.show(newKeyView{row.ID, key.Reveal(), row.Name, j.text("user"), row.ExpiresAt}, key.Reveal()+"\n")
	})
}

// moment reads a point in time: RFC 3339, or a duration from now. nil: not given.
func (j *job) moment(flag string) (*time.Time, error) {
	raw := strings.TrimSpace(j.text(flag))
	if raw == "" && !j.c.IsSet(flag) {
		return nil, nil
	}
	if d, err := time.ParseDuration(raw); err == nil && d > 0 {
		t := time.Now().Add(d).UTC()
		return &t, nil
	}
	t, err := time.Parse(time.RFC3339, raw)
	if err != nil {
		return nil, hub.Invalid(flag, "--%s must be a time such as 2027-01-31T00:00:00Z or a duration such as 720h, not %q", flag, raw)
	}
	t = t.UTC()
	return &t, nil
}

// keyView is a key as it is listed.
type keyView struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	User       string     `json:"user"`
	Hint       string     `json:"hint"` // its last characters
	ExpiresAt  *time.Time `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	CreatedAt  time.Time  `json:"created_at"`

	Models []string    `json:"models"` // null: all
	IPs    []string    `json:"ips"`    // null: all
	Scopes []hub.Scope `json:"scopes"` // null: whatever the user may do
	App    string      `json:"app"`    // of a service key

	Managed string `json:"managed,omitempty"` // file: only the file that was applied may change it
}

func keyList(j *job) error {
	return j.withHub(func(a *boot.App) error {
		keys, err := j.keys(a)
		if err != nil {
			return err
		}
		mails := emails{store: a.Store}
		views, rows := make([]keyView, 0, len(keys)), make([][]string, 0, len(keys))
		for _, k := range keys {
			email, err := mails.of(j.ctx, k.UserID)
			if err != nil {
				return err
			}
			views = append(views, keyView{k.ID, k.Name, email, k.Hint, k.ExpiresAt, k.RevokedAt, k.LastUsedAt, k.CreatedAt, k.Models, k.IPs, k.Scopes, k.AppID, k.Managed})
			rows = append(rows, []string{k.ID, k.Name, email, "…" + k.Hint, timeOrDash(k.ExpiresAt), timeOrDash(k.RevokedAt), timeOrDash(k.LastUsedAt), timeOrDash(&k.CreatedAt), restrictions(&k)})
		}
		return j.show(views, table("ID NAME USER KEY EXPIRES REVOKED USED CREATED RESTRICTED", rows))
	})
}

func (j *job) keys(a *boot.App) ([]store.APIKey, error) {
	next := func(after string) ([]store.APIKey, error) { return a.Store.AllKeys(j.ctx, after, page) }
	if email := j.text("user"); email != "" {
		u, err := a.Desk.User(j.ctx, email)
		if err != nil {
			return nil, err
		}
		next = func(after string) ([]store.APIKey, error) { return a.Store.Keys(j.ctx, u.ID, after, page) }
	}
	var all []store.APIKey
	for after := ""; ; after = all[len(all)-1].ID {
		more, err := next(after)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
		if len(more) < page {
			return all, nil
		}
	}
}

func keyRevoke(j *job) error {
	return j.withHub(func(a *boot.App) error {
		id := j.text("id")
		if err := a.Desk.RevokeKey(j.ctx, actor, id); err != nil {
			return err
		}
		return j.show(map[string]any{"id": id, "revoked": true}, fmt.Sprintf("Revoked key %s.\n", id))
	})
}

func keyWallet(j *job) error {
	return j.withHub(func(a *boot.App) error {
		id, wallet := j.text("id"), j.text("wallet")
		if err := a.Desk.BindKey(j.ctx, actor, id, wallet); err != nil {
			return err
		}
		pays := "its user's own wallet"
		if wallet != "" {
			pays = "the wallet " + wallet
		}
		return j.show(map[string]any{"id": id, "wallet": wallet}, fmt.Sprintf("From now on %s pays for the calls of key %s.\n", pays, id))
	})
}

// emails finds users' e-mail addresses by id and remembers them.
type emails struct {
	store *store.Store
	known map[string]string
}

func (m *emails) of(ctx context.Context, userID string) (string, error) {
	if email, ok := m.known[userID]; ok {
		return email, nil
	}
	u, err := m.store.UserByID(ctx, userID)
	if err != nil {
		return "", fmt.Errorf("user %s: %w", userID, err)
	}
	if m.known == nil {
		m.known = map[string]string{}
	}
	m.known[userID] = u.Email
	return u.Email, nil
}
