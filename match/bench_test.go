package match

import (
	"fmt"
	"strings"
	"testing"

	"posthaste/event"
)

// sample is a body of a kilobyte.
var sample = []byte(`{"id":"evt_0001","type":"invoice.paid","livemode":true,"amount":1999.50,"currency":"eur","customer":{"id":"cus_42","name":"Zoë \"Z\" Brown","plan":"gold","tags":["new","b2b"],"address":{"line1":"1 Long Street","city":"Lagos","country":"NG"}},"items":[` +
	strings.TrimSuffix(strings.Repeat(`{"id":7,"sku":"sku-0007","quantity":2,"price":99.99,"note":"leave at the door"},`, 8), ",") +
	`],"metadata":{"order":"9007199254740993","source":"web","campaign":null}}`)

const sampleFilter = `{"type":"invoice.paid","customer.plan":["gold","silver"],"amount":{"$gte":1000},"items.$.id":7}`

func BenchmarkTypes(b *testing.B) {
	many := make([]string, MaxTypes)
	for i := range many {
		many[i] = fmt.Sprintf("type.%d", i)
	}
	for _, bc := range []struct {
		name     string
		patterns []string
	}{
		{"all", []string{"*"}}, {"one", []string{"type.500"}}, {"exact=1000", many}, {"glob", []string{"type.*"}}, {"regex", []string{"regex:type\\.[0-9]+"}},
	} {
		types, err := CompileTypes(bc.patterns)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !types.Match("type.500") {
					b.Fatal("no match")
				}
			}
		})
	}
}

// large is a body of 64 KiB with the members of sample at its end.
var large = []byte(`{"history":[` + strings.TrimSuffix(strings.Repeat(`{"at":1700000000,"state":"pending","by":{"id":"usr_7","name":"Ann"},"note":"nothing to see"},`, 690), ",") + `],` + string(sample[1:]))

// BenchmarkFilter matches filters against a body that was not looked at yet (first), and against one
// that another subscription's filter has looked at before (next).
func BenchmarkFilter(b *testing.B) {
	for _, bc := range []struct {
		name, filter string
		holds        bool
	}{
		{"one-path", `{"type":"invoice.paid"}`, true},
		{"four-paths", sampleFilter, true},
		{"absent", `{"no.such.path":1}`, false},
		{"logic", `{"$and":[{"$or":[{"currency":"usd"},{"$or":[{"amount":{"$gt":5000}},{"customer.plan":"gold"}]}]},{"livemode":true},{"customer.address.country":{"$in":["NG","GH"]}}]}`, true},
		{"regex", `{"customer.name":{"$regex":"^Zo. .* Brown$"},"id":{"$regex":"^evt_[0-9]+$"}}`, true},
	} {
		filter, err := CompileFilter(&event.Filter{Body: []byte(bc.filter)})
		if err != nil {
			b.Fatal(bc.name, err)
		}
		for _, body := range [][]byte{sample, large} {
			in, ev := &Input{}, &event.Event{Data: body}
			run := func(when string, before func()) {
				b.Run(fmt.Sprintf("filter=%s/body=%d/%s", bc.name, len(body), when), func(b *testing.B) {
					in.Reset(ev)
					b.ReportAllocs()
					for b.Loop() {
						if before(); filter.Match(in) != bc.holds {
							b.Fatal("not as it should be")
						}
					}
				})
			}
			run("first", func() { in.Reset(ev) })
			run("next", func() {})
		}
	}
}
