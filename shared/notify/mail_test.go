package notify

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// mailServer is a small SMTP server (RFC 5321) that is strict about order: no
// password without TLS, no mail without the user where one is asked for.
type mailServer struct {
	t        *testing.T
	listener net.Listener
	cert     *tls.Config    // of the server
	roots    *x509.CertPool // for clients that are to trust it
	starttls bool
	user     string // user and password; "" asks for none
	refuse   string // an answer to RCPT instead of 250
	mute     bool   // it says nothing at all
	rude     bool   // it hangs up once it has the message

	mu       sync.Mutex
	messages []received
	insecure bool // a password came without TLS
}

type received struct {
	from, to, data string
	secure         bool
}

func newMailServer(t *testing.T, set func(*mailServer)) *mailServer {
	t.Helper()
	web := httptest.NewTLSServer(nil) // for its certificate, which is good for 127.0.0.1
	t.Cleanup(web.Close)
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &mailServer{t: t, listener: l, cert: &tls.Config{Certificates: web.TLS.Certificates}, roots: roots} //nolint:gosec // the client asks for 1.2
	set(s)
	var all sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer context.AfterFunc(ctx, func() { conn.Close() })()
				s.serve(conn)
			})
		}
	})
	t.Cleanup(func() { stop(); l.Close(); all.Wait() })
	return s
}

func (s *mailServer) serve(conn net.Conn) {
	defer func() { conn.Close() }()
	if s.mute {
		_, _ = io.Copy(io.Discard, conn)
		return
	}
	in := bufio.NewReader(conn)
	say := func(lines string) { _, _ = io.WriteString(conn, strings.ReplaceAll(lines, "\n", "\r\n")+"\r\n") }
	var m received
	authorised := s.user == ""
	say("220 mail.test ESMTP")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			caps := "250-mail.test\n"
			if s.starttls && !m.secure {
				caps += "250-STARTTLS\n"
			}
			say(caps + "250 AUTH PLAIN")
		case "STARTTLS":
			say("220 go ahead")
			secure := tls.Server(conn, s.cert)
			if secure.Handshake() != nil {
				return
			}
			conn, in, m.secure = secure, bufio.NewReader(secure), true
		case "AUTH":
			s.mu.Lock()
			s.insecure = s.insecure || !m.secure
			s.mu.Unlock()
			_, given, _ := strings.Cut(rest, " ")
			plain, _ := base64.StdEncoding.DecodeString(given)
			if authorised = string(plain) == "\x00"+s.user; authorised {
				say("235 welcome")
			} else {
				say("535 no")
			}
		case "MAIL":
			if !authorised {
				say("530 who are you")
				continue
			}
			m.from = rest
			say("250 ok")
		case "RCPT":
			if s.refuse != "" {
				say(s.refuse)
				continue
			}
			m.to = rest
			say("250 ok")
		case "DATA":
			say("354 go on")
			m.data = readData(in)
			s.mu.Lock()
			s.messages = append(s.messages, m)
			s.mu.Unlock()
			say("250 queued")
			if s.rude {
				return
			}
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 what")
		}
	}
}

// readData reads up to the lone dot and takes the stuffing out.
func readData(in *bufio.Reader) string {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return b.String()
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

func (s *mailServer) client(user, query string) *SMTP {
	s.t.Helper()
	at := ""
	if user != "" {
		at = user + "@"
	}
	c, err := ParseSMTP(hub.Secret("smtp://" + at + s.listener.Addr().String() + "/?from=Hub+%3Chub%40example.com%3E" + query))
	require.NoError(s.t, err)
	c.roots = s.roots
	return c
}

func (s *mailServer) got() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.messages...)
}

var letter = Message{ID: "e1", To: "Boss <boss@example.com>", Subject: "Größe\r\nBcc: evil@example.com",
	Text: ".a dot first\nüber " + strings.Repeat("long ", 300) + "\n", Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}

