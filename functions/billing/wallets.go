package billing

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// accountView is what is on a wallet; amounts are credits as decimal text.
type accountView struct {
	Balance   money.Credits `json:"balance"`
	Held      money.Credits `json:"held"` // set aside for calls that are running
	Available money.Credits `json:"available"`
	Debt      money.Credits `json:"debt"` // of reversed payments; while it is open no call starts
}

func viewAccount(a store.Account) accountView {
	return accountView{Balance: a.Balance, Held: a.Held, Available: a.Available(), Debt: a.Debt}
}

// walletView is a shared wallet.
type walletView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind"` // team or app
	accountView
	CreatedAt time.Time  `json:"created_at"`
	ClosedAt  *time.Time `json:"closed_at"`
}

func viewWallet(w store.Wallet) walletView {
	return walletView{ID: w.AccountID, Name: w.Name, Kind: w.Kind, accountView: viewAccount(store.Account{Balance: w.Balance, Held: w.Held, Debt: w.Debt}),
		CreatedAt: w.CreatedAt, ClosedAt: w.ClosedAt}
}

// listWallets lists all shared wallets: ?cursor=, ?pageSize=.
func (h *handler) listWallets(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	rows, err := h.Store.Wallets(r.Context(), after, size+1)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(w store.Wallet) string { return w.AccountID }, viewWallet))
}

type newWallet struct {
	Name string `json:"name" validate:"required"`
	Kind string `json:"kind"` // team (default) or app
}

func (h *handler) createWallet(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newWallet](r)
	if err != nil {
		return err
	}
	made, err := h.Desk.CreateWallet(r.Context(), c.Email, in.Name, in.Kind)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusCreated, viewWallet(made))
}

func (h *handler) closeWallet(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.CloseWallet(r.Context(), c.Email, r.PathValue("name")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// ownWalletView is a shared wallet as a member of it sees it.
type ownWalletView struct {
	walletView
	Manager bool `json:"manager"` // the caller is one: may see and change its members, and see what moved it
}

// ownWallets lists the open shared wallets that the caller may spend from.
func (h *handler) ownWallets(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	rows, err := h.Store.WalletsOf(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	managed, err := h.Store.ManagedBy(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, len(rows), func(w store.Wallet) string { return w.AccountID }, func(w store.Wallet) ownWalletView {
		return ownWalletView{viewWallet(w), slices.Contains(managed, w.AccountID)}
	}))
}

// managed finds a shared wallet that the caller may manage: a manager of it, or
// who administers the hub. A wallet of strangers and none look the same.
func (h *handler) managed(r *http.Request, c hub.Caller, name string) (store.Wallet, error) {
	wallet, err := h.Desk.Wallet(r.Context(), name)
	if c.All {
		return wallet, err
	}
	hidden := hub.Errorf(hub.CodeNotFound, "There is no shared wallet %s.", name)
	if hub.CodeOf(err) == hub.CodeNotFound {
		return wallet, hidden
	}
	if err != nil {
		return wallet, err
	}
	m, err := h.Store.MemberOf(r.Context(), wallet.AccountID, c.UserID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return wallet, hidden
	case err != nil:
		return wallet, err
	case !m.Manager:
		return wallet, hub.Errorf(hub.CodeForbidden, "Only managers of the wallet %s may do that.", wallet.Name)
	}
	return wallet, nil
}

// memberView is a member of a shared wallet.
type memberView struct {
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Manager   bool      `json:"manager"`
	CreatedAt time.Time `json:"created_at"`
}

// listMembers lists the members of a shared wallet: ?cursor=, ?pageSize=.
func (h *handler) listMembers(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	wallet, err := h.managed(r, c, r.PathValue("name"))
	if err != nil {
		return err
	}
	rows, err := h.Store.Members(r.Context(), wallet.AccountID, after, size+1)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(m store.Member) string { return m.UserID }, func(m store.Member) memberView {
		return memberView{Email: m.Email, Name: m.Name, Manager: m.Manager, CreatedAt: m.CreatedAt}
	}))
}

type newMember struct {
	Manager bool `json:"manager"`
}

func (h *handler) setMember(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newMember](r)
	if err != nil {
		return err
	}
	wallet, err := h.managed(r, c, r.PathValue("name"))
	if err != nil {
		return err
	}
	if err := h.Desk.SetMember(r.Context(), c.Email, wallet.AccountID, r.PathValue("email"), in.Manager); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h *handler) removeMember(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	wallet, err := h.managed(r, c, r.PathValue("name"))
	if err != nil {
		return err
	}
	if err := h.Desk.RemoveMember(r.Context(), c.Email, wallet.AccountID, r.PathValue("email")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

type newOwnTransfer struct {
	ID     string        `json:"id" validate:"max=100"`
	Wallet string        `json:"wallet" validate:"required,max=100"` // name or id of a wallet that the caller is a member of
	Amount money.Credits `json:"amount"`
	Reason string        `json:"reason" validate:"max=500"`
}

// ownTransfer moves credits from the caller's own wallet to a shared one. The
// way back is a manager's of the hub.
func (h *handler) ownTransfer(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newOwnTransfer](r)
	if err != nil {
		return err
	}
	mine, err := h.Store.WalletsOf(r.Context(), c.UserID)
	if err != nil {
		return err
	}
	to := operator.Purse{}
	for _, m := range mine {
		if m.Name == in.Wallet || m.AccountID == in.Wallet {
			to.Wallet = m.AccountID
		}
	}
	if to.Wallet == "" {
		return hub.Errorf(hub.CodeNotFound, "There is no shared wallet %s of which you are a member.", in.Wallet)
	}
	if in.Reason == "" {
		in.Reason = "transfer"
	}
	id := in.ID
	if id != "" { // one user's id says nothing about another's
		id = c.UserID + "/" + id
	}
	if err := h.Desk.Transfer(r.Context(), c.Email, operator.Purse{User: c.Email}, to, ledger.Transfer{ID: id, Amount: in.Amount, Reason: in.Reason}); err != nil {
		return err
	}
	return h.showBalance(w, r, operator.Purse{User: c.Email})
}
