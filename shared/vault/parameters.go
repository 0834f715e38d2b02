package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ParameterStore reads settings from the Parameter Store of AWS Systems Manager (API
// reference of 2014-11-06: GetParametersByPath, JSON 1.1, Signature Version 4), with
// what KMS is asked with.
type ParameterStore KMS

// Read returns the values of the parameters right below a path, decrypted, by the last
// part of their names.
func (p ParameterStore) Read(ctx context.Context, path string) (map[string]string, error) {
	k := KMS(p)
	if k.Region == "" || k.KeyID == "" || k.Secret == "" {
		return nil, errors.New("AWS Parameter Store: set AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary ones)")
	}
	const most = 10 // of a page
	values := map[string]string{}
	for token := ""; ; {
		in := map[string]any{"Path": path, "WithDecryption": true, "MaxResults": most}
		if token != "" {
			in["NextToken"] = token
		}
		var out struct {
			Parameters []struct{ Name, Value string }
			NextToken  string
		}
		if err := k.insist(ctx, awsCall{"ssm", "AmazonSSM.GetParametersByPath", k.Region}, in, &out); err != nil {
			return nil, fmt.Errorf("AWS Parameter Store (path %s, region %s): %w", path, k.Region, err)
		}
		for _, v := range out.Parameters {
			values[v.Name[strings.LastIndexByte(v.Name, '/')+1:]] = v.Value
		}
		if token = out.NextToken; token == "" {
			return values, nil
		}
	}
}
