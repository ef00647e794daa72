package compat

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

func (w *world) events() {
	send := func(op string, body object, message string) answer {
		return w.ok(ask{op: op, body: body}, 201, message, "stub")
	}
	data := object{"amount": 250, "text": "a <b> & c", "note": "some findable words"}
	send("CreateEndpointEvent", object{"endpoint_id": w.ids["endpointID"], "event_type": "order.paid", "data": data,
		"custom_headers": object{"X-Trace": "abc"}, "idempotency_key": "first"}, "Event queued successfully")
	send("CreateEndpointEvent", object{"endpoint_id": w.ids["endpointID"], "event_type": "order.paid", "data": data, "idempotency_key": "first"}, "~^(Event queued successfully|Duplicate event received, but will not be sent)$")
	send("CreateEndpointEvent", object{"endpoint_id": w.ids["failing endpoint"], "event_type": "fails", "data": object{"n": 1}}, "Event queued successfully")
	send("CreateEndpointFanoutEvent", object{"owner_id": "acme", "event_type": "fanned", "data": data, "idempotency_key": "fan"}, "Endpoint fanout event queued successfully")
	send("CreateEndpointFanoutEvent", object{"owner_id": "acme", "event_type": "fanned", "data": data, "idempotency_key": "fan"}, "Duplicate event received, but will not be sent")
	w.send(ask{op: "CreateSubscription", body: object{"name": "just now", "endpoint_id": w.ids["failing endpoint"], "filter_config": object{"event_types": []string{"shout"}}}})
	send("CreateBroadcastEvent", object{"event_type": "shout", "data": data, "acknowledged_at": nil}, "Broadcast event created successfully")
	send("CreateDynamicEvent", object{"url": w.hook.URL + "/dynamic", "secret": "dyn-secret", "event_type": "made.up", "event_types": []string{"made.up"}, "data": object{"d": 1}}, "Dynamic event created successfully")
	w.check("CreateDynamicEvent", eventually(patience, func() bool { return len(w.hook.at("/dynamic")) == 1 }), "nothing arrives at the url")

	w.refused("nothing in it", ask{op: "CreateEndpointEvent", body: object{"endpoint_id": w.ids["endpointID"]}}, 400, "~data:please provide your data.*event_type:please provide an event type")
	w.refused("unknown endpoint", ask{op: "CreateEndpointEvent", body: object{"endpoint_id": w.ids["projectID"], "event_type": "x", "data": 1}}, 400, "~endpoint not found")
	w.refused("no owner", ask{op: "CreateEndpointFanoutEvent", body: object{"event_type": "x", "data": 1}}, 400, "~owner_id")
	w.refused("no event type", ask{op: "CreateBroadcastEvent", body: object{"data": 1}}, 400, "~event_type:please provide an event type")
	w.refused("no url", ask{op: "CreateDynamicEvent", body: object{"event_type": "x", "data": 1}}, 400, "~url")
	w.eventReads()
}

