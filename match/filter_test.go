package match

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"posthaste/event"
)

func compileBody(t *testing.T, conditions string) *Filter {
	t.Helper()
	f, err := CompileFilter(&event.Filter{Body: json.RawMessage(conditions)})
	if err != nil {
		t.Fatalf("%s: %v", conditions, err)
	}
	return f
}

func matchBody(t *testing.T, conditions, body string) bool {
	t.Helper()
	in := &Input{}
	in.Reset(&event.Event{Data: []byte(body)})
	return compileBody(t, conditions).Match(in)
}

func TestFilterBody(t *testing.T) {
	for _, tc := range []struct {
		filter  string
		hold    []string
		notHold []string
	}{
		// Equality: no conversion, absent fails.
		{`{"a":"x"}`, []string{`{"a":"x"}`, `{"b":1,"a":"\u0078"}`, `{"\u0061":"x"}`}, []string{`{"a":"X"}`, `{"b":"x"}`, `{}`, `{"a":null}`, `["x"]`, `"x"`, `1`}},
		{`{"a":1}`, []string{`{"a":1}`, `{"a":1.0}`, `{"a":10e-1}`}, []string{`{"a":"1"}`, `{"a":true}`, `{"a":2}`, `{"a":-1}`}},
		{`{"a":true}`, []string{`{"a":true}`}, []string{`{"a":"true"}`, `{"a":false}`, `{"a":1}`}},
		{`{"a":false}`, []string{`{"a":false}`}, []string{`{"a":null}`, `{}`, `{"a":0}`}},
		{`{"a":null}`, []string{`{"a":null}`}, []string{`{}`, `{"a":0}`, `{"a":""}`, `{"a":"null"}`}},
		{`{"a":""}`, []string{`{"a":""}`}, []string{`{}`, `{"a":null}`, `{"a":" "}`}},
		{`{"a":"é\n\""}`, []string{`{"a":"é\n\""}`, `{"a":"\u00e9\u000a\u0022"}`}, []string{`{"a":"e"}`}},
		{`{"a":1,"b":2}`, []string{`{"b":2,"a":1}`}, []string{`{"a":1}`, `{"b":2}`, `{"a":2,"b":2}`}},

		// Paths.
		{`{"a":{"b":{"c":1}}}`, []string{`{"a":{"b":{"c":1}}}`, `{"a.b":{"c":1}}`, `{"a":{"b.c":1}}`, `{"a.b.c":1}`, `{"a":2,"a.b":{"c":1}}`}, []string{`{"a":{"b":1}}`, `{"a":{"b":{"C":1}}}`, `{"a":[{"b":{"c":1}}]}`}},
		{`{"a.b.c":1}`, []string{`{"a":{"b":{"c":1}}}`, `{"a":{"x":[{}],"b":{"c":1}}}`}, []string{`{"a":{"b":{}}}`, `{"a":"b"}`}},
		{`{"a":{"b":1,"c":2}}`, []string{`{"a":{"c":2,"b":1}}`}, []string{`{"a":{"b":1}}`}},
		{`{"":1}`, []string{`{"":1}`}, []string{`{"a":1}`}},
		{`{"a..b":1}`, []string{`{"a":{"":{"b":1}}}`}, []string{`{"a":{"b":1}}`}},
		{`{"a":1}`, []string{`{"a":2,"a":1}`}, []string{`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`}},
		{`{"a.b":1}`, []string{`{"a":{"b":2},"a":{"b":1}}`}, []string{`{"a":{"b":1},"a":{"b":2}}`, `{"a":{"b":1},"a":7}`}},
		{`{"é.ü":1}`, []string{`{"é":{"ü":1}}`, `{"\u00e9":{"\u00fc":1}}`}, []string{`{"e":{"u":1}}`}},

		// Arrays.
		{`{"a":"x"}`, []string{`{"a":["y","x"]}`}, []string{`{"a":["y"]}`, `{"a":[["x"]]}`, `{"a":[{"a":"x"}]}`, `{"a":[]}`}},
		{`{"items.$.id":7}`, []string{`{"items":[{"id":6},{"id":7}]}`, `{"items":[{"id":[7]}]}`, `{"items.$":{"id":7}}`}, []string{`{"items":[]}`, `{"items":{"id":7}}`, `{"items":[7]}`, `{"items":[{"id":6}]}`}},
		{`{"items.$":{"id":7,"n":1}}`, []string{`{"items":[{"id":7},{"n":1}]}`}, []string{`{"items":[{"id":7}]}`}},
		{`{"$.id":7}`, []string{`[{"id":7}]`, `[1,{"id":7}]`}, []string{`{"id":7}`, `[]`, `[[{"id":7}]]`}},
		{`{"$":{"id":7}}`, []string{`[{"id":7}]`}, []string{`{"id":7}`}},
		{`{"a.$.b.$.c":1}`, []string{`{"a":[{"b":[]},{"b":[{"c":2},{"c":1}]}]}`}, []string{`{"a":[{"b":[{"c":2}]}]}`}},
		{`{"$.$.$.c":1}`, []string{`[[],[[{"c":1}]]]`}, []string{`[[{"c":1}]]`}},
		{`{"items.0.id":7}`, []string{`{"items":[{"id":7},{"id":6}]}`, `{"items":{"0":{"id":7}}}`}, []string{`{"items":[{"id":6},{"id":7}]}`, `{"items":[]}`}},
		{`{"items.1":7}`, []string{`{"items":[6,7]}`}, []string{`{"items":[7]}`, `{"items":[7,6]}`}},
		{`{"items.01":7}`, []string{`{"items":{"01":7}}`}, []string{`{"items":[6,7]}`}},
		{`{"2":7}`, []string{`[1,[2,{}],7]`, `{"2":7}`}, []string{`[1,7]`}},
		{`{"items.9999999999":7}`, nil, []string{`{"items":[7]}`}},

		// In and not in.
		{`{"a":["x",1,null]}`, []string{`{"a":"x"}`, `{"a":1}`, `{"a":null}`, `{"a":["z",1]}`}, []string{`{"a":"y"}`, `{}`, `{"a":true}`}},
		{`{"a":{"$in":["x",true,2.50]}}`, []string{`{"a":"x"}`, `{"a":true}`, `{"a":2.5}`}, []string{`{"a":false}`, `{"a":["y"]}`, `{}`}},
		{`{"a":{"$nin":["x",2]}}`, []string{`{"a":"y"}`, `{}`, `{"a":["y"]}`, `{"a":null}`}, []string{`{"a":"x"}`, `{"a":2.0}`, `{"a":["y","x"]}`}},
		{`{"items.$.id":{"$nin":[1]}}`, []string{`{"items":[{"id":2}]}`, `{"items":[]}`, `{}`}, []string{`{"items":[{"id":2},{"id":1}]}`}},

		// Equality by operator.
		{`{"a":{"$eq":"x"}}`, []string{`{"a":"x"}`}, []string{`{"a":"y"}`, `{}`}},
		{`{"a":{"$eq":["x",1]}}`, []string{`{"a":["x",1.0]}`, `{"a":[["x",1]]}`}, []string{`{"a":["x"]}`, `{"a":["x",1,2]}`, `{"a":[1,"x"]}`, `{"a":"x"}`}},
		{`{"a":{"$eq":[]}}`, []string{`{"a":[]}`}, []string{`{"a":[1]}`, `{}`}},
		{`{"a":{"$neq":"x"}}`, []string{`{"a":"y"}`, `{}`, `{"a":null}`, `{"a":["y"]}`}, []string{`{"a":"x"}`, `{"a":["y","x"]}`}},
		{`{"items.$.id":{"$neq":1}}`, []string{`{"items":[{"id":2},{}]}`, `{}`}, []string{`{"items":[{"id":2},{"id":1}]}`}},

		// Order.
		{`{"a":{"$gt":2}}`, []string{`{"a":3}`, `{"a":2.0000000000000000001}`, `{"a":[1,5]}`}, []string{`{"a":2}`, `{"a":1}`, `{"a":"3"}`, `{}`, `{"a":null}`, `{"a":true}`}},
		{`{"a":{"$gte":2}}`, []string{`{"a":2}`, `{"a":1e9999999999999999999999}`}, []string{`{"a":1.9999999999999999999}`, `{"a":-1e9999999999999999999999}`}},
		{`{"a":{"$lt":2}}`, []string{`{"a":1}`, `{"a":-3}`, `{"a":0}`, `{"a":1e-9999999999999999999999}`}, []string{`{"a":2}`, `{}`}},
		{`{"a":{"$lte":2}}`, []string{`{"a":2}`}, []string{`{"a":2.1}`}},
		{`{"a":{"$gte":10,"$lt":20}}`, []string{`{"a":10}`, `{"a":19.9}`}, []string{`{"a":20}`, `{"a":9}`}},
		{`{"a":{"$gt":"2024-01-01"}}`, []string{`{"a":"2024-01-01T00:00:00Z"}`, `{"a":"3"}`}, []string{`{"a":"2023-12-31"}`, `{"a":"2024-01-01"}`, `{"a":3}`}},
		{`{"a":{"$lte":"é"}}`, []string{`{"a":"e"}`, `{"a":"\u00e9"}`}, []string{`{"a":"ê"}`}},
		{`{"a":9007199254740993}`, []string{`{"a":9007199254740993}`, `{"a":9007199254740993.0}`, `{"a":9.007199254740993E+15}`}, []string{`{"a":9007199254740992}`, `{"a":9007199254740994}`}},
		{`{"a":{"$gt":9007199254740992}}`, []string{`{"a":9007199254740993}`}, []string{`{"a":9007199254740992}`}},
		{`{"a":0.1}`, []string{`{"a":0.1}`, `{"a":1e-1}`, `{"a":0.100}`}, []string{`{"a":0.1000000000000000055511151231257827}`}},
		{`{"a":0}`, []string{`{"a":0}`, `{"a":-0}`, `{"a":0.00e5}`}, []string{`{"a":1e-400}`}},

		// Existence.
		{`{"a.b":{"$exist":true}}`, []string{`{"a":{"b":null}}`, `{"a":{"b":[]}}`, `{"a":{"b":{}}}`}, []string{`{"a":{}}`, `{}`, `[]`}},
		{`{"a.b":{"$exist":false}}`, []string{`{"a":{}}`, `{}`, `[]`, `3`}, []string{`{"a":{"b":null}}`}},
		{`{"items.$.id":{"$exist":false}}`, []string{`{"items":[{},{}]}`}, []string{`{"items":[{},{"id":1}]}`}},

		// Regular expressions.
		{`{"a":{"$regex":"b+c"}}`, []string{`{"a":"xbbcx"}`, `{"a":["no","bc"]}`}, []string{`{"a":"b"}`, `{"a":1}`, `{}`, `{"a":null}`}},
		{`{"a":{"$regex":"^\\d+$"}}`, []string{`{"a":"12"}`}, []string{`{"a":"12x"}`, `{"a":12}`}},

		// Logic.
		{`{"$or":[{"a":1},{"b":2}]}`, []string{`{"a":1}`, `{"b":2}`, `{"a":2,"b":2}`}, []string{`{"a":2}`, `{}`}},
		{`{"$and":[{"age":{"$gte":10}},{"$or":[{"type":"weekly"},{"cities":"lagos"}]}]}`, []string{`{"age":10,"type":"weekly"}`, `{"age":11,"cities":["lagos","london"]}`}, []string{`{"age":9,"type":"weekly"}`, `{"age":10}`}},
		{`{"a":{"$or":[{"b":1},{"$exist":false}]}}`, []string{`{"a":{"b":1}}`, `{}`}, []string{`{"a":{"b":2}}`, `{"a":null}`}},
		{`{"n":{"$or":[{"$lt":1},{"$gt":5}]},"x":1}`, []string{`{"n":0,"x":1}`, `{"n":6,"x":1}`}, []string{`{"n":3,"x":1}`, `{"n":0}`}},
		{`{"a":1,"a":2}`, []string{`{"a":2}`}, []string{`{"a":1}`}},
		{`{"a":{"$gte":1,"b":2}}`, nil, []string{`{"a":1}`, `{"a":{"b":2}}`}},
	} {
		for _, body := range tc.hold {
			if !matchBody(t, tc.filter, body) {
				t.Errorf("%s does not hold for %s", tc.filter, body)
			}
		}
		for _, body := range tc.notHold {
			if matchBody(t, tc.filter, body) {
				t.Errorf("%s holds for %s", tc.filter, body)
			}
		}
	}
}

