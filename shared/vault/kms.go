package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// KMS keeps master keys in AWS Key Management Service. A master key is a data
// key of the service's: it gives the key out once in plain and once encrypted,
// and the hub stores the latter. Two calls are all it makes (API reference of
// AWS KMS, 2014-11-01: GenerateDataKey and Decrypt, JSON 1.1, Signature Version
// 4), so that the service's own library, many times as large, is not linked.
type KMS struct {
	Region   string // for keys that are named without one
	Endpoint string // origin; "" for the region's own
	KeyID    string // of the access key pair
	Secret   hub.Secret
	Session  hub.Secret // of temporary credentials; may be empty
	Now      hub.Now
	Client   *http.Client        // nil: http.DefaultClient
	Pause    func(time.Duration) // between tries; nil: time.Sleep
}

// KMSMaster is a master key as KMS keeps it.
type KMSMaster struct {
	Key     string // ARN of the key that encrypted it
	Wrapped string // base64 of what KMS gave out
}

const (
	kmsTime  = 5 * time.Second // for one try
	kmsTries = 5
	kmsMost  = 256 << 10 // bytes of an answer
)

// kmsContext is authenticated along with the key: nobody can take a ciphertext
// of something else under the same KMS key for a master key. It appears in
// CloudTrail, and a key policy can ask for it.
func kmsContext() map[string]string {
	return map[string]string{"aigne-hub": "vault-master-v1"}
}

// Generate makes a master key under a KMS key: an id, an alias such as
// alias/aigne-hub, or the ARN of either.
func (k KMS) Generate(ctx context.Context, keyID string) (*Master, KMSMaster, error) {
	var out struct {
		CiphertextBlob, Plaintext []byte
		KeyID                     string `json:"KeyId"`
	}
	err := k.call(ctx, "GenerateDataKey", keyID, map[string]any{"KeyId": keyID, "KeySpec": "AES_256", "EncryptionContext": kmsContext()}, &out)
	if err != nil {
		return nil, KMSMaster{}, err
	}
	m, err := MasterOf(out.Plaintext)
	clear(out.Plaintext)
	if err != nil || len(out.CiphertextBlob) == 0 || out.KeyID == "" {
		return nil, KMSMaster{}, errors.Join(errors.New("AWS KMS answered without a key"), err)
	}
	return m, KMSMaster{Key: out.KeyID, Wrapped: base64.StdEncoding.EncodeToString(out.CiphertextBlob)}, nil
}