func (w *world) eventReads() {
	const kind = "models.EventResponse"
	all := w.ok(ask{op: "GetEventsPaged", query: "perPage=50"}, 200, "App events fetched successfully", "page "+kind)
	w.check("GetEventsPaged", len(all.list()) >= 6, "%d events, want at least 6", len(all.list()))
	first := w.send(ask{op: "GetEventsPaged", query: "idempotencyKey=first&sort=ASC"})
	w.check("GetEventsPaged", len(first.list()) == 2, "?idempotencyKey=first finds %d, want 2", len(first.list()))
	w.ids["eventID"] = first.pick("content.0.uid")
	w.check("GetEventsPaged", first.at("content.1.is_duplicate_event") == true, "the second one is no duplicate")
	today := time.Now().UTC().Format("2006-01-02T15:04:05")
	for query, want := range map[string]int{
		"endpointId=" + w.ids["failing endpoint"]:                                        2,
		"endpointId=" + w.ids["failing endpoint"] + "&endpointId=" + w.ids["endpointID"]: -5,
		"idempotencyKey=none":                                 0,
		"ownerId=acme":                                        -1,
		"body=" + url.QueryEscape(`{"d":1}`):                  1,
		"query=" + url.QueryEscape("findable words"):          -1,
		"startDate=" + today + "&endDate=2020-01-01T00:00:00": 0,
		"startDate=2020-01-01T00:00:00":                       -6,
		"endDate=2020-01-01T00:00:00":                         0,
		"brokerMessageId=":                                    -6,
	} {
		got := w.send(ask{op: "GetEventsPaged", query: query})
		n := len(got.list())
		w.check("GetEventsPaged", got.code == 200 && (n == want || want < 0 && n >= -want), "?%s: %d %s, %d events, want %d (less than 0: at least)", query, got.code, got.message, n, want)
	}
	one := w.ok(ask{op: "GetEndpointEvent"}, 200, "Endpoint event fetched successfully", kind)
	w.check("GetEndpointEvent", one.pick("event_type") == "order.paid" && one.pick("data.text") == "a <b> & c" && one.pick("endpoints.0") == w.ids["endpointID"], "%s", one.raw)
	w.check("GetEndpointEvent", one.pick("headers.X-Trace.0") == "abc", "headers %v", one.at("headers"))
	before := len(w.hook.at("/ok"))
	w.ok(ask{op: "ReplayEndpointEvent"}, 200, "Endpoint event replayed successfully", kind)
	w.check("ReplayEndpointEvent", eventually(patience, func() bool { return len(w.hook.at("/ok")) > before }), "nothing arrives")
	count := w.ok(ask{op: "CountAffectedEvents", query: "endpointId=" + w.ids["endpointID"]}, 200, "", "models.CountResponse")
	w.check("CountAffectedEvents", fmt.Sprint(count.at("num")) != "0", "num is %v", count.at("num"))
	w.ok(ask{op: "BatchReplayEvents", query: "idempotencyKey=fan"}, 200, "~^([0-9]+ successful, [0-9]+ failed|Batch replay processing)$", "anything")
}

func (w *world) deliveries() {
	const kind = "models.EventDeliveryResponse"
	failed := w.until(ask{op: "GetEventDeliveriesPaged", query: "status=Failure"}, func(a answer) bool { return len(a.list()) >= 2 })
	done := w.until(ask{op: "GetEventDeliveriesPaged", query: "status=Success&sort=ASC"}, func(a answer) bool { return len(a.list()) >= 3 })
	w.until(ask{op: "GetEventDeliveriesPaged", query: "status=Scheduled"}, func(a answer) bool { return len(a.list()) == 0 }) // what was replayed
	w.check("GetEventDeliveriesPaged", len(failed.list()) >= 2 && len(done.list()) >= 3, "%d failed and %d successful, want at least 2 and 3", len(failed.list()), len(done.list()))
	w.ok(ask{op: "GetEventDeliveriesPaged", query: "perPage=50"}, 200, "Event deliveries fetched successfully", "page "+kind)
	event := w.ids["eventID"]
	mine := w.send(ask{op: "GetEventDeliveriesPaged", query: "eventId=" + event + "&sort=ASC"})
	w.ids["eventDeliveryID"] = mine.pick("content.0.uid")
	for query, want := range map[string]int{
		"status=Failure&status=Success": -5, "status=Scheduled": 0, "eventType=fails": 1, "event_type=fails": 1, "eventType=none": 0,
		"endpointId=" + w.ids["failing endpoint"]: 2, "subscriptionId=" + w.ids["failing subscription"]: 1, "idempotencyKey=first": -1,
		"idempotencyKey=none": 0, "endDate=2020-01-01T00:00:00": 0, "eventId=" + event: -1, "status=&eventType=&endpointId=&eventId=&brokerMessageId=": -5,
	} {
		got := w.send(ask{op: "GetEventDeliveriesPaged", query: query})
		n := len(got.list())
		w.check("GetEventDeliveriesPaged", got.code == 200 && (n == want || want < 0 && n >= -want), "?%s: %d %s, %d deliveries, want %d (less than 0: at least)", query, got.code, got.message, n, want)
	}
	one := w.ok(ask{op: "GetEventDelivery"}, 200, "Event Delivery fetched successfully", kind)
	for path, want := range map[string]string{"status": "Success", "event_type": "order.paid", "endpoint_id": w.ids["endpointID"], "subscription_id": w.ids["subscriptionID"],
		"endpoint_metadata.uid": w.ids["endpointID"], "event_metadata.uid": event, "event_metadata.event_type": "order.paid", "metadata.strategy": "linear", "delivery_mode": "at_least_once", "idempotency_key": "first"} {
		w.check("GetEventDelivery", one.pick(path) == want, "%s is %q, want %q", path, one.pick(path), want)
	}
	w.attempts()
	w.retries(failed, done)
}

