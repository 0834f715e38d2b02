package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// S3 is a place in a bucket of an S3-compatible store, addressed by path.
type S3 struct {
	Endpoint string // origin, e.g. https://s3.eu-central-1.amazonaws.com
	Bucket   string
	Prefix   string // before every id; "" or ending in /
	Region   string
	KeyID    string
	Secret   hub.Secret
	Session  hub.Secret // of temporary credentials; may be empty
	Now      hub.Now
	Client   *http.Client // nil: http.DefaultClient
}

var _ Place = (*S3)(nil)

const s3Time = 2 * time.Minute

func (s *S3) send(ctx context.Context, method, id string, body []byte, header http.Header) (*http.Response, error) {
	return s.ask(ctx, method, "/"+s.Prefix+id, nil, body, header)
}

// ask sends a signed request about a path of the bucket.
func (s *S3) ask(ctx context.Context, method, path string, query url.Values, body []byte, header http.Header) (*http.Response, error) {
	u, err := url.Parse(s.Endpoint)
	if err != nil {
		return nil, err
	}
	u.Path = "/" + s.Bucket + path
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		r.Header[k] = v
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	r.Header.Set("X-Amz-Content-Sha256", hash)
	err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).SignHTTP(ctx,
		aws.Credentials{AccessKeyID: s.KeyID, SecretAccessKey: s.Secret.Reveal(), SessionToken: s.Session.Reveal()}, r, hash, "s3", s.Region, s.Now())
	if err != nil {
		return nil, err
	}
	client := s.Client
	if client == nil {
		client = http.DefaultClient
	}
	return client.Do(r)
}

// refused is the error of an answer that is no success. The body names the
// bucket at most.
func refused(res *http.Response) error {
	const most = 1 << 10
	text, _ := io.ReadAll(io.LimitReader(res.Body, most)) // for the log only
	return fmt.Errorf("the file store answered with status %d: %s", res.StatusCode, strings.TrimSpace(string(text)))
}

// Put stores a content.
func (s *S3) Put(ctx context.Context, id string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, s3Time)
	defer cancel()
	res, err := s.send(ctx, http.MethodPut, id, data, http.Header{"Content-Type": {"application/octet-stream"}})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return refused(res)
	}
	return nil
}

// Get reads a content.
func (s *S3) Get(ctx context.Context, id string, offset int64) (io.ReadCloser, error) {
	var header http.Header
	if offset > 0 {
		header = http.Header{"Range": {"bytes=" + strconv.FormatInt(offset, 10) + "-"}}
	}
	res, err := s.send(ctx, http.MethodGet, id, nil, header)
	if err != nil {
		return nil, err
	}
	switch {
	case res.StatusCode == http.StatusNotFound:
		res.Body.Close()
		return nil, ErrGone
	case res.StatusCode == http.StatusOK && offset == 0, res.StatusCode == http.StatusPartialContent && offset > 0:
		return res.Body, nil
	}
	defer res.Body.Close()
	return nil, refused(res)
}

// Delete removes a content.
func (s *S3) Delete(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, s3Time)
	defer cancel()
	res, err := s.send(ctx, http.MethodDelete, id, nil, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNoContent && res.StatusCode != http.StatusOK && res.StatusCode != http.StatusNotFound {
		return refused(res)
	}
	return nil
}
