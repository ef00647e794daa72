package catalog

import "posthaste/event"

// packSubscription and unpackSubscription name the fields in the same order.
func packSubscription(s *event.Subscription) []byte {
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
	p.time(s.CreatedAt)
	p.time(s.UpdatedAt)
	p.optionalTime(s.DeletedAt)
	return p.value()
}

func unpackSubscription(value []byte) (s event.Subscription, err error) {
	u, err := unpack(value)
	if err != nil {
		return s, err
	}
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
	s.CreatedAt = u.time()
	s.UpdatedAt = u.time()
	s.DeletedAt = u.optionalTime()
	return s, u.finish()
}
