package api

import (
	"errors"
	"fmt"
	"net/http"

	"posthaste/event"
)

// createTypeFilters makes several filters, or none of them.
func (a *API) createTypeFilters(c *call) (reply, error) {
	var all []typeFilterBody
	made, s, err := a.changeTypeFilters(c, &all, func(filters []event.TypeFilter) ([]event.TypeFilter, []event.ID, error) {
		if err := checkBulk(len(all)); err != nil {
			return nil, nil, err
		}
		var ids []event.ID
		for i := range all {
			f, err := all[i].create(a.now())
			if err != nil {
				return nil, nil, atIndex(i, err)
			}
			filters, ids = append(filters, f), append(ids, f.ID)
		}
		return filters, ids, nil
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusCreated, "Filters created successfully", typeFilterViews(made, s.ID))
}

// updateTypeFilters changes several filters, or none of them.
func (a *API) updateTypeFilters(c *call) (reply, error) {
	var all []typeFilterUpdate
	made, s, err := a.changeTypeFilters(c, &all, func(filters []event.TypeFilter) ([]event.TypeFilter, []event.ID, error) {
		if err := checkBulk(len(all)); err != nil {
			return nil, nil, err
		}
		var ids []event.ID
		for i := range all {
			id, err := event.ParseID(all[i].ID)
			at := typeFilterAt(filters, id)
			if err != nil || at < 0 {
				return nil, nil, event.Invalid(fmt.Sprintf("[%d].uid", i), "the subscription has no filter with this id")
			}
			if err := all[i].apply(&filters[at], a.now()); err != nil {
				return nil, nil, atIndex(i, err)
			}
			ids = append(ids, id)
		}
		return filters, ids, nil
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Filters updated successfully", typeFilterViews(made, s.ID))
}

func checkBulk(n int) error {
	if n == 0 || n > event.MaxTypeFilters {
		return event.Invalid("", "want an array of 1 to %d filters, got %d", event.MaxTypeFilters, n)
	}
	return nil
}

// atIndex says which entry of an array an error is about.
func atIndex(i int, err error) error {
	var invalid *event.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	field := fmt.Sprintf("[%d]", i)
	if invalid.Field != "" {
		field += "." + invalid.Field
	}
	return event.Invalid(field, "%s", invalid.Reason)
}
