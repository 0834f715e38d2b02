package store_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func newMember(t *testing.T, s *store.Store, email string) store.User {
	t.Helper()
	u, err := s.CreateUser(t.Context(), store.User{Email: email, Role: hub.RoleMember})
	require.NoError(t, err)
	return u
}

func TestTriesAreCountedOnceHoweverManyAtOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		a := store.Try{Subject: "a", Window: time.Hour, Most: 5}
		b := store.Try{Subject: "b", Window: time.Hour, Most: 3}
		var taken atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				err := s.Take(context.Background(), a)
				if err == nil {
					taken.Add(1)
					return
				}
				assert.ErrorIs(t, err, store.ErrTries)
			})
		}
		wg.Wait()
		assert.EqualValues(t, 5, taken.Load())
		require.ErrorIs(t, s.Take(t.Context(), b, a), store.ErrTries, "all or none")
		wait, err := s.TriesEnd(t.Context(), b, a)
		require.NoError(t, err)
		assert.Greater(t, wait, 59*time.Minute)
		require.NoError(t, s.GiveBack(t.Context(), a))
		for range 3 {
			require.NoError(t, s.Take(t.Context(), b), "nothing of b was used before")
		}
		require.NoError(t, s.Take(t.Context(), a))
		require.ErrorIs(t, s.Take(t.Context(), a), store.ErrTries)
		require.NoError(t, s.ForgetTry(t.Context(), "a"))
		require.NoError(t, s.Take(t.Context(), a))

		short := store.Try{Subject: "c", Window: time.Millisecond, Most: 1}
		require.NoError(t, s.Take(t.Context(), short))
		time.Sleep(5 * time.Millisecond)
		require.NoError(t, s.Take(t.Context(), short), "a window that is over does not count")
	})
}

func TestSessionsEndWithTheirUsersRights(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		u := newMember(t, s, "m@example.com")
		enter := func(hash, replaces string) store.Session {
			n, err := s.CreateSession(ctx, store.Session{Hash: hash, UserID: u.ID, Method: "password", ExpiresAt: time.Now().Add(time.Hour)}, replaces)
			require.NoError(t, err)
			return n
		}
		hashes := func() (out []string) {
			all, err := s.Sessions(ctx, u.ID)
			require.NoError(t, err)
			for _, n := range all {
				out = append(out, n.Hash)
			}
			return out
		}
		one := enter("one", "")
		enter("two", "one")
		assert.Equal(t, []string{"two"}, hashes(), "a new sign-in in the same browser takes the old one's place")
		require.ErrorIs(t, s.EndSession(ctx, one.ID), store.ErrNotFound)
		three := enter("three", "")
		got, owner, err := s.SessionByHash(ctx, "three")
		require.NoError(t, err)
		assert.Equal(t, three.ID, got.ID)
		assert.Equal(t, u.AccountID, owner.AccountID)
		require.NoError(t, s.SetPassword(ctx, u.ID, "hash", three.ID))
		assert.Equal(t, []string{"three"}, hashes())
		require.NoError(t, s.SetUserDisabled(ctx, u.ID, true))
		assert.Empty(t, hashes())

		_, err = s.CreateSession(ctx, store.Session{Hash: "old", UserID: u.ID, ExpiresAt: time.Now().Add(-time.Second)}, "")
		require.NoError(t, err)
		enter("new", "")
		assert.Equal(t, []string{"new"}, hashes(), "those that are over make room by themselves")
	})
}

func TestOneOwnerWhoCanSignInRemains(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a, b := newMember(t, s, "a@example.com"), newMember(t, s, "b@example.com")
		require.NoError(t, s.SetUserRole(ctx, a.ID, hub.RoleOwner))
		require.NoError(t, s.SetUserRole(ctx, b.ID, hub.RoleOwner))
		require.NoError(t, s.SetUserDisabled(ctx, b.ID, true))
		require.ErrorIs(t, s.SetUserDisabled(ctx, a.ID, true), store.ErrNotFound)
		require.ErrorIs(t, s.SetUserRole(ctx, a.ID, hub.RoleGuest), store.ErrNotFound)
		changed, err := s.SetRoleByProvider(ctx, a.ID, hub.RoleMember)
		require.NoError(t, err)
		assert.False(t, changed)
		require.NoError(t, s.SetUserDisabled(ctx, b.ID, false))
		require.NoError(t, s.SetUserDisabled(ctx, a.ID, true))
	})
}

func TestAnInvitationIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		invite := func(email, hash string, life time.Duration) (store.Invitation, error) {
			return s.Invite(ctx, store.Invitation{Email: email, Role: hub.RoleAdmin, Groups: []string{"g"}, Hash: hash, Actor: "x", ExpiresAt: time.Now().Add(life)})
		}
		_, err := invite("a@example.com", "h1", time.Hour)
		require.NoError(t, err)
		_, err = invite("A@example.com", "h2", time.Hour)
		require.NoError(t, err, "a second one takes the place of the first")
		_, err = s.InvitationByHash(ctx, "h1")
		require.ErrorIs(t, err, store.ErrNotFound)
		n, err := s.InvitationByHash(ctx, "h2")
		require.NoError(t, err)
		id := &store.Identity{Issuer: "i", Subject: "s"}
		u, err := s.Accept(ctx, n, store.User{Name: "A", Language: "ja"}, id)
		require.NoError(t, err)
		_, err = s.Accept(ctx, n, store.User{}, nil)
		require.ErrorIs(t, err, store.ErrNotFound)
		got, err := s.UserByID(ctx, u.ID)
		require.NoError(t, err)
		assert.Equal(t, []string{"g"}, got.Groups)
		assert.Equal(t, hub.RoleAdmin, got.Role)
		assert.Equal(t, "ja", got.Language)
		_, err = invite("a@example.com", "h3", time.Hour)
		require.ErrorIs(t, err, store.ErrConflict)

		late, err := invite("late@example.com", "h4", -time.Second)
		require.NoError(t, err)
		_, err = s.Accept(ctx, late, store.User{}, nil)
		require.ErrorIs(t, err, store.ErrNotFound, "it has expired")
		require.NoError(t, s.RenewInvitation(ctx, late.ID, "h5", time.Now().Add(time.Hour)))
		_, err = s.Accept(ctx, late, store.User{}, nil)
		require.ErrorIs(t, err, store.ErrNotFound, "the old link stays dead")
		again, err := s.InvitationTo(ctx, "LATE@example.com")
		require.NoError(t, err)
		_, err = s.Accept(ctx, again, store.User{}, id)
		require.ErrorIs(t, err, store.ErrConflict, "what a provider calls somebody else")
		_, err = s.InvitationTo(ctx, "late@example.com")
		require.NoError(t, err, "and nothing of it happened")
		page, err := s.Invitations(ctx, "", 2)
		require.NoError(t, err)
		require.Len(t, page, 2)
		assert.Equal(t, late.ID, page[0].ID)
	})
}

func TestALinkForAPasswordWorksOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		u := newMember(t, s, "m@example.com")
		try := store.Try{Subject: "r", Window: time.Hour, Most: 2}
		require.NoError(t, s.AskReset(ctx, "nobody@example.com", time.Hour, try))
		require.NoError(t, s.AskReset(ctx, "M@example.com", time.Hour, try))
		require.ErrorIs(t, s.AskReset(ctx, "m@example.com", time.Hour, try), store.ErrTries)
		due, err := s.DueResets(ctx, 10)
		require.NoError(t, err)
		require.Len(t, due, 1)
		assert.Equal(t, "m@example.com", due[0].Email)
		require.NoError(t, s.SetReset(ctx, u.ID, "h", time.Now().Add(time.Hour)))
		due, err = s.DueResets(ctx, 10)
		require.NoError(t, err)
		assert.Empty(t, due)
		got, err := s.ResetUser(ctx, "h")
		require.NoError(t, err)
		assert.Equal(t, u.ID, got.ID)
		require.NoError(t, s.UseReset(ctx, u.ID, "h", "new"))
		require.ErrorIs(t, s.UseReset(ctx, u.ID, "h", "newer"), store.ErrNotFound)
		got, err = s.UserByID(ctx, u.ID)
		require.NoError(t, err)
		assert.Equal(t, "new", got.PasswordHash)
	})
}

func TestATimeStepIsSpentOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		u := newMember(t, s, "m@example.com")
		require.NoError(t, s.BeginTOTP(ctx, store.TOTP{UserID: u.ID, Sealed: "one", KeyID: "k"}))
		require.NoError(t, s.BeginTOTP(ctx, store.TOTP{UserID: u.ID, Sealed: "two", KeyID: "k"}))
		require.ErrorIs(t, s.ConfirmTOTP(ctx, u.ID, "one", 7, nil), store.ErrNotFound, "another took its place")
		require.NoError(t, s.ConfirmTOTP(ctx, u.ID, "two", 7, []string{"r1", "r2"}))
		require.ErrorIs(t, s.BeginTOTP(ctx, store.TOTP{UserID: u.ID, Sealed: "three", KeyID: "k"}), store.ErrNotFound)
		require.ErrorIs(t, s.UseTOTPStep(ctx, u.ID, 7), store.ErrNotFound)
		var won atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if s.UseTOTPStep(context.Background(), u.ID, 8) == nil {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, won.Load())
		require.NoError(t, s.UseRecovery(ctx, u.ID, "r1"))
		require.ErrorIs(t, s.UseRecovery(ctx, u.ID, "r1"), store.ErrNotFound)
		require.NoError(t, s.RemoveTOTP(ctx, u.ID))
		left, err := s.RecoveryLeft(ctx, u.ID)
		require.NoError(t, err)
		assert.Zero(t, left)
	})
}

func TestAnIdentityIsKeptWhileItIsTheOnlyWayIn(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		u, err := s.CreateUserWith(ctx, store.User{Email: "m@example.com", Role: hub.RoleMember}, store.Identity{Issuer: "i", Subject: "s"})
		require.NoError(t, err)
		_, err = s.CreateUserWith(ctx, store.User{Email: "n@example.com", Role: hub.RoleMember}, store.Identity{Issuer: "i", Subject: "s"})
		require.ErrorIs(t, err, store.ErrConflict)
		_, err = s.UserByEmail(ctx, "n@example.com")
		require.ErrorIs(t, err, store.ErrNotFound, "all or nothing")
		n, err := s.Identity(ctx, "i", "s")
		require.NoError(t, err)
		require.ErrorIs(t, s.RemoveIdentity(ctx, u.ID, n.ID), store.ErrNotFound)
		require.NoError(t, s.SetPassword(ctx, u.ID, "hash", ""))
		require.NoError(t, s.RemoveIdentity(ctx, u.ID, n.ID))
	})
}