func TestMailIsSentOverTLSWithAPassword(t *testing.T) {
	t.Parallel()
	s := newMailServer(t, func(s *mailServer) { s.starttls, s.user = true, "me\x00pass word" })
	require.NoError(t, s.client("me:pass%20word", "").Send(t.Context(), letter))
	all := s.got()
	require.Len(t, all, 1)
	assert.True(t, all[0].secure)
	assert.False(t, s.insecure)
	assert.True(t, strings.HasPrefix(all[0].from, "FROM:<hub@example.com>"), all[0].from)
	assert.Equal(t, "TO:<boss@example.com>", all[0].to)

	m, err := mail.ReadMessage(strings.NewReader(all[0].data))
	require.NoError(t, err)
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	require.NoError(t, err)
	assert.Equal(t, "Größe  Bcc: evil@example.com", subject)
	assert.Empty(t, m.Header.Get("Bcc"), "no header can be smuggled in")
	assert.Equal(t, `"Hub" <hub@example.com>`, m.Header.Get("From"))
	date, err := m.Header.Date()
	require.NoError(t, err)
	assert.True(t, date.Equal(letter.Date))
	assert.Contains(t, m.Header.Get("Message-ID"), "@example.com>")
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	require.NoError(t, err)
	assert.Equal(t, letter.Text, strings.ReplaceAll(string(text), "\r\n", "\n"))
	for line := range strings.SplitSeq(all[0].data, "\r\n") {
		assert.LessOrEqual(t, len(line), 998, "RFC 5322 allows no longer line")
	}
}

func TestAServerOnThisMachineNeedsNoTLS(t *testing.T) {
	t.Parallel()
	s := newMailServer(t, func(*mailServer) {})
	require.NoError(t, s.client("", "").Send(t.Context(), letter))
	require.Len(t, s.got(), 1)
	assert.False(t, s.got()[0].secure)
}

func TestAServerThatHangsUpAfterTheMessageHasIt(t *testing.T) {
	t.Parallel()
	s := newMailServer(t, func(s *mailServer) { s.rude = true })
	require.NoError(t, s.client("", "").Send(t.Context(), letter), "sent again it would arrive twice")
}

func TestMailFailsWithoutTellingSecrets(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		set  func(*mailServer)
		user string
		spur func(*SMTP)
		want string
	}{
		"a wrong password":          {func(s *mailServer) { s.starttls, s.user = true, "me\x00right" }, "me:hush-hush", nil, "does not accept the user"},
		"an unknown mailbox":        {func(s *mailServer) { s.refuse = "550 nobody here" }, "", nil, "550"},
		"a certificate of somebody": {func(s *mailServer) { s.starttls = true }, "me:hush-hush", func(c *SMTP) { c.roots = x509.NewCertPool() }, "certificate"},
		"a password without TLS":    {func(s *mailServer) { s.user = "me\x00hush-hush" }, "me:hush-hush", func(c *SMTP) { c.name = "mail.example.com" }, "offers no TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newMailServer(t, tt.set)
			c := s.client(tt.user, "")
			if tt.spur != nil {
				tt.spur(c)
			}
			err := c.Send(t.Context(), letter)
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "hush-hush")
			assert.Empty(t, s.got())
			assert.False(t, s.insecure, "no password leaves without TLS")
		})
	}
}

func TestAMuteMailServerIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	s := newMailServer(t, func(s *mailServer) { s.mute = true })
	ctx, stop := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer stop()
	start := time.Now()
	require.Error(t, s.client("", "").Send(ctx, letter))
	assert.Less(t, time.Since(start), 5*time.Second)
}

func TestMailServersAreNamedByURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]SMTP{
		"smtp://mail.test?from=hub@example.com":          {host: "mail.test:587", name: "mail.test", from: "hub@example.com"},
		"smtps://me%40example.com:p%2Fw@mail.test":       {host: "mail.test:465", name: "mail.test", implicit: true, user: "me@example.com", password: "p/w", from: "me@example.com"},
		"smtp://127.0.0.1:2525/?from=Hub+%3Ch@x.test%3E": {host: "127.0.0.1:2525", name: "127.0.0.1", from: "Hub <h@x.test>"},
		"smtp://u:p@[::1]:25/?from=h@x.test":             {host: "[::1]:25", name: "::1", user: "u", password: "p", from: "h@x.test"},
	} {
		got, err := ParseSMTP(hub.Secret(raw))
		require.NoError(t, err, raw)
		assert.Equal(t, want, *got)
	}
	for _, raw := range []string{"", "mail.test", "http://u:hush-hush@mail.test?from=h@x.test", "smtp://u:hush-hush@mail.test", "smtp://?from=h@x.test",
		"smtp://u:hush-hush@mail.test:port?from=h@x.test", "smtp://mail.test?from=nobody"} {
		_, err := ParseSMTP(hub.Secret(raw))
		require.Error(t, err, raw)
		assert.NotContains(t, err.Error(), "hush-hush")
	}
}
