package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// writeConn is the writer's one connection with its prepared statements. It
// speaks to the driver itself: the pool's bookkeeping costs as much as a small
// statement. Its context never ends: a cancelled one would interrupt SQLite and
// roll back the whole group.
type writeConn struct {
	conn  *sql.Conn
	stmts map[string]writeStmt
	raw   driver.Conn
	args  []driver.NamedValue
}

// writeStmt is a prepared statement and which argument each of its parameters is.
type writeStmt struct {
	driver.Stmt
	run   driver.StmtExecContext
	order []int
}

func openWriteConn(db *sql.DB) (*writeConn, error) {
	conn, err := db.Conn(context.Background())
	if err != nil {
		return nil, err
	}
	c := &writeConn{conn: conn, stmts: map[string]writeStmt{}}
	err = conn.Raw(func(raw any) error {
		var ok bool
		if c.raw, ok = raw.(driver.Conn); !ok {
			return errors.New("driver connection of an unknown kind")
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

// discard closes the connection for good; an open transaction is rolled back by
// SQLite.
func (c *writeConn) discard() {
	for _, s := range c.stmts {
		_ = s.Close()
	}
	_ = c.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.conn.Close()
}

func (c *writeConn) prepare(query string) (writeStmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	p, ok := c.raw.(driver.ConnPrepareContext)
	if !ok {
		return writeStmt{}, errors.New("driver cannot prepare")
	}
	text, order := inOrder(query)
	prepared, err := p.PrepareContext(context.Background(), text)
	if err != nil {
		return writeStmt{}, fmt.Errorf("prepare: %w", err)
	}
	s := writeStmt{Stmt: prepared, order: order}
	if s.run, ok = prepared.(driver.StmtExecContext); !ok {
		return s, errors.Join(errors.New("driver cannot execute"), prepared.Close())
	}
	c.stmts[query] = s
	return s, nil
}

// inOrder writes ? for every ?N of a statement and says which argument, from 0,
// each is: of a parameter with a number the driver asks SQLite for its name, at
// every execution. A statement that is not all numbers stays as it is, order nil.
func inOrder(query string) (text string, order []int) {
	out := make([]byte, 0, len(query))
	quoted := false
	for i := 0; i < len(query); i++ {
		c := query[i]
		out = append(out, c)
		if c == '\'' {
			quoted = !quoted
		}
		if c == '"' || c == '`' || c == '[' || c == '-' && i+1 < len(query) && query[i+1] == '-' || c == '/' && i+1 < len(query) && query[i+1] == '*' {
			return query, nil // names in quotes and comments are not understood here
		}
		if c != '?' || quoted {
			continue
		}
		n := 0
		for i+1 < len(query) && query[i+1] >= '0' && query[i+1] <= '9' {
			i++
			n = 10*n + int(query[i]-'0')
		}
		if n == 0 {
			return query, nil
		}
		order = append(order, n-1)
	}
	return string(out), order
}

func (c *writeConn) exec(query string, args []any) error {
	_, err := c.run(query, args)
	return err
}

func (c *writeConn) run(query string, args []any) (driver.Result, error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	c.args = c.args[:0]
	n := len(args)
	if s.order != nil {
		n = len(s.order)
	}
	for i := range n {
		from := i
		if s.order != nil {
			from = s.order[i]
		}
		if from >= len(args) {
			return nil, fmt.Errorf("parameter %d is missing", from+1)
		}
		v, err := driver.DefaultParameterConverter.ConvertValue(args[from])
		if err != nil {
			return nil, fmt.Errorf("parameter %d: %w", from+1, err)
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return s.run.ExecContext(context.Background(), c.args)
}

// unit runs one unit inside the open transaction. refused is the condition that
// was not met; then nothing of the unit is left. err means that the transaction
// can no longer be trusted.
func (c *writeConn) unit(u *Unit, savepoint bool) (refused, err error) {
	if savepoint {
		if err := c.exec("SAVEPOINT unit", nil); err != nil {
			return nil, err
		}
	}
	var changed int64
	for _, s := range u.Stmts {
		res, err := c.run(s.SQL, s.Args)
		if err != nil {
			if refused = condition(err); refused == nil {
				return nil, err
			}
			break
		}
		if u.Verify {
			n, err := res.RowsAffected()
			if err != nil {
				return nil, err
			}
			changed += n
		}
	}
	if refused == nil && u.Verify && changed == 0 {
		refused = ErrNotFound
	}
	if !savepoint {
		return refused, nil
	}
	if refused != nil {
		if err := c.exec("ROLLBACK TO unit", nil); err != nil {
			return nil, err
		}
	}
	return refused, c.exec("RELEASE unit", nil)
}
