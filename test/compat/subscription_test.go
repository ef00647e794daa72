package compat

func (w *world) subscriptions() {
	const kind = "models.SubscriptionResponse"
	body := object{
		"name": "all of them", "endpoint_id": w.ids["endpointID"], "delivery_mode": "at_least_once",
		"alert_config": object{"count": 4, "threshold": "1h"}, "rate_limit_config": object{"count": 100, "duration": 60},
		"filter_config": object{"event_types": []string{"*"}, "filter": object{"headers": object{}, "body": object{}}},
	}
	made := w.ok(ask{op: "CreateSubscription", body: body}, 201, "Subscription created successfully", kind)
	w.ids["subscriptionID"] = made.pick("uid")
	w.check("CreateSubscription", made.pick("endpoint_metadata.uid") == w.ids["endpointID"], "endpoint_metadata is not the endpoint")
	w.check("CreateSubscription", made.pick("type") == "api" && made.pick("delivery_mode") == "at_least_once", "type %q, mode %q", made.pick("type"), made.pick("delivery_mode"))
	w.check("CreateSubscription", made.pick("alert_config.threshold") == "1h", "alert_config is not kept")
	w.check("CreateSubscription", made.at("rate_limit_config.count") != nil, "rate_limit_config is not kept")
	w.check("CreateSubscription", made.at("retry_config") == nil, "retry_config is shown though it was not set")
	fails := w.send(ask{op: "CreateSubscription", body: object{"name": "of the failing one", "endpoint_id": w.ids["failing endpoint"], "filter_config": object{"event_types": []string{"fails"}}}})
	w.ids["failing subscription"] = fails.pick("uid")
	w.refused("no endpoint", ask{op: "CreateSubscription", body: object{"name": "x"}}, 400, "")
	w.refused("no such endpoint", ask{op: "CreateSubscription", body: object{"name": "x", "endpoint_id": w.ids["projectID"]}}, 400, "")

	all := w.ok(ask{op: "GetSubscriptions"}, 200, "Subscriptions fetched successfully", "page "+kind)
	w.check("GetSubscriptions", len(all.list()) == 2, "%d, want 2", len(all.list()))
	for query, want := range map[string]int{"endpointId=" + w.ids["endpointID"]: 1, "name=all+of+them": 1, "name=none": 0, "endpointId=&name=": 2} {
		got := w.send(ask{op: "GetSubscriptions", query: query})
		w.check("GetSubscriptions", len(got.list()) == want, "?%s finds %d, want %d", query, len(got.list()), want)
	}
	w.ok(ask{op: "GetSubscription"}, 200, "Subscription fetched successfully", kind)
	changed := w.ok(ask{op: "UpdateSubscription", body: object{
		"name": "renamed", "endpoint_id": w.ids["endpointID"], "retry_config": object{"type": "linear", "duration": "3s", "retry_count": 2},
		"filter_config": object{"event_types": []string{"*"}},
	}}, 202, "Subscription updated successfully", kind)
	w.check("UpdateSubscription", changed.pick("name") == "renamed", "the name is still %q", changed.pick("name"))
	w.ok(ask{op: "ToggleSubscriptionStatus"}, 202, "Subscription status updated successfully", "stub")
	w.tryOut()
}

