package store

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParametersWithNumbersAreBoundInOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query, want string
		order       []int
	}{
		{"UPDATE t SET a = ?2, b = ?12 WHERE id = ?1 AND a <> ?2", "UPDATE t SET a = ?, b = ? WHERE id = ? AND a <> ?", []int{1, 11, 0, 1}},
		{"INSERT INTO t VALUES (?1 || '/?2 it''s', ?2)", "INSERT INTO t VALUES (? || '/?2 it''s', ?)", []int{0, 1}},
		{"SELECT 1", "SELECT 1", nil},
		{"SELECT ?, ?", "SELECT ?, ?", nil},
		{`SELECT "?1", ?1`, `SELECT "?1", ?1`, nil},
		{"SELECT ?1 -- of ?2", "SELECT ?1 -- of ?2", nil},
	} {
		text, order := inOrder(c.query)
		assert.Equal(t, c.want, text)
		assert.Equal(t, c.order, order)
	}
}
