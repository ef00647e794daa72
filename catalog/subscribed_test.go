package catalog_test

import (
	"errors"
	"fmt"
	"testing"

	"posthaste/catalog"
	"posthaste/event"
)

func subscribedPair(name, url string, types ...string) catalog.Subscribed {
	return catalog.Subscribed{
		Endpoint:     event.Endpoint{Name: name, URL: url},
		Subscription: event.Subscription{Name: name, FilterConfig: event.FilterConfig{EventTypes: types}},
	}
}

func TestCreateSubscribed(t *testing.T) {
	w := setup(t)
	var list []catalog.Subscribed
	for i := range 100 {
		list = append(list, subscribedPair(fmt.Sprint("e", i), "https://x.example/in", fmt.Sprint("type.", i)))
	}
	made, err := w.CreateSubscribed(w.project.ID, list)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range made {
		subs := e.Subscriptions()
		if e.Name != fmt.Sprint("e", i) || len(subs) != 1 || subs[0].FilterConfig.EventTypes[0] != fmt.Sprint("type.", i) || subs[0].EndpointID != e.ID {
			t.Fatalf("entry %d became %+v with %+v", i, e.Endpoint, subs)
		}
	}
}

func TestCreateSubscribedIsAllOrNothing(t *testing.T) {
	w := setup(t)
	_, before, _ := w.Snapshot().Counts()
	for name, bad := range map[string]catalog.Subscribed{
		"a bad endpoint":     subscribedPair("b", ""),
		"a bad subscription": subscribedPair("b", "https://x.example", "regex:("),
	} {
		_, err := w.CreateSubscribed(w.project.ID, []catalog.Subscribed{subscribedPair("a", "https://x.example"), bad})
		row, ok := errors.AsType[*catalog.RowError](err)
		invalid, isInvalid := errors.AsType[*event.InvalidError](err)
		if !ok || row.Row != 1 || !isInvalid || invalid.Field == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.CreateSubscribed(event.NewID(), []catalog.Subscribed{subscribedPair("a", "https://x.example")}); !errors.Is(err, event.ErrNotFound) {
		t.Errorf("of no project: %v", err)
	}
	if _, after, _ := w.Snapshot().Counts(); after != before {
		t.Errorf("%d endpoints were made", after-before)
	}
}
