package blob

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// listed is the part of a ListObjectsV2 answer that is read ("ListObjectsV2" in the
// S3 API reference).
type listed struct {
	Truncated bool   `xml:"IsTruncated"`
	Next      string `xml:"NextContinuationToken"`
	Common    []struct {
		Prefix string `xml:"Prefix"`
	} `xml:"CommonPrefixes"`
}

// Folders lists the first parts of names that have a slash, in S3's order.
func (s *S3) Folders(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, s3Time)
	defer cancel()
	var out []string
	for next := ""; ; {
		page, err := s.folderPage(ctx, next)
		if err != nil {
			return nil, err
		}
		for _, c := range page.Common {
			out = append(out, strings.TrimSuffix(strings.TrimPrefix(c.Prefix, s.Prefix), "/"))
		}
		if !page.Truncated || page.Next == "" {
			return out, nil
		}
		next = page.Next
	}
}

func (s *S3) folderPage(ctx context.Context, next string) (listed, error) {
	q := url.Values{"list-type": {"2"}, "delimiter": {"/"}, "prefix": {s.Prefix}}
	if next != "" {
		q.Set("continuation-token", next)
	}
	res, err := s.ask(ctx, http.MethodGet, "", q, nil, nil)
	if err != nil {
		return listed{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return listed{}, refused(res)
	}
	const most = 8 << 20
	text, err := io.ReadAll(io.LimitReader(res.Body, most))
	if err != nil {
		return listed{}, err
	}
	var page listed
	if err := xml.Unmarshal(text, &page); err != nil {
		return listed{}, errors.New("the file store's list cannot be read")
	}
	return page, nil
}