func TestFilterRefused(t *testing.T) {
	deep := strings.Repeat(`{"a":`, MaxDepth+1) + "1" + strings.Repeat("}", MaxDepth+1)
	logic := strings.Repeat(`{"$or":[`, MaxDepth/2+1) + `{"a":1}` + strings.Repeat("]}", MaxDepth/2+1)
	many := func(n int, format string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = fmt.Sprintf(format, i)
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	for _, tc := range []struct{ filter, field, reason string }{
		{`[]`, "body", "is not a JSON object"},
		{`"a"`, "body", "is not a JSON object"},
		{`{"a":}`, "body", "is not a JSON object"},
		{`{"a":{}}`, "body.a", "without a condition"},
		{`{"$or":[{"a":1},{"amount":{"$gt":true}}]}`, "body.$or[1].amount.$gt", "wants a number or a text"},
		{`{"a":{"$lt":null}}`, "body.a.$lt", "wants a number or a text"},
		{`{"a":{"$lt":{"b":1}}}`, "body.a.$lt", "wants a number or a text"},
		{`{"a":{"$like":"x"}}`, "body.a.$like", "is not an operator"},
		{`{"$ref":"x"}`, "body.$ref", "is not an operator"},
		{`{"a.$gt":1}`, "body.a.$gt", "has $gt in a path"},
		{`{"$eq":1}`, "body.$eq", "where a name is wanted"},
		{`{"$or":[{"$gt":1}]}`, "body.$or[0].$gt", "where a name is wanted"},
		{`{"$or":[]}`, "body.$or", "at least one"},
		{`{"$and":{"a":1}}`, "body.$and", "wants an array"},
		{`{"$and":[1]}`, "body.$and[0]", "is not an object"},
		{`{"$and":[{}]}`, "body.$and[0]", "without a condition"},
		{`{"a":[]}`, "body.a", "at least one"},
		{`{"a":{"$in":"x"}}`, "body.a.$in", "wants an array"},
		{`{"a":{"$nin":[[1]]}}`, "body.a.$nin", "has an array"},
		{`{"a":{"$eq":{"b":1}}}`, "body.a.$eq", "has an array or an object"},
		{`{"a":{"$neq":[[1]]}}`, "body.a.$neq", "has an array or an object"},
		{`{"a":{"$exist":"true"}}`, "body.a.$exist", "wants true or false"},
		{`{"a":{"$regex":1}}`, "body.a.$regex", "as a text"},
		{`{"a":{"$regex":"("}}`, "body.a.$regex", "missing closing )"},
		{`{"a":{"$regex":"` + strings.Repeat("a", MaxRegexBytes+1) + `"}}`, "body.a.$regex", "more than 1024"},
		{`{"a":{"$regex":"(\\pL{100}x){2}"}}`, "body.a.$regex", "more than 1000 instructions"},
		{many(21, `"a%d":{"$regex":"a{499}"}`), "body.a20.$regex", "one regular expression too many"},
		{`{"a":1e1000000001}`, "body.a", "beyond 1e1000000000"},
		{`{"items.$":1}`, "body.items.$", "ends in $"},
		{`{"items":{"$":[1]}}`, "body.items.$", "ends in $"},
		{`{"$":1}`, "body.$", "ends in $"},
		{`{"$.a.$.b.$.c.$.e":1}`, "body.$.a.$.b.$.c.$.e", "4 times $"},
		{`{"` + strings.Repeat("a", MaxPathBytes+1) + `":1}`, "body." + strings.Repeat("a", MaxPathBytes+1), "more than 1024"},
		{deep, "body" + strings.Repeat(".a", MaxDepth), "deeper than 16"},
		{logic, "body" + strings.Repeat(".$or[0]", MaxDepth/2), "deeper than 16"},
		{many(MaxConditions+1, `"a%d":1`), "body.a1000", "one condition too many"},
		{many(MaxWildcardConditions+1, `"a%d.$.b":1`), "body.a100.$.b", "one condition with $"},
		{`{"a":"` + strings.Repeat("a", event.MaxFilterBytes) + `"}`, "", "more than 65536"},
	} {
		f, err := CompileFilter(&event.Filter{Body: json.RawMessage(tc.filter)})
		wantInvalid(t, fmt.Sprintf("%.100s", tc.filter), err, tc.field, tc.reason)
		if err != nil && f != nil {
			t.Errorf("%.100s: a filter beside an error", tc.filter)
		}
	}
	_, err := CompileFilter(&event.Filter{Body: json.RawMessage(`{"a":1}`), Query: json.RawMessage(`{"b":{"$x":1}}`)})
	wantInvalid(t, "query", err, "query.b.$x", "is not an operator")
}

func TestFilterWithoutConditions(t *testing.T) {
	none := []json.RawMessage{nil, {}, json.RawMessage("null"), json.RawMessage(" {} ")}
	for _, part := range none {
		f, err := CompileFilter(&event.Filter{Body: part, Headers: part, Query: part, Path: part})
		if f != nil || err != nil {
			t.Errorf("%q: %v, %v", part, f, err)
		}
	}
	f, err := CompileFilter(nil)
	if f != nil || err != nil || !f.Match(&Input{}) {
		t.Errorf("no filter: %v, %v", f, err)
	}
}

// TestRegexSteps: an expensive expression stops being tried, a cheap one finds its
// text at the end of a megabyte, and the next event starts afresh.
func TestRegexSteps(t *testing.T) {
	text := strings.Repeat("a", 1<<20) + "b"
	in := &Input{}
	in.Reset(&event.Event{Data: []byte(`{"a":"` + text + `"}`)})
	expensive := compileBody(t, `{"a":{"$regex":"a{900}b"}}`)
	if compileBody(t, `{"a":{"$regex":"a+b$"}}`).Match(in) != true || expensive.Match(in) {
		t.Error("a megabyte: want the cheap expression to match and the expensive one not to")
	}
	in.Reset(&event.Event{Data: []byte(`{"a":"` + text[len(text)-1000:] + `"}`)})
	if !expensive.Match(in) {
		t.Error("a kilobyte: want the expensive expression to match")
	}
}
