package api

import (
	"net/http"
	"slices"

	"posthaste/event"
)

const inTypeFilters = inSubscription + "/filters"

func (a *API) createTypeFilter(c *call) (reply, error) {
	var b typeFilterBody
	made, s, err := a.changeTypeFilters(c, &b, func(filters []event.TypeFilter) ([]event.TypeFilter, []event.ID, error) {
		f, err := b.create(a.now())
		return append(filters, f), []event.ID{f.ID}, err
	})
	return respondTypeFilter(http.StatusCreated, "Filter created successfully", made, s, err)
}

func (a *API) listTypeFilters(c *call) (reply, error) {
	s, err := c.subscription()
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Filters retrieved successfully", typeFilterViews(extraOf(s).Filters, s.ID))
}

func (a *API) getTypeFilter(c *call) (reply, error) {
	s, at, err := c.typeFilter()
	if err != nil {
		return reply{}, err
	}
	return respondTypeFilter(http.StatusOK, "Filter retrieved successfully", extraOf(s).Filters[at:at+1], s, nil)
}

// updateTypeFilter changes what the body names and leaves the rest.
func (a *API) updateTypeFilter(c *call) (reply, error) {
	old, at, err := c.typeFilter()
	if err != nil {
		return reply{}, err
	}
	id := extraOf(old).Filters[at].ID
	var b typeFilterBody
	made, s, err := a.changeTypeFilters(c, &b, func(filters []event.TypeFilter) ([]event.TypeFilter, []event.ID, error) {
		at := typeFilterAt(filters, id)
		if at < 0 {
			return nil, nil, event.ErrNotFound
		}
		return filters, []event.ID{id}, b.apply(&filters[at], a.now())
	})
	return respondTypeFilter(http.StatusOK, "Filter updated successfully", made, s, err)
}

func (a *API) deleteTypeFilter(c *call) (reply, error) {
	s, at, err := c.typeFilter()
	if err != nil {
		return reply{}, err
	}
	id := extraOf(s).Filters[at].ID
	_, err = a.o.Catalog.UpdateSubscription(c.project.ID, s.ID, func(s *event.Subscription) error {
		return editExtra(s, func(x *event.SubscriptionExtra) error {
			x.Filters = slices.DeleteFunc(x.Filters, func(f event.TypeFilter) bool { return f.ID == id })
			return nil
		})
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Filter deleted successfully", nil)
}

// typeFilter is the filter in the path: its subscription and its place there.
func (c *call) typeFilter() (*event.Subscription, int, error) {
	s, err := c.subscription()
	if err != nil {
		return nil, 0, err
	}
	id, err := pathID(c.r, "filterID")
	if err != nil {
		return nil, 0, err
	}
	at := typeFilterAt(extraOf(s).Filters, id)
	if at < 0 {
		return nil, 0, event.ErrNotFound
	}
	return s, at, nil
}

// changeTypeFilters reads the body into *into and changes the filters of the
// subscription in the path, all at once. change gets a copy of them, and returns them as
// they are to be and the ids of those that the answer shows.
func (a *API) changeTypeFilters(c *call, into any, change func([]event.TypeFilter) ([]event.TypeFilter, []event.ID, error)) ([]event.TypeFilter, *event.Subscription, error) {
	s, err := c.subscription()
	if err != nil {
		return nil, nil, err
	}
	if err := a.readJSON(c.r, into); err != nil {
		return nil, nil, err
	}
	var ids []event.ID
	s, err = a.o.Catalog.UpdateSubscription(c.project.ID, s.ID, func(s *event.Subscription) error {
		return editExtra(s, func(x *event.SubscriptionExtra) (err error) {
			if x.Filters, ids, err = change(x.Filters); err != nil {
				return err
			}
			return checkTypeFilters(x.Filters)
		})
	})
	if err != nil {
		return nil, nil, err
	}
	var shown []event.TypeFilter
	for _, id := range ids {
		if at := typeFilterAt(extraOf(s).Filters, id); at >= 0 {
			shown = append(shown, extraOf(s).Filters[at])
		}
	}
	return shown, s, nil
}

func respondTypeFilter(code int, message string, one []event.TypeFilter, s *event.Subscription, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return respond(code, message, newTypeFilterView(&one[0], s.ID))
}
