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

func BenchmarkFilter(b *testing.B) {
	filter, err := CompileFilter(&event.Filter{Body: []byte(sampleFilter)})
	if err != nil {
		b.Fatal(err)
	}
	in, ev := &Input{}, &event.Event{Data: sample}
	b.Run(fmt.Sprintf("body=%d/first", len(sample)), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			in.Reset(ev)
			if !filter.Match(in) {
				b.Fatal("no match")
			}
		}
	})
	b.Run(fmt.Sprintf("body=%d/next", len(sample)), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			filter.Match(in)
		}
	})
}
