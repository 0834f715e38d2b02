// Package selling is how credits are sold: redeem codes, card payments with what
// becomes of them, automatic top-ups, receipts and the price of credits. The
// books are the ledger's; the wire of the payment provider is stripe's.
package selling

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// Codes makes, shows and redeems codes.
type Codes struct {
	Store *store.Store
	Now   hub.Now
	// Vault opens the keyring that seals codes.
	Vault func(ctx context.Context) (*vault.Keyring, error)
	// Elsewhere reports users whose credits a payment system beside the hub keeps:
	// it would bill what a code gives. nil: nobody's.
	Elsewhere func(u store.User) bool
}

// The bounds of what is made at once, and of wrong codes by a user in an hour.
const (
	MaxCodes  = 10_000
	maxUses   = 1_000_000
	maxLife   = 100 * 366 * 24 * time.Hour
	codeTries = 10
)

// NewCodes describes codes to make.
type NewCodes struct {
	Count     int
	Amount    money.Credits
	Batch     string // names them together; "" makes a name of the day
	Prefix    string // begins each code, such as SPRING; may be ""
	Kind      string // promotional (default) or purchased
	Priority  int64  // of the grant, lower is spent first; 0: 50
	Life      time.Duration
	MaxUses   int64 // by different users; 0: 1
	ExpiresAt *time.Time
}

// Code is a code with what is known of it.
type Code struct {
	store.RedeemCode
	Text hub.Secret // "" where it is not shown
}

// MaxLifeDays is the longest lifetime of a code's credits.
const MaxLifeDays = int(maxLife / (24 * time.Hour))

// LifeDays is Life in days, rounded up.
func (c Code) LifeDays() int64 { return int64((c.Life + 24*time.Hour - 1) / (24 * time.Hour)) }

// State says whether the code works: active, used, expired or disabled.
func (c Code) State(now time.Time) string {
	switch {
	case c.DisabledAt != nil:
		return "disabled"
	case c.Uses >= c.MaxUses:
		return "used"
	case c.ExpiresAt != nil && !c.ExpiresAt.After(now):
		return "expired"
	}
	return "active"
}

var (
	batchRule  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	prefixRule = regexp.MustCompile(`^[A-Z0-9]{0,12}$`)
)

func (n *NewCodes) check(now time.Time) error {
	n.Prefix = strings.ToUpper(strings.TrimSpace(n.Prefix))
	if n.Kind == "" {
		n.Kind = "promotional"
	}
	if n.Priority == 0 {
		n.Priority = 50
	}
	if n.MaxUses == 0 {
		n.MaxUses = 1
	}
	switch {
	case n.Count < 1 || n.Count > MaxCodes:
		return hub.Invalid("count", "Make 1 to %d codes at once.", MaxCodes)
	case n.Amount <= 0:
		return hub.Invalid("amount", "The amount must be greater than 0 credits.")
	case !batchRule.MatchString(n.Batch):
		return hub.Invalid("batch", "A batch's name has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit.")
	case !prefixRule.MatchString(n.Prefix):
		return hub.Invalid("prefix", "A prefix has at most 12 letters and digits.")
	case n.Kind != "promotional" && n.Kind != "purchased":
		return hub.Invalid("kind", "The kind must be promotional or purchased.")
	case n.Priority < 1 || n.Priority > 1000:
		return hub.Invalid("priority", "The priority must be 1 to 1000.")
	case n.MaxUses < 1 || n.MaxUses > maxUses:
		return hub.Invalid("max_uses", "A code can be used 1 to %d times.", maxUses)
	case n.Life < 0 || n.Life > maxLife || n.Life%time.Millisecond != 0:
		return hub.Invalid("life", "The credits' lifetime must be a positive duration of at most a hundred years.")
	case n.ExpiresAt != nil && !n.ExpiresAt.After(now):
		return hub.Invalid("expires_at", "The expiry must lie in the future.")
	}
	return nil
}

// alphabet is Crockford's base 32: without letters that are taken for others.
const (
	alphabet   = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	groups     = 4
	groupChars = 5
	hintChars  = 4
)

// newCode makes a code of 100 random bits, such as SPRING-7Q2ZD-….
func newCode(prefix string) hub.Secret {
	var b [groups * groupChars]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	var text strings.Builder
	text.WriteString(prefix)
	for i, x := range b {
		if i%groupChars == 0 && text.Len() > 0 {
			text.WriteByte('-')
		}
		text.WriteByte(alphabet[x&31])
	}
	return hub.Secret(text.String())
}

