package catalog

import (
	"encoding/json"

	"posthaste/event"
	"posthaste/internal/seal"
)

// encode is the project's record: JSON, with the secret of its operational events
// as the record's secret.
func (p *Project) encode(box *seal.Box) ([]byte, error) {
	open := p.Project
	open.Config.MetaEvent.Secret = ""
	body, err := json.Marshal(&open)
	if err != nil {
		return nil, err
	}
	return join(box, KindProject, p.ID, body, []byte(p.Config.MetaEvent.Secret)), nil
}

func decodeProject(box *seal.Box, id event.ID, value []byte) (p event.Project, err error) {
	version, body, err := takeVersion(value, splitVersion)
	if err != nil {
		return p, err
	}
	if version == plainVersion {
		return p, json.Unmarshal(body, &p)
	}
	s, err := splitBody(body)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(s.open, &p); err != nil {
		return p, err
	}
	secret, err := s.appendSecret(nil, box, KindProject, id)
	p.Config.MetaEvent.Secret = string(secret)
	return p, err
}
