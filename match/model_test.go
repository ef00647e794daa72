package match

import (
	"bytes"
	"encoding/json"
	"math/big"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"posthaste/event"
)

// This file holds the filter language as plainly as it can be said, over decoded
// JSON, and compares it with the compiled one.

func decode(src []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(src))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func modelHolds(filter map[string]any, prefix []string, payload any) bool {
	for name, operand := range filter {
		if !modelMember(name, operand, prefix, payload) {
			return false
		}
	}
	return true
}

func modelMember(name string, operand any, prefix []string, payload any) bool {
	branches, _ := operand.([]any)
	switch name {
	case "$and", "$or":
		held := 0
		for _, b := range branches {
			if modelHolds(b.(map[string]any), prefix, payload) {
				held++
			}
		}
		return held == len(branches) || name == "$or" && held > 0
	case "$eq":
		return modelAny(prefix, payload, func(v any) bool { return modelEqual(v, operand) })
	case "$neq":
		return !modelMember("$eq", operand, prefix, payload)
	case "$in":
		return modelAny(prefix, payload, func(v any) bool {
			for _, o := range branches {
				if modelEqual(v, o) {
					return true
				}
			}
			return false
		})
	case "$nin":
		return !modelMember("$in", operand, prefix, payload)
	case "$exist":
		return operand.(bool) == (len(modelReach(prefix, payload)) > 0)
	case "$regex":
		return modelAny(prefix, payload, func(v any) bool {
			text, ok := v.(string)
			return ok && regexp.MustCompile(operand.(string)).MatchString(text)
		})
	case "$gt", "$gte", "$lt", "$lte":
		return modelAny(prefix, payload, func(v any) bool {
			order, ok := modelCompare(v, operand)
			return ok && (order > 0 && name[1] == 'g' || order < 0 && name[1] == 'l' || order == 0 && len(name) == 4)
		})
	}
	path := append(append([]string{}, prefix...), strings.Split(name, ".")...)
	switch o := operand.(type) {
	case map[string]any:
		return modelHolds(o, path, payload)
	case []any:
		return modelMember("$in", o, path, payload)
	}
	return modelMember("$eq", operand, path, payload)
}

func modelAny(path []string, payload any, test func(any) bool) bool {
	for _, v := range modelReach(path, payload) {
		if test(v) {
			return true
		}
		elements, _ := v.([]any)
		for _, e := range elements {
			if test(e) {
				return true
			}
		}
	}
	return false
}

// modelReach lists the values that a path leads to.
func modelReach(path []string, v any) (reached []any) {
	if len(path) == 0 {
		return []any{v}
	}
	switch v := v.(type) {
	case map[string]any:
		for i := 1; i <= len(path); i++ {
			if member, ok := v[strings.Join(path[:i], ".")]; ok {
				reached = append(reached, modelReach(path[i:], member)...)
			}
		}
	case []any:
		for i, e := range v {
			if path[0] == "$" || path[0] == strconv.Itoa(i) {
				reached = append(reached, modelReach(path[1:], e)...)
			}
		}
	}
	return reached
}

func modelEqual(v, operand any) bool {
	if a, ok := v.([]any); ok {
		b, ok := operand.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !modelEqual(a[i], b[i]) {
				return false
			}
		}
		return true
	}
	if order, ok := modelCompare(v, operand); ok {
		return order == 0
	}
	return reflect.DeepEqual(v, operand)
}

func modelCompare(v, operand any) (order int, ok bool) {
	switch v := v.(type) {
	case json.Number:
		if o, ok := operand.(json.Number); ok {
			return rat(v).Cmp(rat(o)), true
		}
	case string:
		if o, ok := operand.(string); ok {
			return strings.Compare(v, o), true
		}
	}
	return 0, false
}

func rat(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic("not a number: " + n)
	}
	return r
}

var (
	drawName   = rapid.SampledFrom([]string{"a", "b", "a.b", "0", "1", "", "é", `\u0061`})
	drawScalar = rapid.SampledFrom([]string{
		`1`, `1.0`, `10e-1`, `2`, `-1`, `0`, `-0`, `9007199254740993`, `9007199254740992`, `0.1`, `1e2`, `100`,
		`"x"`, `"\u0078"`, `""`, `"xy"`, `"1"`, `true`, `false`, `null`,
	})
	drawStep = rapid.SampledFrom([]string{"a", "b", "0", "1", "$", "", "é"})
)

