package catalog

import (
	"fmt"
	"slices"

	"posthaste/event"
)

// sourceMaskLen is the length of a source's mask id: 142 random bits, since who knows
// it may post to a source that verifies nothing.
const sourceMaskLen = 24

type sourceMask [sourceMaskLen]byte

// source is a stored source.
type source struct {
	event.Source
	mask sourceMask
	rev  uint64
}

// maskedSource is a source beside its mask id.
type maskedSource struct {
	mask   sourceMask
	source *source
}

func compareSourceMasks(a, b maskedSource) int { return slices.Compare(a.mask[:], b.mask[:]) }

func compileSource(s event.Source, rev uint64) (*source, error) {
	c := &source{Source: s, rev: rev}
	if len(s.MaskID) != sourceMaskLen {
		return nil, fmt.Errorf("source %s: the mask id has %d characters, want %d", s.ID, len(s.MaskID), sourceMaskLen)
	}
	copy(c.mask[:], s.MaskID)
	if v := s.Verifier; v != nil && !hasSecret(v) {
		return nil, fmt.Errorf("source %s: its verifier has no secret", s.ID)
	}
	return c, nil
}

// hasSecret reports whether a verifier has what it compares with: without, everybody
// would pass.
func hasSecret(v *event.Verifier) bool {
	switch v.Type {
	case event.VerifyHMac:
		return v.HMac != nil && v.HMac.Secret != ""
	case event.VerifyBasic:
		return v.BasicAuth != nil && v.BasicAuth.Password != ""
	case event.VerifyAPIKey:
		return v.APIKey != nil && v.APIKey.HeaderValue != ""
	}
	return v.Type == event.VerifyNothing
}

func (s *source) noun() *event.Source { return &s.Source }

func (s *source) ref() Change      { return Change{Kind: KindSource, ID: s.ID, ProjectID: s.ProjectID} }
func (s *source) revision() uint64 { return s.rev }

func (s *source) insertInto(st *state) {
	st.sources.put(s.ID, s)
	st.sourceListing.put(s.ProjectID, s.ID, s)
	st.sourceMasks.put(maskedSource{s.mask, s})
	st.changed.sources = true
}

func (s *source) removeFrom(st *state) {
	st.sources.remove(s.ID)
	st.sourceListing.remove(s.ProjectID, s.ID)
	st.sourceMasks.remove(maskedSource{mask: s.mask})
	st.changed.sources = true
}

// Source is the project's source with this id; nil if there is none.
func (s *Snapshot) Source(project, id event.ID) *event.Source {
	found := s.sourceOf(project, id)
	if found == nil {
		return nil
	}
	return &found.Source
}

// sourceOf is the source if it belongs to the project, nil otherwise.
func (s *Snapshot) sourceOf(project, id event.ID) *source {
	found := s.sources.get(id)
	if found == nil || found.ProjectID != project {
		return nil
	}
	return found
}

// SourceByMask is the source, of whichever project, that requests to /ingest/{mask}
// are for; nil if there is none. It is on the path of every such request: one lookup,
// no allocation.
func (s *Snapshot) SourceByMask(mask string) *event.Source {
	if len(mask) != sourceMaskLen {
		return nil
	}
	var probe maskedSource
	copy(probe.mask[:], mask)
	found, ok := s.sourceMasks.get(probe)
	if !ok {
		return nil
	}
	return &found.source.Source
}

// Sources lists the sources of a project by id, which is by age; match selects, nil
// takes all.
func (s *Snapshot) Sources(project event.ID, r event.Range, match func(*event.Source) bool) []*event.Source {
	return selected(s.sourceListing.within(project, r), r.Limit, (*source).noun, match)
}