// tryOut tests a filter and a function without a subscription.
func (w *world) tryOut() {
	for amount, want := range map[int]bool{7: true, 5: false} {
		got := w.ok(ask{op: "TestSubscriptionFilter", body: object{
			"request": object{"body": object{"amount": amount}, "header": object{"X-A": "b"}, "query": object{}, "path": object{}},
			"schema":  object{"body": object{"amount": object{"$gt": 6}}, "header": object{"X-A": "b"}, "query": nil, "path": nil},
		}}, 200, "Filter validated successfully", "boolean")
		w.check("TestSubscriptionFilter", got.data == want, "amount %d: %v, want %v", amount, got.data, want)
	}
	for _, op := range []string{"TestSubscriptionFunction", "TestSourceFunction"} {
		got := w.ok(ask{op: op, body: object{"payload": object{"n": 1}, "type": "body", "function": "function transform(p) { console.log('seen'); p.n = p.n + 1; return p }"}},
			200, "Transformer function run successfully", "models.FunctionResponse")
		w.check(op, got.at("payload.n") != nil && string(got.raw) != "" && got.pick("log.0") != "", "payload %v, log %v", got.at("payload"), got.at("log"))
		w.refused("a function that throws", ask{op: op, body: object{"payload": 1, "function": "function transform() { throw new Error('no') }"}}, 400, "")
	}
}

func (w *world) filters() {
	const kind = "models.FilterResponse"
	made := w.ok(ask{op: "CreateFilter", body: object{"event_type": "order.paid", "body": object{"amount": object{"$gte": 100}}, "headers": object{}, "query": object{}, "path": object{}}}, 201, "Filter created successfully", kind)
	w.ids["filterID"], w.ids["eventType"] = made.pick("uid"), "order.paid"
	w.check("CreateFilter", made.pick("event_type") == "order.paid" && made.pick("subscription_id") == w.ids["subscriptionID"], "%s", made.raw)
	w.refused("no event type", ask{op: "CreateFilter", body: object{"body": object{"a": 1}}}, 400, "")
	w.refused("bad operator", ask{op: "CreateFilter", body: object{"event_type": "x", "body": object{"a": object{"$nope": 1}}}}, 400, "")
	bulk := w.ok(ask{op: "BulkCreateFilters", body: []object{
		{"event_type": "order.shipped", "body": object{"a": 1}}, {"event_type": "order.lost", "headers": object{"X-A": "b"}},
	}}, 201, "Filters created successfully", "[models.FilterResponse]")
	uids := bulk.field("uid")
	w.check("BulkCreateFilters", len(uids) == 2, "%d filters, want 2", len(uids))
	if len(uids) == 2 {
		w.bulkUpdate(uids)
	}
	all := w.ok(ask{op: "GetFilters"}, 200, "Filters retrieved successfully", "[models.FilterResponse]")
	w.check("GetFilters", len(all.list()) >= 3, "%d filters, want at least 3", len(all.list()))
	w.ok(ask{op: "GetFilter"}, 200, "Filter retrieved successfully", kind)
	changed := w.ok(ask{op: "UpdateFilter", body: object{"event_type": "order.paid", "body": object{"amount": object{"$gte": 200}}}}, 200, "Filter updated successfully", kind)
	w.check("UpdateFilter", changed.at("body.amount") != nil, "%s", changed.raw)
	for amount, want := range map[int]bool{300: true, 100: false} {
		got := w.ok(ask{op: "TestFilter", body: object{"payload": object{"amount": amount}}}, 200, "Filter test completed", "models.TestFilterResponse")
		w.check("TestFilter", got.at("is_match") == want, "amount %d: %v, want %v", amount, got.at("is_match"), want)
	}
	got := w.ok(ask{op: "TestFilter", body: object{"request": object{"body": object{"amount": 300}, "headers": object{"X-A": "b"}}}}, 200, "Filter test completed", "models.TestFilterResponse")
	w.check("TestFilter", got.at("is_match") == true, "a request with scopes: %v, want true", got.at("is_match"))
}

func (w *world) bulkUpdate(uids []string) {
	body := []object{{"uid": uids[0], "event_type": "order.shipped", "body": object{"a": 2}}}
	for _, method := range []string{"PUT", "POST"} { // the document's, and the server's
		got := w.ok(ask{op: "BulkUpdateFilters", method: method, body: body}, 200, "~(?i)filters? updated successfully", "[models.FilterResponse]")
		w.check("BulkUpdateFilters", got.at("0.body.a") != nil, "%s: %s", method, got.raw)
	}
}
