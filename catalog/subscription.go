package catalog

import (
	"slices"
	"strings"
	"sync"

	"posthaste/event"
	"posthaste/match"
)

// Subscription is a subscription, compiled. It never changes: an update makes
// another one.
type Subscription struct {
	event.Subscription
	Types   *match.Types // shared by those that name the same types when they are loaded
	filters *filters     // nil: all pass
	rev     uint64
}

// compileSubscription makes a Subscription of a valid noun. Lists of types that are
// in known are compiled once; known may be nil. An error is an event.InvalidError
// that names a field.
func compileSubscription(s event.Subscription, known *knownTypes, rev uint64) (*Subscription, error) {
	types, err := known.compile(&s.FilterConfig)
	if err != nil {
		return nil, within("filter_config.event_types", err)
	}
	filters, err := compileFilters(&s)
	if err != nil {
		return nil, err
	}
	return &Subscription{Subscription: s, Types: types, filters: filters, rev: rev}, nil
}

// knownTypes are the lists of event types that were compiled, by their texts, so
// that a million subscriptions to the same types do not keep a million lists.
type knownTypes struct {
	sync.Mutex // guards byText
	byText     map[string]sharedTypes
}

type sharedTypes struct {
	patterns []string
	compiled *match.Types
}

func newKnownTypes() *knownTypes { return &knownTypes{byText: make(map[string]sharedTypes)} }

// compile compiles a list, and gives f the list that is shared.
func (k *knownTypes) compile(f *event.FilterConfig) (*match.Types, error) {
	if k == nil {
		return match.CompileTypes(f.EventTypes)
	}
	key := strings.Join(f.EventTypes, "\x00") // which is in no type
	k.Lock()
	defer k.Unlock()
	known, found := k.byText[key]
	if !found {
		var err error
		known.patterns = f.EventTypes
		if known.compiled, err = match.CompileTypes(f.EventTypes); err != nil {
			return nil, err
		}
		k.byText[key] = known
	}
	f.EventTypes = known.patterns
	return known.compiled, nil
}

// Wants reports whether the subscription takes an event: by its type, by its filter
// and by the one for that type, see event.TypeFilter. It does not look at where the
// event came in. Any goroutine may call it with an input of its own.
func (s *Subscription) Wants(in *match.Input) bool {
	return s.Types.Match(in.Type()) && (s.filters == nil || s.filters.match(in))
}

// hasSource reports whether the subscription takes the requests of a source.
func (s *Subscription) hasSource() bool { return s.Extra != nil && !s.Extra.SourceID.IsZero() }

func (s *Subscription) ref() Change {
	return Change{Kind: KindSubscription, ID: s.ID, ProjectID: s.ProjectID}
}
func (s *Subscription) revision() uint64 { return s.rev }

// list enters the subscription into the trees, but not into its endpoint.
func (s *Subscription) list(st *state) {
	st.subscriptions.put(s.ID, s)
	st.subListing.put(s)
	if s.hasSource() {
		st.subSources.put(s)
	}
	st.changed.subscriptions = true
}

func (s *Subscription) insertInto(st *state) {
	s.list(st)
	e := st.endpoints.get(s.EndpointID)
	at, _ := slices.BinarySearchFunc(e.subscriptions, s.ID, compareSubscriptionID)
	subs := slices.Insert(slices.Clone(e.subscriptions), at, s)
	e.withSubscriptions(slices.Clip(subs)).insertInto(st)
}

func (s *Subscription) removeFrom(st *state) {
	st.subscriptions.remove(s.ID)
	st.subListing.remove(s)
	if s.hasSource() {
		st.subSources.remove(s)
	}
	st.changed.subscriptions = true
	e := st.endpoints.get(s.EndpointID)
	if at, found := slices.BinarySearchFunc(e.subscriptions, s.ID, compareSubscriptionID); found {
		e.withSubscriptions(slices.Concat(e.subscriptions[:at], e.subscriptions[at+1:])).insertInto(st)
	}
}

func compareSubscriptionID(s *Subscription, id event.ID) int { return compareID(s.ID, id) }
