package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httputil"
	"strconv"
	"time"
)

// client is one connection of the load generator: raw HTTP/1.1, so that the
// generator costs little beside what it measures.
type client struct {
	address string
	request []byte
	stream  bool
	paced   bool // frames carry the time at which the upstream sent them
	tally   *tally

	conn net.Conn
	in   *bufio.Reader
}

// answerLimit bounds one exchange: longer than any answer that is asked for.
const answerLimit = 60 * time.Second

var errShort = errors.New("the answer ended early")

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// exchange sends the request and reads its answer to the end. due is the moment
// from which its latencies count.
func (c *client) exchange(ctx context.Context, due time.Time) error {
	if c.conn == nil {
		conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", c.address)
		if err != nil {
			return err
		}
		c.conn = conn
		if c.in == nil {
			c.in = bufio.NewReaderSize(conn, 16<<10)
		} else {
			c.in.Reset(conn)
		}
	}
	stop := context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Now()) })
	defer stop()
	if err := c.conn.SetDeadline(time.Now().Add(answerLimit)); err != nil {
		return err
	}
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	status, err := c.status()
	if err != nil {
		return err
	}
	c.tally.first.add(time.Since(due))
	length, chunked, err := readHead(c.in)
	if err != nil {
		return err
	}
	if status != 200 {
		return c.refused(status, length, chunked)
	}
	if c.stream {
		err = c.readStream(chunked)
	} else {
		err = c.readWhole(length, chunked)
	}
	if err != nil {
		return err
	}
	c.tally.whole.add(time.Since(due))
	return nil
}

// status reads the status line; a byte of it is the answer's first.
func (c *client) status() (int, error) {
	head, err := c.in.Peek(len("HTTP/1.1 200"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(head[9:12]))
}

// refused tells what an error answer says.
func (c *client) refused(status, length int, chunked bool) error {
	body, err := readBody(c.in, nil, min(length, 2000), chunked)
	if err != nil {
		return fmt.Errorf("status %d", status)
	}
	return fmt.Errorf("status %d: %s", status, body[:min(len(body), 300)])
}

// readWhole reads a complete answer and checks that it is one.
func (c *client) readWhole(length int, chunked bool) error {
	if !chunked {
		if length < 500 {
			return fmt.Errorf("an answer of %d bytes", length)
		}
		_, err := c.in.Discard(length)
		return err
	}
	body, err := readBody(c.in, nil, 0, true)
	if err == nil && len(body) < 500 {
		return fmt.Errorf("an answer of %d bytes", len(body))
	}
	return err
}

// readStream reads events to the end marker. Lines may come in any chunking.
func (c *client) readStream(chunked bool) error {
	if !chunked {
		return errors.New("a stream came without chunked encoding")
	}
	lines := bufio.NewReaderSize(httputil.NewChunkedReader(c.in), 8<<10)
	done := false
	for {
		line, err := lines.ReadSlice('\n')
		if bytes.HasPrefix(line, []byte("data: ")) {
			c.tally.frames++
			done = bytes.HasPrefix(line, []byte("data: [DONE]"))
			if c.paced {
				c.stamp(line)
			}
		}
		if err != nil { // io.EOF: the end of the chunks
			break
		}
	}
	if !done {
		return errShort
	}
	_, err := c.in.Discard(2) // the blank line that ends the trailer
	return err
}

// stamp counts how long a frame took from the upstream.
func (c *client) stamp(line []byte) {
	_, rest, ok := bytes.Cut(line, []byte(stampMark))
	if !ok || len(rest) < stampLen || rest[0] == '0' {
		return
	}
	sent, err := strconv.ParseInt(string(rest[:stampLen]), 10, 64)
	if err != nil {
		return
	}
	c.tally.transit.add(time.Since(time.Unix(0, sent)))
}
