package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/url"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Message is a plain-text e-mail.
type Message struct {
	ID                string // equal ids are the same message
	To, Subject, Text string
	Date              time.Time
}

// Mailer sends e-mail.
type Mailer interface {
	Send(ctx context.Context, m Message) error
}

// SMTP sends through a mail server (RFC 5321), with STARTTLS where the server
// offers it.
type SMTP struct {
	host     string // host:port
	name     string
	implicit bool // TLS from the first byte
	user     string
	password hub.Secret
	from     string
	roots    *x509.CertPool // nil: the system's
}

const smtpTimeout = 30 * time.Second

// ParseSMTP reads a mail server's address:
// smtp://user:password@host:587/?from=hub@example.com, or smtps:// for TLS from
// the first byte (port 465). Errors repeat nothing of it.
func ParseSMTP(raw hub.Secret) (*SMTP, error) {
	u, err := url.Parse(raw.Reveal())
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return nil, errors.New("it must look like smtp://user:password@host:587/?from=hub@example.com")
	}
	s := &SMTP{name: u.Hostname(), implicit: u.Scheme == "smtps", from: u.Query().Get("from")}
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: "465", false: "587"}[s.implicit]
	}
	s.host = net.JoinHostPort(u.Hostname(), port)
	if u.User != nil {
		password, _ := u.User.Password()
		s.user, s.password = u.User.Username(), hub.Secret(password)
	}
	if s.from == "" && strings.Contains(s.user, "@") {
		s.from = s.user
	}
	if _, err := mail.ParseAddress(s.from); err != nil {
		return nil, errors.New("it needs a sender: add ?from=hub@example.com")
	}
	return s, nil
}

// Send sends one message. One to an address that is a stand-in for none (RFC 2606)
// is done with.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	if strings.HasSuffix(m.To, ".invalid") {
		return nil
	}
	to, err := mail.ParseAddress(m.To)
	if err != nil {
		return errors.New("the address is no e-mail address")
	}
	ctx, stop := context.WithTimeout(ctx, smtpTimeout)
	defer stop()
	conn, err := s.dial(ctx)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, s.name)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	defer c.Close()
	if ok, _ := c.Extension("STARTTLS"); ok && !s.implicit {
		if err := c.StartTLS(s.tls()); err != nil {
			return fmt.Errorf("mail server: %w", err)
		}
	}
	if s.user != "" { // PlainAuth refuses to send a password without TLS, except to this machine
		if err := c.Auth(smtp.PlainAuth("", s.user, s.password.Reveal(), s.name)); err != nil {
			return errors.New("the mail server does not accept the user and password, or offers no TLS")
		}
	}
	return s.transmit(c, to.Address, m)
}

func (s *SMTP) tls() *tls.Config {
	return &tls.Config{ServerName: s.name, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}

func (s *SMTP) dial(ctx context.Context) (net.Conn, error) {
	d := &net.Dialer{Timeout: smtpTimeout}
	if s.implicit {
		return (&tls.Dialer{NetDialer: d, Config: s.tls()}).DialContext(ctx, "tcp", s.host)
	}
	return d.DialContext(ctx, "tcp", s.host)
}

func (s *SMTP) transmit(c *smtp.Client, to string, m Message) error {
	from, err := mail.ParseAddress(s.from)
	if err != nil {
		return err
	}
	if err := c.Mail(from.Address); err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	if err := c.Rcpt(to); err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	w, err := c.Data()
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	if err := compose(w, from, to, m); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	_ = c.Quit() // the message is the server's already
	return nil
}

// compose writes a message (RFC 5322, RFC 2045): quoted-printable, since lines
// may be longer than mail allows and hold any character.
func compose(w io.Writer, from *mail.Address, to string, m Message) error {
	subject := mime.QEncoding.Encode("utf-8", strings.NewReplacer("\r", " ", "\n", " ").Replace(m.Subject))
	_, domain, _ := strings.Cut(from.Address, "@")
	_, err := fmt.Fprintf(w, "From: %s\r\nTo: <%s>\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%x@%s>\r\nAuto-Submitted: auto-generated\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
		from, to, subject, m.Date.Format(time.RFC1123Z), m.ID, domain)
	if err != nil {
		return err
	}
	body := quotedprintable.NewWriter(w)
	if _, err := io.WriteString(body, strings.ReplaceAll(m.Text, "\n", "\r\n")); err != nil {
		return err
	}
	return body.Close()
}
