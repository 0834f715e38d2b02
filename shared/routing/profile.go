package routing

import (
	"regexp"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
)

// Amazon Bedrock names a model by vendor, release and version, and most of them
// by an inference profile of a geography before it: us.anthropic.claude-…-v1:0.
// Nobody asks for them so; the catalogue knows which there are.
var (
	geographies    = regexp.MustCompile(`^(?:us|us-gov|eu|apac|au|ca|in|jp|global)\.`)
	releaseVersion = regexp.MustCompile(`(?:-v?\d+)?:\d+$|-v\d+$`)
	releaseDate    = regexp.MustCompile(`-20\d{6}$`)
	// A release is told by its date or, for OpenAI's open models, its number.
	release = regexp.MustCompile(`-20\d{6}(?:-v\d+)?(?::\d+)?$|-\d+:\d+$`)
)

// profileIndex maps names as people write them to those of Bedrock.
func (n *Snapshot) profileIndex() map[string][]string {
	index := map[string][]string{}
	for _, m := range n.catalogue.Models(provider.Bedrock) {
		name := geographies.ReplaceAllString(strings.ToLower(m.ID), "")
		_, name, ok := strings.Cut(name, ".")
		if !ok || strings.HasPrefix(m.ID, "regional.") { // the catalogue's word for many
			continue
		}
		plain := releaseVersion.ReplaceAllString(name, "")
		last := ""
		for _, key := range []string{name, plain, releaseDate.ReplaceAllString(plain, "")} {
			if key != last {
				index[key] = append(index[key], m.ID)
			}
			last = key
		}
	}
	return index
}

// bedrockNames are a bare model's names at a provider of kind Bedrock: the
// profile that fits its region, and the plain name where the operator prices it.
func (n *Snapshot) bedrockNames(p *Provider, model string, kind hub.CallType) (names []string) {
	plain, ok := p.Kind.NameFor(model)
	if !ok {
		return nil
	}
	if best := bestProfile(n.profiles()[strings.ToLower(model)], p.Region); best != "" {
		names = append(names, best)
	}
	if len(names) == 0 || n.rate(p, plain, kind) != nil {
		names = append(names, plain)
	}
	return names
}

// bestProfile prefers the geography nearest to the region, then the global one,
// then none; among those the name of a release, then the shortest.
func bestProfile(names []string, region string) (best string) {
	for _, geography := range append(geographiesOf(region), "global.", "") {
		for _, name := range names {
			if geographies.FindString(name) != geography {
				continue
			}
			has, had := release.MatchString(name), release.MatchString(best)
			if best == "" || has && !had || has == had && len(name) < len(best) {
				best = name
			}
		}
		if best != "" {
			return best
		}
	}
	return ""
}

// geographiesOf lists the inference profiles' geographies that hold a region,
// nearest first ("Inference profiles" in the Bedrock user guide).
func geographiesOf(region string) []string {
	switch {
	case strings.HasPrefix(region, "us-gov-"):
		return []string{"us-gov."}
	case strings.HasPrefix(region, "us-"):
		return []string{"us."}
	case strings.HasPrefix(region, "ca-"):
		return []string{"ca.", "us."}
	case strings.HasPrefix(region, "eu-"):
		return []string{"eu."}
	case region == "ap-northeast-1", region == "ap-northeast-3":
		return []string{"jp.", "apac."}
	case region == "ap-southeast-2", region == "ap-southeast-4":
		return []string{"au.", "apac."}
	case strings.HasPrefix(region, "ap-south-"):
		return []string{"in.", "apac."}
	case strings.HasPrefix(region, "ap-"):
		return []string{"apac."}
	}
	return nil
}
