package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func (p *planner) planCredential(path, providerName string, want manifestCredential, have *store.Credential) error {
	variable, err := envReference(path+".value", want.Value)
	if err != nil {
		return err
	}
	raw, _ := p.lookup(variable)
	secret := hub.Secret(strings.TrimSpace(raw))
	if n := want.MaxConcurrent; n != nil && *n < 0 {
		return hub.Invalid(path+".max_concurrent", "%s.max_concurrent must be 0 or more; 0 is any number", path)
	}
	if want.Weight < 0 {
		return hub.Invalid(path+".weight", "%s.weight must be 1 to 1000000", path)
	}
	name := providerName + "/" + want.Name
	desk := p.desk
	if have == nil {
		if secret == "" {
			return hub.Invalid(path+".value", "%s.value: the environment variable %s is not set, or empty", path, variable)
		}
		p.add(false, "credential", name, []string{"value: from " + variable}, func(ctx context.Context) error {
			_, err := desk.AddCredential(ctx, actor, providerName, want.Name, want.Weight, secret)
			if err == nil && want.MaxConcurrent != nil {
				err = desk.SetCredentialUse(ctx, actor, providerName, want.Name, operator.CredentialUse{MaxConcurrent: want.MaxConcurrent})
			}
			if err == nil && want.Active != nil && !*want.Active {
				err = desk.SetCredentialActive(ctx, actor, providerName, want.Name, false)
			}
			return err
		})
		return nil
	}
	var detail []string
	weight := int64(0)
	if want.Weight != 0 && want.Weight != have.Weight {
		weight = want.Weight
		detail = append(detail, turned("weight", fmt.Sprint(have.Weight), fmt.Sprint(weight)))
	}
	if secret, err = p.newValue(*have, secret); err != nil {
		return err
	}
	if secret != "" {
		detail = append(detail, "value: from "+variable)
	}
	resealed := len(detail) > 0
	bounded := want.MaxConcurrent != nil && *want.MaxConcurrent != have.MaxConcurrent
	if bounded {
		detail = append(detail, turned("max_concurrent", fmt.Sprint(have.MaxConcurrent), fmt.Sprint(*want.MaxConcurrent)))
	}
	switched := want.Active != nil && *want.Active != have.Active
	if switched {
		detail = append(detail, turned("active", yesNo(have.Active), yesNo(*want.Active)))
	}
	p.add(true, "credential", name, detail, func(ctx context.Context) error {
		if resealed {
			if err := desk.ChangeCredential(ctx, actor, providerName, want.Name, weight, secret); err != nil {
				return err
			}
		}
		if bounded {
			if err := desk.SetCredentialUse(ctx, actor, providerName, want.Name, operator.CredentialUse{MaxConcurrent: want.MaxConcurrent}); err != nil {
				return err
			}
		}
		if switched {
			return desk.SetCredentialActive(ctx, actor, providerName, want.Name, *want.Active)
		}
		return nil
	})
	return nil
}

// newValue is secret, or "" where the credential has that value already.
func (p *planner) newValue(have store.Credential, secret hub.Secret) (hub.Secret, error) {
	if secret == "" {
		return "", nil
	}
	keyring, err := p.app.Vault(p.ctx)
	if err != nil {
		return "", err
	}
	// A value that cannot be opened is of no use to anybody: it is replaced.
	if old, err := keyring.Open(operator.CredentialAAD(have.ID), have.Sealed); err == nil && old == secret {
		return "", nil
	}
	return secret, nil
}