func drawPayload(t *rapid.T, depth int) string {
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	if depth == 0 || kind == 0 {
		return drawScalar.Draw(t, "scalar")
	}
	var parts []string
	for range rapid.IntRange(0, 4).Draw(t, "size") {
		part := drawPayload(t, depth-1)
		if kind != 1 {
			part = ` "` + drawName.Draw(t, "name") + `" : ` + part
		}
		parts = append(parts, part)
	}
	if kind == 1 {
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return "{" + strings.Join(parts, ",") + " }"
}

func drawPath(t *rapid.T) string {
	steps := rapid.SliceOfN(drawStep, 1, 3).Draw(t, "path")
	if steps[len(steps)-1] == "$" {
		steps = append(steps, "a")
	}
	return strings.Join(steps, ".")
}

func drawConditions(t *rapid.T, depth int) string {
	members := map[string]string{}
	for range rapid.IntRange(1, 2).Draw(t, "conditions") {
		name, value := drawPath(t), ""
		switch rapid.IntRange(0, 5).Draw(t, "form") {
		case 0:
			value = drawScalar.Draw(t, "operand")
		case 1:
			value = "[" + strings.Join(rapid.SliceOfN(drawScalar, 1, 3).Draw(t, "operands"), ",") + "]"
		case 2, 3:
			value = "{" + drawOperator(t) + "}"
		case 4:
			if value = `{"$exist":true}`; depth > 0 {
				value = drawConditions(t, depth-1)
			}
		case 5:
			if value = `{"$exist":false}`; depth > 0 {
				name = rapid.SampledFrom([]string{"$or", "$and"}).Draw(t, "logic")
				value = "[" + drawConditions(t, depth-1) + "," + drawConditions(t, depth-1) + "]"
			}
		}
		members[name] = value
	}
	var parts []string
	for name, value := range members {
		parts = append(parts, `"`+name+`":`+value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func drawOperator(t *rapid.T) string {
	operator := rapid.SampledFrom([]string{"$eq", "$neq", "$in", "$nin", "$gt", "$gte", "$lt", "$lte", "$exist", "$regex"}).Draw(t, "operator")
	operand := ""
	switch operator {
	case "$eq", "$neq":
		if operand = drawScalar.Draw(t, "operand"); rapid.Bool().Draw(t, "list") {
			operand = "[" + strings.Join(rapid.SliceOfN(drawScalar, 0, 2).Draw(t, "operands"), ",") + "]"
		}
	case "$in", "$nin":
		operand = "[" + strings.Join(rapid.SliceOfN(drawScalar, 1, 3).Draw(t, "operands"), ",") + "]"
	case "$exist":
		operand = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "operand")
	case "$regex":
		operand = rapid.SampledFrom([]string{`"x"`, `"^x$"`, `""`}).Draw(t, "operand")
		if operand == `""` {
			operand = `"^$"`
		}
	default:
		operand = rapid.SampledFrom([]string{`1`, `0.1`, `9007199254740992`, `"x"`, `""`}).Draw(t, "operand")
	}
	return `"` + operator + `":` + operand
}

func TestFilterAgreesWithModel(t *testing.T) {
	in, held, checks := &Input{}, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for range 20 { // so that the shares mean something in -short, too
			conditions, payload := drawConditions(t, 2), drawPayload(t, 4)
			if compareWithModel(t, in, conditions, payload) {
				held++
			}
			checks++
		}
	})
	if held == 0 || held == checks {
		t.Errorf("%d of %d hold: the generator draws one kind only", held, checks)
	}
}

// compareWithModel needs conditions that compile, but for those with too many $ in a
// path, which do not hold.
func compareWithModel(t rapid.TB, in *Input, conditions, payload string) bool {
	filter, err := CompileFilter(&event.Filter{Body: json.RawMessage(conditions)})
	if err != nil && strings.Contains(err.Error(), "times $ in its path") {
		return false
	}
	if err != nil {
		t.Fatalf("%s: %v", conditions, err)
	}
	plainFilter, err := decode([]byte(conditions))
	if err != nil {
		t.Fatal(err)
	}
	plainPayload, err := decode([]byte(payload))
	if err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
	in.Reset(&event.Event{Data: []byte(payload)})
	got, want := filter.Match(in), modelHolds(plainFilter.(map[string]any), nil, plainPayload)
	if got != want {
		t.Fatalf("%s over %s: %v, want %v", conditions, payload, got, want)
	}
	return got
}
