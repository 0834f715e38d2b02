package provider

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const (
	paramBaseURL = "base_url"
	paramRegion  = "region"
	maxBaseURL   = 2048
)

// NormaliseBaseURL makes of what an operator typed the URL that a kind's requests
// go below: http or https, host in lower case, no trailing slash, well-known wrong
// paths mended (Kind.PathFixes), any other path kept as typed. "" gives the kind's
// default. Users, passwords, queries and fragments are refused, since what they
// hold would be logged or lost. Errors are hub.CodeInvalid with Param "base_url"
// and never repeat the input.
func NormaliseBaseURL(k Kind, raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		if k.BaseURL == "" {
			return "", hub.Invalid(paramBaseURL, "A provider of kind %s needs a base URL, e.g. https://host/v1.", k.ID)
		}
		return k.BaseURL, nil
	}
	if raw == k.BaseURL {
		return raw, nil // the template of a region among others
	}
	if len(raw) > maxBaseURL {
		return "", hub.Invalid(paramBaseURL, "The base URL is longer than %d characters.", maxBaseURL)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "", hub.Invalid(paramBaseURL, "The base URL is not a URL.")
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return "", hub.Invalid(paramBaseURL, "The base URL must begin with https:// or http://.")
	case u.Hostname() == "":
		return "", hub.Invalid(paramBaseURL, "The base URL names no host.")
	case u.User != nil:
		return "", hub.Invalid(paramBaseURL, "The base URL must not hold a user or password; store a credential instead.")
	case u.RawQuery != "" || u.ForceQuery:
		return "", hub.Invalid(paramBaseURL, "The base URL must not have a query.")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return "", hub.Invalid(paramBaseURL, "The base URL must not have a fragment.")
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	path = strings.ReplaceAll(path, url.PathEscape(projectPlace), projectPlace)
	if k.ID == Azure && strings.Contains(path, "/deployments/") {
		return "", hub.Invalid(paramBaseURL, "The base URL must be that of the v1 API, https://RESOURCE.openai.azure.com/openai/v1; the deployment is the model's name.")
	}
	if fixed, ok := k.PathFixes[path]; ok {
		path = fixed
	}
	return u.Scheme + "://" + strings.ToLower(u.Host) + path, nil
}

// regionName is what cloud regions look like: us-east-1, us-gov-west-1, europe-west4.
var regionName = regexp.MustCompile(`^[a-z]{2,}(?:-[a-z]+)+-?\d{1,2}$`)

const (
	regionPlace  = "{region}"
	projectPlace = "{project}"
	global       = "global" // Google's location that is everywhere: its host has no region
)

// RegionURL fills the region into a base URL that has a place for it; others are
// returned as they are. The region is checked, since it becomes part of a host
// name that credentials are sent to.
func RegionURL(base, region string) (string, error) {
	if !strings.Contains(base, regionPlace) {
		return base, nil
	}
	if google := regionPlace + "-"; region == global && strings.Contains(base, google) {
		base = strings.Replace(base, google, "", 1)
	} else if !regionName.MatchString(region) {
		return "", hub.Invalid(paramRegion, "The provider needs a region such as us-east-1, or us-east5 at Google.")
	}
	return strings.ReplaceAll(base, regionPlace, region), nil
}

// ProjectURL fills the project of a credential into a base URL that has a place
// for it; others are returned as they are.
func ProjectURL(base, project string) (string, error) {
	if !strings.Contains(base, projectPlace) {
		return base, nil
	}
	if !projectName.MatchString(project) {
		return "", Unusable("The provider's credential names no project.")
	}
	return strings.ReplaceAll(base, projectPlace, project), nil
}

// projectName is what ids of Google projects look like; old ones have a domain.
var projectName = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]{0,99}$`)
