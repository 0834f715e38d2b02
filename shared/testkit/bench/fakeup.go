package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"time"
)

// The fake upstream speaks just enough HTTP/1.1 to answer chat completions with
// bytes made beforehand: it must cost little beside what is measured. A request
// says how it wants to be answered in its member "user": "bench:frames;every;wait"
// with times in microseconds; frames 0 is a whole answer.

const (
	userMark  = `"user":"bench:`
	stampMark = `"system_fingerprint":"`
	stampLen  = 19 // of a time in nanoseconds since 1970
)

// scanned is how much of either end of a large request is searched.
const scanned = 4 << 10

var (
	wholeAnswer = makeWhole()
	headStream  = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n")
	frameFirst  = makeFrame(`{"role":"assistant","content":""}`, "null")
	frameText   = makeFrame(`{"content":" lorem ipsum"}`, "null")
	frameFinish = makeFrame(`{}`, `"stop"`)
	frameUsage  = chunk(`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1767225600,"model":"gpt-bench",` +
		`"choices":[],"usage":{"prompt_tokens":256,"completion_tokens":200,"total_tokens":456}}` + "\n\n")
	frameDone   = chunk("data: [DONE]\n\n")
	lastChunk   = []byte("0\r\n\r\n")
	stampOffset = bytes.Index(frameText, []byte(stampMark)) + len(stampMark)
)

func chunk(s string) []byte { return fmt.Appendf(nil, "%x\r\n%s\r\n", len(s), s) }

func makeFrame(delta, finish string) []byte {
	return chunk(`data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1767225600,"model":"gpt-bench",` +
		stampMark + strings.Repeat("0", stampLen) + `","choices":[{"index":0,"delta":` + delta +
		`,"logprobs":null,"finish_reason":` + finish + `}]}` + "\n\n")
}

func makeWhole() []byte {
	body := `{"id":"chatcmpl-bench","object":"chat.completion","created":1767225600,"model":"gpt-bench","choices":[{"index":0,` +
		`"message":{"role":"assistant","content":"` + strings.Repeat("lorem ipsum ", 56) + `","refusal":null},"logprobs":null,` +
		`"finish_reason":"stop"}],"usage":{"prompt_tokens":256,"completion_tokens":200,"total_tokens":456,` +
		`"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},"service_tier":"default"}`
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// serveFakeup answers until ctx ends.
func serveFakeup(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			answerAll(ctx, conn)
		}()
	}
}

// answerAll serves one connection. Whatever goes wrong ends the connection,
// which the caller sees.
func answerAll(ctx context.Context, conn net.Conn) {
	in := bufio.NewReaderSize(conn, 16<<10)
	var body, out []byte
	for {
		length, chunked, err := readHead(in)
		if err != nil {
			return
		}
		if body, err = readBody(in, body[:0], length, chunked); err != nil {
			return
		}
		want := readWish(body)
		if want.wait > 0 && !pause(ctx, want.wait) {
			return
		}
		if want.frames == 0 {
			_, err = conn.Write(wholeAnswer)
		} else {
			out, err = writeStream(ctx, conn, out[:0], want)
		}
		if err != nil {
			return
		}
	}
}

// wish is how a request wants to be answered.
type wish struct {
	frames      int
	every, wait time.Duration
}

func readWish(body []byte) (w wish) {
	parts := [][]byte{body}
	if len(body) > 2*scanned {
		parts = [][]byte{body[:scanned], body[len(body)-scanned:]}
	}
	for _, part := range parts {
		_, rest, ok := bytes.Cut(part, []byte(userMark))
		if !ok {
			continue
		}
		text, _, _ := bytes.Cut(rest, []byte(`"`))
		var numbers [3]int
		for i, f := range strings.SplitN(string(text), ";", 3) {
			numbers[i], _ = strconv.Atoi(f) // a wish that is no number is none
		}
		return wish{numbers[0], time.Duration(numbers[1]) * time.Microsecond, time.Duration(numbers[2]) * time.Microsecond}
	}
	return w
}

// writeStream sends the frames: as fast as they go, or one write each with its
// time of sending in it.
func writeStream(ctx context.Context, conn net.Conn, buf []byte, w wish) ([]byte, error) {
	buf = append(append(buf, headStream...), frameFirst...)
	for range w.frames {
		if w.every == 0 {
			if buf = append(buf, frameText...); len(buf) > 15<<10 {
				if _, err := conn.Write(buf); err != nil {
					return buf, err
				}
				buf = buf[:0]
			}
			continue
		}
		if len(buf) > 0 {
			if _, err := conn.Write(buf); err != nil {
				return buf, err
			}
		}
		if !pause(ctx, w.every) {
			return buf, ctx.Err()
		}
		buf = append(buf[:0], frameText...)
		strconv.AppendInt(buf[:stampOffset], time.Now().UnixNano(), 10)
	}
	buf = append(append(append(append(buf, frameFinish...), frameUsage...), frameDone...), lastChunk...)
	_, err := conn.Write(buf)
	return buf, err
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// readHead reads a message's head and returns how its body is sent.
func readHead(in *bufio.Reader) (length int, chunked bool, err error) {
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, false, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 && !first {
			return length, chunked, nil
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if first || !ok {
			continue
		}
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, false, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		}
	}
}

func readBody(in *bufio.Reader, buf []byte, length int, chunked bool) ([]byte, error) {
	if chunked {
		body, err := io.ReadAll(httputil.NewChunkedReader(in))
		if err != nil {
			return nil, err
		}
		_, err = in.Discard(2) // the blank line that ends the trailer
		return append(buf, body...), err
	}
	if cap(buf) < length {
		buf = make([]byte, length)
	}
	buf = buf[:length]
	_, err := io.ReadFull(in, buf)
	return buf, err
}
