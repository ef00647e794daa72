package catalog

import (
	"fmt"
	"slices"
	"strings"

	"posthaste/event"
	"posthaste/match"
)

// anyType is the event type of the TypeFilter for events that have no other.
const anyType = "*"

// filters are the conditions of a subscription that has some.
type filters struct {
	all    *match.Filter // of every event; nil: all pass
	byType []typeFilter  // those that are enabled, in the order of their types
	others *match.Filter // of the types that are not in byType; nil: all pass
}

type typeFilter struct {
	eventType string
	filter    *match.Filter // nil: all pass
}

// compileFilters compiles the filters of a subscription, and drops its FilterConfig's
// own where it says nothing. It returns nil if there is nothing to ask of an event.
func compileFilters(s *event.Subscription) (*filters, error) {
	own, err := match.CompileFilter(s.FilterConfig.Filter)
	if err != nil {
		return nil, within("filter_config.filter", err)
	}
	if own == nil {
		s.FilterConfig.Filter = nil
	}
	f := filters{all: own}
	if s.Extra != nil {
		if err := f.addTypes(s.Extra.Filters); err != nil {
			return nil, err
		}
	}
	if f.all == nil && f.others == nil && len(f.byType) == 0 {
		return nil, nil
	}
	return &f, nil
}

func (f *filters) addTypes(list []event.TypeFilter) error {
	for i := range list {
		compiled, err := match.CompileFilter(&list[i].Filter)
		if err != nil {
			return within(fmt.Sprintf("filters[%d]", i), err)
		}
		switch {
		case list[i].EnabledAt == nil:
		case list[i].EventType == anyType:
			f.others = compiled
		default:
			f.byType = append(f.byType, typeFilter{list[i].EventType, compiled})
		}
	}
	slices.SortFunc(f.byType, func(a, b typeFilter) int { return strings.Compare(a.eventType, b.eventType) })
	return nil
}

func (f *filters) match(in *match.Input) bool {
	if !f.all.Match(in) {
		return false
	}
	at, found := slices.BinarySearchFunc(f.byType, in.Type(), func(t typeFilter, name string) int {
		return strings.Compare(t.eventType, name)
	})
	if found {
		return f.byType[at].filter.Match(in)
	}
	return f.others.Match(in)
}
