package identity

import (
	"strings"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// trivial are what long passwords are made of that everybody tries first.
var trivial = []string{
	"password", "passwort", "passw0rd", "p@ssword", "p@ssw0rd", "qwertyuiop", "qwerty", "qwertz", "azerty", "asdfghjkl", "asdfgh", "zxcvbnm", "1q2w3e4r5t", "1q2w3e4r",
	"1qaz2wsx", "letmein", "iloveyou", "welcome", "changeme", "change-me", "administrator", "admin", "default", "secret", "master", "superman", "dragon", "monkey",
	"sunshine", "princess", "football", "baseball", "trustno1", "abcdefghij", "abcdef", "abc123", "login", "user", "root", "test", "hello", "aigne", "hub",
	"at-least-10-characters", "01234567890", "1234567890", "123456789", "12345678", "1234567", "123456", "12345", "1234", "123", "9876543210", "987654321", "654321",
	"2020", "2021", "2022", "2023", "2024", "2025", "2026",
}

// CheckNewPassword reports what makes a password unfit for a user: too short, too
// long, made of very few characters or of what everybody tries first, or the
// user's own address. It asks for no kinds of characters (NIST SP 800-63B,
// section 3.1.1.2).
func CheckNewPassword(email string, p hub.Secret) error {
	text := p.Reveal()
	if n := len(text); utf8.RuneCountInString(text) < minPassword || n > maxPassword {
		return hub.Invalid("password", "A password must have %d to %d characters.", minPassword, maxPassword)
	}
	lower := strings.ToLower(text)
	local, domain, _ := strings.Cut(strings.ToLower(email), "@")
	rest := lower
	for _, w := range append([]string{local, domain}, trivial...) {
		if len(w) > 2 {
			rest = strings.ReplaceAll(rest, w, "")
		}
	}
	const (
		fewest = 4 // characters of a password, not counting repetition
		least  = 4 // of what remains without the trivial
	)
	if distinct(lower) < fewest || utf8.RuneCountInString(rest) < least || run(lower) {
		return hub.Invalid("password", "This password is among the first that anybody would try; choose another one.")
	}
	return nil
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// run reports whether every character follows the one before it in the alphabet
// or among the digits, up or down.
func run(s string) bool {
	runes := []rune(s)
	for _, by := range []rune{1, -1} {
		all := true
		for i := 1; i < len(runes); i++ {
			d := runes[i] - runes[i-1]
			all = all && (d == by || d == -9*by)
		}
		if all {
			return true
		}
	}
	return false
}
