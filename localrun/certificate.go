package main

import (
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// lookEvery is how often, at most, the files of a certificate are looked at.
const lookEvery = 5 * time.Second

// certificate is the pair of files by which the hub speaks TLS, as they are now.
type certificate struct {
	files boot.TLS
	log   *slog.Logger
	now   hub.Now

	mu     sync.Mutex
	loaded *tls.Certificate
	seen   [2]stamp
	looked time.Time
}

// stamp tells whether a file has changed: tools that renew certificates replace files
// or what a link leads to.
type stamp struct {
	at   time.Time
	size int64
}

func openCertificate(files boot.TLS, log *slog.Logger, now hub.Now) (*certificate, error) {
	c := &certificate{files: files, log: log, now: now}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

// load reads both files. Until both fit, as while they are being replaced, the
// former pair stays.
func (c *certificate) load() error {
	c.seen, c.looked = c.stamps(), c.now()
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return hub.Wrap(hub.CodeInvalid, err, "the certificate cannot be used (--tls-cert %s, --tls-key %s): %v", c.files.Cert, c.files.Key, err)
	}
	c.loaded = &pair
	c.log.Info("certificate loaded", "names", pair.Leaf.DNSNames, "until", pair.Leaf.NotAfter)
	return nil
}

func (c *certificate) stamps() (s [2]stamp) {
	for i, path := range []string{c.files.Cert, c.files.Key} {
		if info, err := os.Stat(path); err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

// get is the certificate for a new connection.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.looked) >= lookEvery {
		c.looked = now
		if c.stamps() != c.seen {
			c.reloaded(c.load())
		}
	}
	return c.loaded, nil
}

// reload reads the files at once.
func (c *certificate) reload() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reloaded(c.load())
}

func (c *certificate) reloaded(err error) {
	if err != nil {
		c.log.Warn("the new certificate cannot be used; the former one stays", "error", err)
	}
}

// encrypt makes the server speak TLS where the settings say so. The certificate is
// nil unless it comes from files.
func encrypt(cfg boot.Config, log *slog.Logger, now hub.Now) (*tls.Config, *certificate, error) {
	if !cfg.TLS.On() {
		return nil, nil, nil
	}
	if len(cfg.TLS.Domains) > 0 {
		// The cache makes its folder, for this user alone.
		m := &autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(cfg.TLS.Domains...), Email: cfg.TLS.Email,
			Cache: autocert.DirCache(filepath.Join(cfg.Data, "acme")), Client: &acme.Client{DirectoryURL: cfg.TLS.ACMEURL, UserAgent: "aigne-hub"}}
		conf := m.TLSConfig()
		conf.MinVersion = tls.VersionTLS12
		obtain := conf.GetCertificate
		conf.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			cert, err := obtain(hello)
			if err != nil {
				log.Warn("no certificate", "name", hello.ServerName, "error", err)
			}
			return cert, err
		}
		return conf, nil, nil
	}
	cert, err := openCertificate(cfg.TLS, log, now)
	if err != nil {
		return nil, nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: cert.get, NextProtos: []string{"h2", "http/1.1"}}, cert, nil
}

func scheme(cfg boot.Config) string {
	if cfg.TLS.On() {
		return "https"
	}
	return "http"
}
