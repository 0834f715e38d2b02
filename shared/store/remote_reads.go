package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// readConnector opens connections to a server whose queries say ErrUnavailable, and
// what it was, when the way to the server or the server itself failed: whoever asked
// may try again, which no error of the driver says.
type readConnector struct{ driver.Connector }

// remoteConn is what libsql-client-go's connections to servers can do.
type remoteConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
}

// Connect implements driver.Connector.
func (c readConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, errors.Join(ErrUnavailable, err)
	}
	full, ok := conn.(remoteConn)
	if !ok {
		return nil, fmt.Errorf("database driver's connection is a %T", conn)
	}
	return readConn{full}, nil
}

type readConn struct{ remoteConn }

// QueryContext implements driver.QueryerContext.
func (c readConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.remoteConn.QueryContext(ctx, query, args)
	return rows, unanswered(ctx, err)
}

// ExecContext implements driver.ExecerContext, for the bounds of a snapshot.
func (c readConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	res, err := c.remoteConn.ExecContext(ctx, query, args)
	return res, unanswered(ctx, err)
}

// unanswered is an error, with ErrUnavailable unless the caller left or the statement
// itself was refused.
func unanswered(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || !away(err) {
		return err
	}
	return errors.Join(ErrUnavailable, err)
}