func (w *world) attempts() {
	all := w.ok(ask{op: "GetDeliveryAttempts"}, 200, "Event delivery attempts fetched successfully", "[datastore.DeliveryAttempt]")
	w.ids["deliveryAttemptID"] = all.pick("0.uid")
	w.check("GetDeliveryAttempts", all.pick("0.http_status") == "200 OK" && all.pick("0.msg_id") == w.ids["eventDeliveryID"], "%s", all.raw)
	w.check("GetDeliveryAttempts", !strings.Contains(string(all.raw), "of-the-receiver"), "the endpoint's key is shown to a project's key")
	w.ok(ask{op: "GetDeliveryAttempt"}, 200, "Event delivery attempt fetched successfully", "datastore.DeliveryAttempt")
}

func (w *world) retries(failed, done answer) {
	w.hook.mu.Lock()
	w.hook.well = true
	w.hook.mu.Unlock()
	one := map[string]string{"eventDeliveryID": failed.pick("content.0.uid")}
	w.ok(ask{op: "ResendEventDelivery", path: one}, 200, "App event processed for retry successfully", "models.EventDeliveryResponse")
	got := w.until(ask{op: "GetEventDelivery", path: one}, func(a answer) bool { return a.pick("status") == "Success" })
	w.check("ResendEventDelivery", got.pick("status") == "Success", "the status afterwards is %q", got.pick("status"))
	w.refused("one that was sent", ask{op: "ResendEventDelivery", path: one}, 400, "~already sent")
	forced := w.ok(ask{op: "ForceResendEventDeliveries", body: object{"ids": []string{done.pick("content.0.uid"), done.pick("content.1.uid")}}}, 200, "2 successful, 0 failed", "anything")
	w.check("ForceResendEventDeliveries", forced.code == 200, "%s", forced.raw)
	retried := w.ok(ask{op: "BatchRetryEventDelivery", query: "status=Failure&endpointId=" + w.ids["failing endpoint"]}, 200, "Batch retry processing", "null")
	w.check("BatchRetryEventDelivery", retried.code == 200, "%s", retried.raw)
	left := w.until(ask{op: "GetEventDeliveriesPaged", query: "status=Failure"}, func(a answer) bool { return a.code == 200 && len(a.list()) == 0 })
	w.check("BatchRetryEventDelivery", len(left.list()) == 0, "%d deliveries are still failed", len(left.list()))
	rates := w.ok(ask{op: "GetEndpointPeriodFailureRates", query: "endpointId=" + w.ids["endpointID"] + "&endpointId=" + w.ids["failing endpoint"]}, 200, "", "[models.EndpointPeriodFailureRate]")
	w.check("GetEndpointPeriodFailureRates", len(rates.list()) == 2, "%d rates, want 2", len(rates.list()))
	counted := false
	for _, row := range rates.list() {
		counted = counted || row.(object)["uid"] == w.ids["endpointID"] && fmt.Sprint(row.(object)["success_count"]) != "0"
	}
	w.check("GetEndpointPeriodFailureRates", counted, "no successes are counted: %s", rates.raw)
}

func (w *world) metaEvents() {
	const kind = "models.MetaEventResponse"
	some := w.until(ask{op: "GetMetaEventsPaged"}, func(a answer) bool {
		return len(a.list()) > 0 && a.pick("content.0.status") == "Success"
	})
	w.ids["metaEventID"] = some.pick("content.0.uid")
	w.ok(ask{op: "GetMetaEventsPaged", query: "perPage=50"}, 200, "Meta events fetched successfully", "page "+kind)
	one := w.ok(ask{op: "GetMetaEvent"}, 200, "Meta event fetched successfully", kind)
	w.check("GetMetaEvent", strings.HasPrefix(one.pick("event_type"), "endpoint."), "event_type %q", one.pick("event_type"))
	w.ok(ask{op: "ResendMetaEvent"}, 200, "Meta event processed for retry successfully", kind)
	w.check("GetMetaEvent", len(w.hook.at("/meta")) > 0, "no operational event arrived")
}