// hashCode is what is stored of a code. Dashes, blanks, the letters' case, and
// letters that look like digits do not matter to it.
func hashCode(code hub.Secret) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r == 'O':
			return '0'
		case r == 'I', r == 'L':
			return '1'
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z':
			return r
		case r == '-', r == ' ', r == '\t', r == '\n', r == '\r', r == '\u00a0', r == '\u2010', r == '\u2011', r == '\u2013':
			return -1
		}
		return '?' // nothing that was made has it
	}, strings.ToUpper(code.Reveal()))
	h := sha256.Sum256([]byte(plain))
	return hex.EncodeToString(h[:])
}

// codeAAD binds a sealed code to its row.
func codeAAD(id string) string { return "redeem_codes/" + id + "/code" }

// Create makes codes. They are returned here, and by Export to whoever may
// export; the database alone reveals none.
func (c *Codes) Create(ctx context.Context, actor string, n NewCodes) ([]Code, error) {
	if n.Batch == "" {
		n.Batch = c.Now().UTC().Format("2006-01-02.150405")
	}
	if err := n.check(c.Now()); err != nil {
		return nil, err
	}
	taken, err := c.Store.HasBatch(ctx, n.Batch)
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, hub.Errorf(hub.CodeConflict, "There is a batch named %s already.", n.Batch)
	}
	keyring, err := c.Vault(ctx)
	if err != nil {
		return nil, err
	}
	out, rows := make([]Code, n.Count), make([]store.RedeemCode, n.Count)
	for i := range out {
		text := newCode(n.Prefix)
		row := store.RedeemCode{ID: c.Store.NewID(), Hash: hashCode(text), Hint: text.Reveal()[len(text)-hintChars:], Batch: n.Batch, Amount: n.Amount, Kind: n.Kind,
			Priority: n.Priority, Life: n.Life, MaxUses: n.MaxUses, ExpiresAt: n.ExpiresAt, Actor: actor, CreatedAt: c.Now().UTC()}
		if row.Sealed, row.KeyID, err = keyring.Seal(codeAAD(row.ID), text); err != nil {
			return nil, err
		}
		rows[i], out[i] = row, Code{row, text}
	}
	return out, c.Store.AddRedeemCodes(ctx, rows)
}

// Export lists a batch's codes with their texts, up to limit after the one with
// id after.
func (c *Codes) Export(ctx context.Context, batch, after string, limit int) ([]Code, error) {
	rows, err := c.Store.RedeemCodes(ctx, batch, "", after, limit)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	keyring, err := c.Vault(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Code, len(rows))
	for i, row := range rows {
		text, err := keyring.Open(codeAAD(row.ID), row.Sealed)
		if err != nil {
			return nil, fmt.Errorf("redeem code %s: %w", row.ID, err)
		}
		out[i] = Code{row, text}
	}
	return out, nil
}

// Redeem gives a user a code's credits.
func (c *Codes) Redeem(ctx context.Context, caller hub.Caller, code hub.Secret) (store.Grant, error) {
	const longest = 200
	if len(code) == 0 || len(code) > longest {
		return store.Grant{}, hub.Invalid("code", "Send the code as it was given to you, such as SPRING-7Q2ZD-0F3VK-9XWTN-4C8MB.")
	}
	// Not Caller.AccountID: a key may spend a shared wallet, a code is its user's.
	user, err := c.Store.UserByID(ctx, caller.UserID)
	if err != nil {
		return store.Grant{}, err
	}
	if c.Elsewhere != nil && c.Elsewhere(user) {
		return store.Grant{}, hub.Errorf(hub.CodeConflict, "The credits of your account are kept by a payment system beside the hub; this hub's codes do not work for it.")
	}
	g, err := c.Store.Redeem(ctx, hashCode(code), user.ID, user.AccountID, codeTries)
	var tries *store.TriesError
	switch {
	case errors.As(err, &tries):
		e := hub.Errorf(hub.CodeRateLimited, "Too many codes that do not work. Try again later.")
		e.RetryAfter = tries.Wait
		return g, e
	case errors.Is(err, store.ErrNoCode):
		return g, hub.Errorf(hub.CodeNotFound, "This code is not valid. Check it for typing errors.")
	case errors.Is(err, store.ErrCodeExpired):
		return g, hub.Errorf(hub.CodeConflict, "This code has expired.")
	case errors.Is(err, store.ErrCodeUsed):
		return g, hub.Errorf(hub.CodeConflict, "This code has been used.")
	case errors.Is(err, store.ErrCodeYours):
		return g, hub.Errorf(hub.CodeConflict, "You have redeemed this code already; its credits are in your account.")
	}
	return g, err
}
