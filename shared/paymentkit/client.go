// Package paymentkit is a typed client of the parts of Payment Kit that a hub on a
// Blocklet Server needs: customers, meters and their events, credit grants,
// currencies, prices, links and settings. It keeps nothing and retries nothing.
//
// Requests carry amounts as decimals in display units, answers as whole numbers of
// the currency's smallest unit; both are converted exactly. The forms are those
// that the public npm client @blocklet/payment-js 1.27 sends and reads.
package paymentkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ComponentDID is Payment Kit's own DID, under which an app lists it.
const ComponentDID = "z2qaCNvKMv5GjouKdcDWexv6WqtHbpNPQDnAk"

const (
	callTime  = 20 * time.Second
	maxAnswer = 8 << 20 // bytes
	maxFault  = 300     // bytes of a refusal that are kept
)

// Client calls one Payment Kit.
type Client struct {
	// Base is where it listens now, without a closing slash. An error means that it
	// does not run.
	Base func() (string, error)
	// Sign adds the headers of a component call.
	Sign func(r *http.Request, body []byte) error
	// Live chooses between real and test money.
	Live bool
	// Timeout is how long a call may take; 0: 20 s. What a call that took longer was to
	// do may still happen.
	Timeout time.Duration
	// HTTP is used for the calls; nil: a client that follows no redirects.
	HTTP *http.Client
}

// RefusalError is an answer that is no success.
type RefusalError struct {
	Status  int
	Message string // what Payment Kit said, shortened
}

// Error names the status and what was said.
func (r *RefusalError) Error() string {
	return "Payment Kit answered " + strconv.Itoa(r.Status) + ": " + r.Message
}

// DownError says that Payment Kit does not run, cannot be reached or gave no
// usable answer. What a call was to do may or may not have happened.
type DownError struct{ Cause error }

// Error names the reason.
func (e *DownError) Error() string { return "Payment Kit does not answer: " + e.Cause.Error() }

// Unwrap returns the reason.
func (e *DownError) Unwrap() error { return e.Cause }

// NotFound reports whether the object that was asked for does not exist.
func NotFound(err error) bool {
	var r *RefusalError
	return errors.As(err, &r) && r.Status == http.StatusNotFound
}

// Refused reports whether Payment Kit will not do what it was asked, however often
// it is asked: a 4xx other than 408 and 429. Anything else may pass.
func Refused(err error) bool {
	var r *RefusalError
	return errors.As(err, &r) && r.Status >= 400 && r.Status < 500 && r.Status != http.StatusRequestTimeout && r.Status != http.StatusTooManyRequests
}

var noRedirects = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// call sends in as JSON, where it is not nil, and reads the answer into out. Each
// part of the path is escaped.
func (c *Client) call(ctx context.Context, method string, path []string, query url.Values, in, out any) error {
	limit := c.Timeout
	if limit <= 0 {
		limit = callTime
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := c.request(ctx, method, path, query, in)
	if err != nil {
		return err
	}
	client := c.HTTP
	if client == nil {
		client = noRedirects
	}
	res, err := client.Do(req)
	if err != nil {
		return &DownError{err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	switch {
	case err != nil:
		return &DownError{err}
	case res.StatusCode < 200 || res.StatusCode > 299:
		return &RefusalError{Status: res.StatusCode, Message: fault(body)}
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return &DownError{fmt.Errorf("answer to %s /%s: %w", method, strings.Join(path, "/"), err)}
	}
	return nil
}

func (c *Client) request(ctx context.Context, method string, path []string, query url.Values, in any) (*http.Request, error) {
	base, err := c.Base()
	if err != nil {
		return nil, &DownError{err}
	}
	var body []byte
	if in != nil {
		var buf bytes.Buffer
		e := json.NewEncoder(&buf)
		e.SetEscapeHTML(false)
		if err := e.Encode(in); err != nil {
			return nil, err
		}
		body = bytes.TrimSpace(buf.Bytes())
	}
	if query == nil {
		query = url.Values{}
	}
	query.Set("livemode", strconv.FormatBool(c.Live))
	address := base + "/api"
	for _, p := range path {
		address += "/" + url.PathEscape(p)
	}
	req, err := http.NewRequestWithContext(ctx, method, address+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, c.Sign(req, body)
}

// fault is what a refusal says, in one short line.
func fault(body []byte) string {
	var said struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	text := string(body)
	if json.Unmarshal(body, &said) == nil {
		var plain string
		switch {
		case json.Unmarshal(said.Error, &plain) == nil && plain != "":
			text = plain
		case said.Message != "":
			text = said.Message
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	return strings.ToValidUTF8(text[:min(len(text), maxFault)], "")
}
