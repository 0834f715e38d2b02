package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tursodatabase/libsql-client-go/libsql"
)

// This is the only file that knows libsql-client-go.

// IsRemote reports whether a database URL names a server.
func IsRemote(rawURL string) bool { return !strings.HasPrefix(rawURL, "file:") }

// TuneProcess lets libsql-client-go, which uses http.DefaultClient, keep more
// than two connections to its server: else nearly every statement makes a new
// one. Mains call it first; it must not run while HTTP is in use.
func TuneProcess() {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		t.MaxIdleConnsPerHost = max(t.MaxIdleConnsPerHost, 2*remoteStreams)
	}
}

const (
	readers       = 4
	remoteStreams = 16
)

// openPools opens the reading and the writing pool.
func openPools(o Options) (read, write *sql.DB, remote bool, err error) {
	if !IsRemote(o.URL) {
		if !embedded {
			return nil, nil, false, errors.New("this build opens databases on servers only, no files")
		}
		conn, err := libsql.NewConnector(fileDSN(o))
		if err != nil {
			return nil, nil, false, fmt.Errorf("open %s: %w", o.URL, err)
		}
		read, write = sql.OpenDB(conn), sql.OpenDB(conn)
		read.SetMaxOpenConns(readers)
		read.SetMaxIdleConns(readers)
		write.SetMaxOpenConns(1)
		write.SetMaxIdleConns(1)
		return read, write, false, nil
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" {
		return nil, nil, false, fmt.Errorf("database URL is not a libSQL address")
	}
	if u.User != nil || u.Query().Has("authToken") || u.Query().Has("jwt") {
		return nil, nil, false, fmt.Errorf("database URL holds a token; give it by AIGNE_HUB_DATABASE_TOKEN")
	}
	if u.Scheme == "ws" || u.Scheme == "wss" {
		// The client's WebSocket mode poisons pooled connections; HTTP is the
		// same server at the same address.
		u.Scheme = map[string]string{"ws": "http", "wss": "https"}[u.Scheme]
	}
	var opts []libsql.Option
	if o.Token != "" {
		opts = append(opts, libsql.WithAuthToken(o.Token.Reveal()))
	}
	conn, err := libsql.NewConnector(u.String(), opts...)
	if err != nil {
		return nil, nil, false, fmt.Errorf("open database server: %w", err)
	}
	read, write = sql.OpenDB(readConnector{conn}), sql.OpenDB(conn)
	read.SetMaxOpenConns(remoteStreams)
	write.SetMaxOpenConns(remoteStreams)
	return read, write, true, nil
}

// openPlain opens an embedded file as it is, without the pragmas of a hub.
func openPlain(url string) (*sql.DB, error) {
	conn, err := libsql.NewConnector(url + "?_pragma=busy_timeout(2000)")
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(conn), nil
}

// autocheckpoint is the size of the write-ahead log, in pages, at which a commit
// would copy it back by itself. The checkpointer does so long before, off the
// writer's path; this bounds the log should it fall behind.
const autocheckpoint = "40000"

// fileDSN adds the pragmas that every connection to an embedded file has.
func fileDSN(o Options) string {
	sep := "?"
	if strings.Contains(o.URL, "?") {
		sep = "&"
	}
	return o.URL + sep + strings.Join([]string{
		"_pragma=busy_timeout(5000)",
		"_pragma=auto_vacuum(2)", // in new files: pages can be given back
		"_pragma=journal_mode(WAL)",
		"_pragma=synchronous(" + synchronous(o) + ")",
		"_pragma=foreign_keys(" + foreignKeys(o) + ")",
		"_pragma=query_only(" + queryOnly(o) + ")",
		"_pragma=journal_size_limit(67108864)",
		"_pragma=temp_store(MEMORY)",
		"_pragma=wal_autocheckpoint(" + autocheckpoint + ")",
		"_pragma=cache_size(-16000)",
		"_txlock=immediate",
		"_time_format=sqlite",
	}, "&")
}

func synchronous(o Options) string {
	if o.Synchronous == "FULL" || o.Archive {
		return "FULL"
	}
	return "NORMAL"
}

func foreignKeys(o Options) string { return strconv.FormatInt(boolInt(!o.Archive), 10) }

func queryOnly(o Options) string { return strconv.FormatInt(boolInt(o.ReadOnly), 10) }

// starterWait is how long a starter waits for another process that has the file to
// itself. SQLite's busy time-out does not wait for the change to WAL mode, and is
// shorter than a migration of a large database.
const starterWait = 2 * time.Minute

// patientCheck is check, repeated while the file is busy.
func (s *Store) patientCheck(ctx context.Context) error {
	for began := time.Now(); ; {
		err := s.check(ctx)
		if err == nil || !busy(err) || time.Since(began) > starterWait {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// check reads the pragmas back: drivers ignore misspelt ones without a word. A server
// has none, and is asked by whoever needs it first.
func (s *Store) check(ctx context.Context) error {
	if s.remote {
		return nil
	}
	wantSync := int64(1)
	if synchronous(s.opts) == "FULL" {
		wantSync = 2
	}
	for _, db := range []*sql.DB{s.read, s.write} {
		var mode string
		if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
			return fmt.Errorf("open %s: %w", s.opts.URL, err)
		}
		if mode != "wal" && !strings.Contains(s.opts.URL, ":memory:") {
			return fmt.Errorf("open %s: journal mode is %s, not WAL", s.opts.URL, mode)
		}
		for pragma, want := range map[string]int64{"foreign_keys": boolInt(!s.opts.Archive), "query_only": boolInt(s.opts.ReadOnly), "synchronous": wantSync, "busy_timeout": 5000} {
			var got int64
			if err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
				return fmt.Errorf("read pragma %s: %w", pragma, err)
			}
			if got != want {
				return fmt.Errorf("pragma %s is %d, want %d", pragma, got, want)
			}
		}
	}
	return nil
}
