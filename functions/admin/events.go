package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const (
	lookEvery  = time.Second      // how often all streams of this process together look for events
	pingEvery  = 15 * time.Second // silence before a comment is sent
	writeLimit = 20 * time.Second // for a console to take what is sent
	eventBatch = 100              // how many events are in memory for one console
	// reconnect is how long a console waits before it asks again, where streams end
	// at once.
	reconnect = 5 * time.Second
)

// feed finds new events for all streams of this process: one of them looks for
// all.
type feed struct {
	mu     sync.Mutex
	looked time.Time
	newest int64
}

// after returns events that came after one.
func (f *feed) after(ctx context.Context, s *store.Store, now time.Time, id int64) ([]store.Event, error) {
	newest, err := f.latest(ctx, s, now)
	if err != nil || newest <= id {
		return nil, err
	}
	return s.EventsAfter(ctx, id, eventBatch)
}

func (f *feed) latest(ctx context.Context, s *store.Store, now time.Time) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.looked) < lookEvery && !now.Before(f.looked) {
		return f.newest, nil
	}
	newest, err := s.NewestEvent(ctx)
	if err == nil {
		f.newest, f.looked = newest, now
	}
	return f.newest, err
}

// eventView is an event. Kind is status, credential or notification.
type eventView struct {
	ID   int64           `json:"id"`
	Kind string          `json:"kind"`
	At   time.Time       `json:"at"`
	Data json.RawMessage `json:"data"`
}

func viewEvent(e store.Event) eventView { return eventView{e.ID, e.Kind, e.At, e.Body} }

// events tells what happens: statuses that change, credentials, notifications.
// Whoever accepts text/event-stream gets a stream of server-sent events, others
// a list that goes on with ?after=<the last id>. Events are kept for a day.
func (h *handler) events(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	after, known, err := eventCursor(r)
	if err != nil {
		return err
	}
	if !wantsStream(r) {
		return h.listEvents(w, r, after)
	}
	if !known { // a console that has just loaded its lists
		if after, err = h.Store.NewestEvent(r.Context()); err != nil {
			return err
		}
	}
	return h.streamEvents(w, r, after)
}

// eventCursor is the id to go on from: ?after=, or what an EventSource says when
// it connects again.
func eventCursor(r *http.Request) (after int64, known bool, err error) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("after")
	}
	if text == "" {
		return 0, false, nil
	}
	after, err = strconv.ParseInt(text, 10, 64)
	if err != nil || after < 0 {
		return 0, false, hub.Invalid("after", "after must be the id of an event.")
	}
	return after, true, nil
}

func wantsStream(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		if kind, _, err := mime.ParseMediaType(part); err == nil && kind == "text/event-stream" {
			return true
		}
	}
	return false
}

func (h *handler) listEvents(w http.ResponseWriter, r *http.Request, after int64) error {
	all, err := h.Store.EventsAfter(r.Context(), after, eventBatch)
	if err != nil {
		return err
	}
	out := struct {
		Data []eventView `json:"data"`
		Last int64       `json:"last"` // to go on from
	}{make([]eventView, len(all)), after}
	for i, e := range all {
		out.Data[i], out.Last = viewEvent(e), e.ID
	}
	return httpkit.WriteJSON(w, http.StatusOK, out)
}

// streamEvents sends events until the console leaves, falls behind or the
// process ends; it comes back with the last id it saw, and nothing is lost. What
// waits for a console waits in the database, not in memory.
func (h *handler) streamEvents(w http.ResponseWriter, r *http.Request, after int64) error {
	hd := w.Header()
	hd.Set("Content-Type", "text/event-stream")
	hd.Set("Cache-Control", "no-cache")
	hd.Set("X-Accel-Buffering", "no")
	out := eventStream{w: w, ctl: http.NewResponseController(w)}
	defer out.done()
	// The id without data sets what an EventSource comes back with.
	if err := out.send(fmt.Appendf(nil, "retry: %d\nid: %d\n\n", reconnect.Milliseconds(), after)); err != nil {
		return nil //nolint:nilerr // the console has left
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	silent := time.Duration(0)
	for {
		all, err := h.feed.after(r.Context(), h.Store, h.Now(), after)
		switch {
		case r.Context().Err() != nil:
			return nil
		case err != nil:
			httpkit.NoteError(r.Context(), err)
			return nil // the console comes back
		}
		frame := frames(all)
		if silent >= h.Ping && len(all) == 0 {
			frame = append(frame, ": ping\n\n"...)
		}
		if len(frame) > 0 {
			if err := out.send(frame); err != nil {
				return nil //nolint:nilerr // the console has left, or does not read
			}
			silent = 0
		}
		if len(all) > 0 {
			after = all[len(all)-1].ID
		}
		if len(all) == eventBatch {
			continue // there may be more
		}
		if !h.Streams {
			return nil
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-h.Leaving.Done():
			return nil
		case <-tick.C:
			silent += lookEvery
		}
	}
}

// frames encodes events as server-sent events.
func frames(all []store.Event) []byte {
	var dst []byte
	for _, e := range all {
		data, err := json.Marshal(viewEvent(e))
		if err != nil {
			continue // a body that is no JSON: none of ours
		}
		dst = fmt.Appendf(dst, "id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Kind, data)
	}
	return dst
}

// eventStream writes to a console, for a limited time.
type eventStream struct {
	w   http.ResponseWriter
	ctl *http.ResponseController
}

func (s eventStream) send(frame []byte) error {
	_ = s.ctl.SetWriteDeadline(time.Now().Add(writeLimit)) // by the connection's clock; a transport without deadlines has its own
	if _, err := s.w.Write(frame); err != nil {
		return err
	}
	_ = s.ctl.Flush() // a transport that cannot flush sends at the end
	return nil
}

// done leaves the connection as it was, for the next request.
func (s eventStream) done() { _ = s.ctl.SetWriteDeadline(time.Time{}) }
