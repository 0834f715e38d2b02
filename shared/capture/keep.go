package capture

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// Payload is what was kept of a call.
type Payload struct {
	CallID    string         `json:"call_id"`
	At        time.Time      `json:"at"`         // when the call was admitted
	ExpiresAt time.Time      `json:"expires_at"` // when this is deleted
	Request   *Body          `json:"request"`    // null: not kept
	Response  *Body          `json:"response"`   // null: not kept, or there was none
	Redacted  map[string]int `json:"redacted"`   // what was taken out, by kind
}

// Body is what was kept of a body.
type Body struct {
	Type   string `json:"type"` // media type
	Status int    `json:"status,omitempty"`
	Bytes  int64  `json:"bytes"` // as it went over the wire
	Text   string `json:"text"`  // redacted
	Cut    bool   `json:"cut"`   // there was more
	// SHA256 of content that is no text, which is not kept itself.
	SHA256 string `json:"sha256,omitempty"`
}

const (
	batchCalls = 32
	storeTime  = 30 * time.Second
)

// batch stores some of what waits and says how many calls that were.
func (r *Recorder) batch(ctx context.Context) int {
	r.turn.Lock()
	defer r.turn.Unlock()
	var rows []store.Payload
	var freed int64
	n := 0
	for ; n < batchCalls; n++ {
		t := r.next()
		if t == nil {
			break
		}
		freed += t.reserved
		row, err := r.row(ctx, t)
		if err != nil {
			r.failed.Add(1)
			r.log.Warn("a payload could not be sealed", "call", t.callID, "error", err)
			continue
		}
		rows = append(rows, row)
	}
	if n == 0 {
		return 0
	}
	defer r.memory.Add(-freed)
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	if err := r.store.PutPayloads(ctx, rows); err != nil {
		r.failed.Add(int64(len(rows)))
		r.log.Warn("payloads could not be stored", "calls", len(rows), "error", err)
		return n
	}
	r.kept.Add(int64(len(rows)))
	return n
}

func (r *Recorder) next() *Take {
	select {
	case t := <-r.queue:
		return t
	default:
		return nil
	}
}

func aad(callID string) string { return "payloads/" + callID + "/sealed" }

func (r *Recorder) row(ctx context.Context, t *Take) (store.Payload, error) {
	row := store.Payload{CallID: t.callID, UserID: t.userID, CreatedAt: t.at, ExpiresAt: t.at.Add(r.settings.Life), UsersSee: t.rule.UsersSee}
	plain, err := r.redacted(t)
	if err != nil {
		return row, err
	}
	ring, err := r.vault(ctx)
	if err != nil {
		return row, err
	}
	row.Sealed, row.KeyID, err = ring.Seal(aad(t.callID), hub.Secret(plain))
	return row, err
}

// redacted is the payload of a call, compressed.
func (r *Recorder) redacted(t *Take) (plain []byte, err error) {
	defer func() {
		if p := recover(); p != nil { // whatever a body does to redaction, nothing is kept of it unredacted
			err = fmt.Errorf("redact: %v", p)
		}
	}()
	red := newRedactor(t.rule.PII)
	p := Payload{Redacted: red.found}
	if t.request.size > 0 {
		p.Request = r.body(red, t.request)
	}
	if t.status != 0 && t.rule.Parts != Request {
		p.Response = r.body(red, t.response)
		p.Response.Status = t.status
	}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	if _, err := zip.Write(text); err != nil {
		return nil, err
	}
	err = zip.Close()
	return out.Bytes(), err
}

func (r *Recorder) body(red *redactor, t taken) *Body {
	b := &Body{Type: t.kind, Bytes: t.size}
	kind, params, _ := mime.ParseMediaType(t.kind)
	switch {
	case kind == "multipart/form-data":
		b.Text, b.Cut = cut(red.form(t.body, params["boundary"], r.settings.Body), r.settings.Body)
	case textual(t.kind):
		// What is far beyond the end need not be redacted.
		clean, short := head(red.media(t.body), 2*r.settings.Body)
		b.Text, b.Cut = cut(red.body(clean), r.settings.Body)
		b.Cut = b.Cut || short
	default:
		sum := sha256.Sum256(t.body)
		b.SHA256 = hex.EncodeToString(sum[:])
	}
	b.Cut = b.Cut || t.size > int64(len(t.body))
	return b
}

func head(b []byte, most int) (short []byte, was bool) {
	if len(b) <= most {
		return b, false
	}
	return b[:most], true
}

// form redacts the fields of a form; of files it tells name, type, size and digest.
func (r *redactor) form(b []byte, boundary string, most int) string {
	var out strings.Builder
	parts := multipart.NewReader(bytes.NewReader(b), boundary)
	for out.Len() <= most {
		part, err := parts.NextRawPart()
		if err != nil {
			break
		}
		content, err := io.ReadAll(part)
		name := part.FormName()
		switch {
		case part.FileName() != "" || !textual(part.Header.Get("Content-Type")):
			sum := sha256.Sum256(content)
			r.found["media"]++
			fmt.Fprintf(&out, "%s: [file %s, %s, %d bytes, sha256 %s]\n", name, r.plain(part.FileName()), part.Header.Get("Content-Type"), len(content), hex.EncodeToString(sum[:8]))
		case tellingName.MatchString(name):
			r.found[secret]++
			fmt.Fprintf(&out, "%s: [%s]\n", name, secret)
		default:
			fmt.Fprintf(&out, "%s: %s\n", name, r.body(content))
		}
		if err != nil {
			break
		}
	}
	return out.String()
}

// Read opens what was kept of a call.
func Read(ring *vault.Keyring, row store.Payload) (*Payload, error) {
	plain, err := ring.Open(aad(row.CallID), row.Sealed)
	if err != nil {
		return nil, err
	}
	zip, err := gzip.NewReader(strings.NewReader(plain.Reveal()))
	if err != nil {
		return nil, err
	}
	p := &Payload{}
	if err := json.NewDecoder(zip).Decode(p); err != nil {
		return nil, err
	}
	p.CallID, p.At, p.ExpiresAt = row.CallID, row.CreatedAt, row.ExpiresAt
	return p, nil
}