// Open has KMS decrypt a master key.
func (k KMS) Open(ctx context.Context, m KMSMaster) (*Master, error) {
	blob, err := base64.StdEncoding.DecodeString(m.Wrapped)
	if err != nil {
		return nil, ErrFormat
	}
	var out struct {
		Plaintext []byte
		KeyID     string `json:"KeyId"`
	}
	err = k.call(ctx, "Decrypt", m.Key, map[string]any{"KeyId": m.Key, "CiphertextBlob": blob, "EncryptionContext": kmsContext(),
		"EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, &out)
	if err != nil {
		return nil, err
	}
	master, err := MasterOf(out.Plaintext)
	clear(out.Plaintext)
	return master, err
}

// call sends a request, again where KMS is busy or not to be reached.
func (k KMS) call(ctx context.Context, operation, keyID string, in, out any) error {
	region := k.region(keyID)
	switch {
	case region == "":
		return errors.New("AWS KMS: no region: name the key by its ARN, or set AWS_REGION")
	case k.KeyID == "" || k.Secret == "":
		return errors.New("AWS KMS: no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary ones)")
	}
	if err := k.insist(ctx, awsCall{"kms", "TrentService." + operation, region}, in, out); err != nil {
		return fmt.Errorf("AWS KMS (%s, key %s, region %s): %w", operation, keyID, region, err)
	}
	return nil
}

// awsCall names an operation of a service of AWS that speaks JSON 1.1.
type awsCall struct{ service, target, region string }

// insist makes a call, and makes it again where the service is busy or not to be
// reached.
func (k KMS) insist(ctx context.Context, c awsCall, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	pause := k.Pause
	if pause == nil {
		pause = time.Sleep
	}
	for try := 1; ; try++ {
		err = k.once(ctx, c, body, out)
		var refused *kmsError
		again := err != nil && (!errors.As(err, &refused) || refused.temporary())
		if !again || try == kmsTries || ctx.Err() != nil {
			return err
		}
		const first = 100 * time.Millisecond
		pause(first << (try - 1))
	}
}

// region is that of a key's ARN (arn:partition:kms:region:account:key/id), else
// the set one.
func (k KMS) region(keyID string) string {
	const at, parts = 3, 6
	if p := strings.SplitN(keyID, ":", parts); len(p) == parts && p[0] == "arn" && p[2] == "kms" {
		return p[at]
	}
	return k.Region
}

func (k KMS) once(ctx context.Context, c awsCall, body []byte, out any) error {
	ctx, cancel := context.WithTimeout(ctx, kmsTime)
	defer cancel()
	endpoint := k.Endpoint
	if endpoint == "" {
		endpoint = "https://" + c.service + "." + c.region + ".amazonaws.com"
		if strings.HasPrefix(c.region, "cn-") {
			endpoint += ".cn"
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(endpoint, "/")+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", c.target)
	sum := sha256.Sum256(body)
	err = v4.NewSigner().SignHTTP(ctx, aws.Credentials{AccessKeyID: k.KeyID, SecretAccessKey: k.Secret.Reveal(), SessionToken: k.Session.Reveal()},
		r, hex.EncodeToString(sum[:]), c.service, c.region, k.Now())
	if err != nil {
		return err
	}
	client := k.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, kmsMost))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return newKMSError(res.StatusCode, text)
	}
	return json.Unmarshal(text, out)
}

// kmsError is a refusal of KMS. Its message never holds key material.
type kmsError struct {
	status         int
	kind, messages string
}

func newKMSError(status int, body []byte) *kmsError {
	var e struct {
		Type         string `json:"__type"`
		Message, Msg string
	}
	_ = json.Unmarshal(body, &e) // a gateway's page has no type
	_, kind, found := strings.Cut(e.Type, "#")
	if !found {
		kind = e.Type
	}
	const most = 300
	text := e.Message + e.Msg
	return &kmsError{status, kind, text[:min(len(text), most)]}
}

func (e *kmsError) temporary() bool {
	return e.status >= http.StatusInternalServerError || e.status == http.StatusTooManyRequests ||
		e.kind == "ThrottlingException" || e.kind == "LimitExceededException" || e.kind == "DependencyTimeoutException"
}

// advice says what an operator can do about each refusal.
var advice = map[string]string{
	"AccessDeniedException":               "allow these credentials kms:GenerateDataKey and kms:Decrypt on the key, in their policy or the key's",
	"NotFoundException":                   "there is no such key in this account and region: check AIGNE_HUB_KMS_KEY_ID and AWS_REGION, or name the key by its ARN",
	"DisabledException":                   "enable the key",
	"KMSInvalidStateException":            "the key is disabled or about to be deleted: enable it, or cancel its deletion",
	"InvalidKeyUsageException":            "the key must be symmetric, for encryption and decryption",
	"IncorrectKeyException":               "the stored master key was made with another KMS key",
	"InvalidCiphertextException":          "the stored master key was changed, or belongs to another KMS key or another use",
	"KeyUnavailableException":             "the key cannot be used at the moment",
	"UnrecognizedClientException":         "the AWS credentials are not valid",
	"InvalidSignatureException":           "the AWS credentials do not belong together, or this machine's clock is wrong",
	"ExpiredTokenException":               "the AWS credentials have expired",
	"IncompleteSignatureException":        "the AWS credentials are not valid",
	"MissingAuthenticationTokenException": "the AWS credentials are not valid",
}

// Error says what KMS answered and what to do.
func (e *kmsError) Error() string {
	text := fmt.Sprintf("refused with status %d %s", e.status, e.kind)
	if e.messages != "" {
		text += " (" + e.messages + ")"
	}
	if to := advice[e.kind]; to != "" {
		text += ": " + to
	}
	return text
}
