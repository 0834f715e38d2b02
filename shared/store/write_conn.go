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
	stmts map[string]driver.Stmt
	raw   driver.Conn
	args  []driver.NamedValue
}

func openWriteConn(db *sql.DB) (*writeConn, error) {
	conn, err := db.Conn(context.Background())
	if err != nil {
		return nil, err
	}
	c := &writeConn{conn: conn, stmts: map[string]driver.Stmt{}}
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

func (c *writeConn) prepare(query string) (driver.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	p, ok := c.raw.(driver.ConnPrepareContext)
	if !ok {
		return nil, errors.New("driver cannot prepare")
	}
	s, err := p.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	c.stmts[query] = s
	return s, nil
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
	x, ok := s.(driver.StmtExecContext)
	if !ok {
		return nil, errors.New("driver cannot execute")
	}
	c.args = c.args[:0]
	for i, a := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(a)
		if err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i+1, err)
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return x.ExecContext(context.Background(), c.args)
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
