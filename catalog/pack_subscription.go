package catalog

import (
	"encoding/json"

	"posthaste/event"
	"posthaste/internal/seal"
)

// rareSubscription holds the fields of a subscription that few have: JSON, in the
// last field of the record, which is empty for a subscription that has none.
type rareSubscription struct {
	Filter   *event.Filter            `json:"filter,omitempty"`
	Function string                   `json:"function,omitempty"`
	Extra    *event.SubscriptionExtra `json:"extra,omitempty"`
}

func (s *Subscription) encode(*seal.Box) ([]byte, error) { return packSubscription(&s.Subscription) }

// packSubscription and subscriptionReader.read name the fields in the same order.
func packSubscription(s *event.Subscription) ([]byte, error) {
	var rare []byte
	if s.FilterConfig.Filter != nil || s.Function != "" || s.Extra != nil {
		var err error
		if rare, err = marshal(rareSubscription{s.FilterConfig.Filter, s.Function, s.Extra}); err != nil {
			return nil, err
		}
	}
	var p packer
	p.id(s.ID)
	p.text(s.Name)
	p.word(s.Type)
	p.id(s.ProjectID)
	p.id(s.EndpointID)
	p.length(len(s.FilterConfig.EventTypes))
	for _, t := range s.FilterConfig.EventTypes {
		p.text(t)
	}
	p.word(s.DeliveryMode)
	p.stamp(s.CreatedAt)
	p.stamp(s.UpdatedAt)
	p.optionalTime(nil) // the place of a time of deletion, as in packEndpoint
	p.blob(rare)
	return join(nil, KindSubscription, s.ID, p.open(), nil), nil
}

// subscriptionReader reads the records of subscriptions, one after the other.
type subscriptionReader struct{ scratch []byte }

func (r *subscriptionReader) read(value []byte) (s event.Subscription, err error) {
	version, body, err := takeVersion(value, splitVersion)
	if err != nil {
		return s, err
	}
	if version == plainVersion {
		s, r.scratch, err = unpackSubscription1(body, r.scratch)
		return s, err
	}
	parts, err := splitBody(body)
	if err != nil {
		return s, err
	}
	if len(parts.secret) > 0 {
		return s, errPacked
	}
	var u unpacker
	if u, r.scratch, err = unpack(parts.open, nil, r.scratch); err != nil {
		return s, err
	}
	unpackSubscriptionFields(&u, &s)
	rare := u.blob()
	if err := u.finish(); err != nil || len(rare) == 0 {
		return s, err
	}
	var fields rareSubscription
	if err := json.Unmarshal(rare, &fields); err != nil {
		return s, err
	}
	s.FilterConfig.Filter, s.Function, s.Extra = fields.Filter, fields.Function, fields.Extra
	return s, nil
}

// unpackSubscriptionFields reads what both versions have.
func unpackSubscriptionFields(u *unpacker, s *event.Subscription) {
	s.ID = u.id()
	s.Name = u.text()
	s.Type = u.word()
	s.ProjectID = u.id()
	s.EndpointID = u.id()
	types := make([]string, u.count())
	for i := range types {
		types[i] = u.text()
	}
	if isCatchAll(types) {
		types = catchAll
	}
	s.FilterConfig.EventTypes = types
	s.DeliveryMode = u.word()
	s.CreatedAt = u.stamp()
	s.UpdatedAt = u.stamp()
	u.optionalTime()
}
